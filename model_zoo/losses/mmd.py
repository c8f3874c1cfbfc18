"""Maximum mean discrepancy between the codes of different classes."""

from __future__ import annotations

from keras import ops

KERNEL_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Widths of the kernel, in units of the mean squared distance of two standard normal codes."""


def class_conditional_mmd(codes, labels, num_classes: int):
    """Squared maximum mean discrepancy between the codes of each class and of all other classes.

    Estimated without bias and averaged over the classes of the examples. Its expectation is 0
    exactly if codes and class are independent. A class counts as 0 if the class or the rest has
    fewer than two codes in the batch.

    Reference:
        Gretton et al., A Kernel Two-Sample Test, JMLR 13 (2012), equation 3, with the inverse
        multiquadratic kernels of Tolstikhin et al., Wasserstein Auto-Encoders, ICLR 2018.

    Args:
        codes: `(batch, dim)`.
        labels: `(batch,)` integers.
        num_classes: Integer, number of classes.

    Returns:
        A scalar, at most 2; can be slightly below 0.
    """
    one_hot = ops.one_hot(labels, num_classes, dtype=codes.dtype)
    kernel = _kernel(codes)
    kernel = kernel * (1.0 - ops.eye(ops.shape(codes)[0], dtype=codes.dtype))
    between = ops.matmul(ops.transpose(one_hot), ops.matmul(kernel, one_hot))
    sizes = ops.sum(one_hot, axis=0)
    rest = ops.sum(sizes) - sizes
    own, crossed = ops.diagonal(between), ops.sum(between, axis=-1)
    others = ops.sum(between) - 2.0 * crossed + own
    enough = ops.logical_and(sizes > 1.5, rest > 1.5)
    discrepancy = (
        own / _at_least_one(sizes * (sizes - 1.0))
        - 2.0 * (crossed - own) / _at_least_one(sizes * rest)
        + others / _at_least_one(rest * (rest - 1.0))
    )
    return ops.sum(ops.where(enough, discrepancy, 0.0) * sizes) / ops.sum(sizes)


def _kernel(codes):
    """Mean over the widths of `c / (c + squared distance)`, `(batch, batch)`."""
    squares = ops.sum(ops.square(codes), axis=-1)
    distance = squares[:, None] + squares[None] - 2.0 * ops.matmul(codes, ops.transpose(codes))
    distance = ops.maximum(distance, 0.0)
    scale = 2.0 * codes.shape[-1]
    return sum(w * scale / (w * scale + distance) for w in KERNEL_WIDTHS) / len(KERNEL_WIDTHS)


def _at_least_one(count):
    return ops.maximum(count, 1.0)
