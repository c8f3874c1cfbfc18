"""Density of the aggregate posterior, estimated from a batch.

All functions use a matrix of log densities: row `i`, column `j` holds the log density of the code
of example `i` under the posterior of example `j`. The weighted sum of the densities over columns
estimates the density of the aggregate posterior, `q(z) = sum over the data of q(z | x_n) / N`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops


def gaussian_log_density(codes, loc, log_variance) -> list:
    """Log density of every code under every posterior, dimension by dimension.

    Args:
        codes: `(batch, dim)`.
        loc: `(batch, dim)`, means of diagonal Gaussians.
        log_variance: `(batch, dim)`.

    Returns:
        One `(batch, batch)` matrix a dimension, in nats. They are computed from differences, not
        from expanded squares, so that float32 is precise enough for codes far apart. Separate
        matrices fit into the cache: in one array, gradients took two to four times as long.
    """
    dims = range(codes.shape[-1])
    return [_log_density(codes[:, d], loc[:, d], log_variance[:, d]) for d in dims]


@ops.custom_gradient
def _log_density(codes, loc, log_variance):
    """One dimension of `gaussian_log_density`; its gradients are products of matrices."""
    scale = math.sqrt(0.5) * ops.exp(-0.5 * log_variance)
    standardised = (codes[:, None] - loc) * scale
    log_density = -0.5 * (log_variance + math.log(2.0 * math.pi)) - ops.square(standardised)

    def gradients(*upstream):
        (given,) = upstream
        ones = ops.ones_like(codes)
        product = given * standardised
        to_codes = -2.0 * ops.matmul(product, scale)
        to_loc = 2.0 * scale * ops.matmul(ones, product)
        squares = ops.matmul(ones, product * standardised)
        return to_codes, to_loc, squares - 0.5 * ops.matmul(ones, given)

    return log_density, gradients


def categorical_log_density(values, log_probabilities):
    """Log probability of the value of every example under every posterior.

    Args:
        values: `(batch,)` integers.
        log_probabilities: `(batch, num_values)`, each row a normalised distribution.

    Returns:
        `(batch, batch)` in nats.
    """
    return ops.transpose(ops.take(log_probabilities, values, axis=1))


def stratified_log_weights(weights, num_examples: float = math.inf):
    """Log weights of the minibatch-stratified estimator of the aggregate posterior's density.

    The posterior that the code was drawn from has its true weight, `1 / num_examples`; the other
    examples of the batch share the rest. The density has no bias; its log is too low by about half
    the squared relative error. An infinite `num_examples` gives the density of new examples' codes.

    Reference:
        Esmaeili et al., Structured Disentangled Representations, AISTATS 2019; for uniform weights
        also Chen et al., Isolating Sources of Disentanglement, NeurIPS 2018, appendix C.1.

    Args:
        weights: `(batch,)`, positive: importance weight of each example, its share in the data over
            its share among the drawn examples, up to a factor. Ones for uniform sampling without
            replacement; for class-balanced sampling, the number of examples of its class.
        num_examples: Size of the data set that is drawn from, at least the batch size.

    Returns:
        `(batch, batch)`; every row sums to 1 before the log. In a batch of one example, its own
        posterior has weight 1.
    """
    rows = ops.arange(ops.shape(weights)[0])
    own = rows[:, None] == rows[None]
    rest = ops.sum(ops.where(own, 0.0, weights[None]), axis=-1)
    alone = rest <= 0.0
    share = ops.where(alone, 1.0, 1.0 / num_examples)
    others = ops.log((1.0 - share) / ops.where(alone, 1.0, rest))
    return ops.where(own, ops.log(share)[:, None], others[:, None] + ops.log(weights)[None])


def uniform_log_weights(weights, num_examples: float):
    """Log weights of minibatch-weighted sampling: they do not single out a code's own posterior.

    The log density is too low by `log(num_examples)` where posteriors overlap and by the log of the
    batch size where they do not, once for the code and once for each of its parts. If
    `num_examples` is 1, the estimate is the mean over the batch, which is exact for a batch of the
    whole data set.

    Reference:
        Chen et al., Isolating Sources of Disentanglement, NeurIPS 2018, equation 5.

    Args:
        weights: `(batch,)`, as for `stratified_log_weights`.
        num_examples: Size of the data set that is drawn from, or 1 for the mean over the batch.

    Returns:
        `(batch, batch)`; every row sums to `1 / num_examples` before the log.
    """
    shares = weights / (ops.sum(weights) * num_examples)
    return ops.log(shares)[None] * ops.ones_like(weights)[:, None]


def log_aggregate(pairwise, log_weights):
    """Log density of each code under the aggregate posterior, in nats.

    Args:
        pairwise: `(batch, batch)` log densities of code `i` under posterior `j`.
        log_weights: `(batch, batch)`.

    Returns:
        `(batch,)`.
    """
    summands = pairwise + log_weights
    # Keras warns if softmax gets a single entry.
    return summands[:, 0] if summands.shape[1] == 1 else _log_sum_exp(summands)


@ops.custom_gradient
def _log_sum_exp(summands):
    """Log of the sum of exponentials of every row; its gradient is the softmax.

    One softmax gives both: its largest entry is the exponential of the row's maximum over the sum.
    """
    shares = ops.softmax(summands, axis=1)
    log_sum = ops.max(summands, axis=1) - ops.log(ops.max(shares, axis=1))
    return log_sum, lambda *upstream: upstream[0][:, None] * shares


def log_class_aggregate(pairwise, log_probabilities, log_weights):
    """Joint log density of each code and every class under the aggregate posterior, in nats.

    A matrix product avoids an array of size `(batch, batch, num_classes)`. All summands are
    positive, so float32 is precise enough.

    Args:
        pairwise: `(batch, batch)` log densities of code `i` under posterior `j`.
        log_probabilities: `(batch, num_classes)`, log probability of every class under posterior
            `j`.
        log_weights: `(batch, batch)`.

    Returns:
        `(batch, num_classes)`.
    """
    summands = pairwise + log_weights
    largest = ops.stop_gradient(ops.max(summands, axis=1, keepdims=True))
    sums = ops.matmul(ops.exp(summands - largest), ops.exp(log_probabilities))
    return largest + ops.log(sums)


def joint_log_probabilities(blocks: Sequence[Any]):
    """Log probability of every combination of values of independent categorical blocks.

    Args:
        blocks: One `(batch, num_values)` a block, at least one.

    Returns:
        `(batch, product of the numbers of values)`; the value of the last block varies fastest.
    """
    joint = blocks[0]
    for block in blocks[1:]:
        size = joint.shape[-1] * block.shape[-1]
        joint = ops.reshape(joint[:, :, None] + block[:, None], (-1, size))
    return joint
