"""Densities of a Gaussian mixture with diagonal covariances, and its large-margin losses.

Reference:
    Wan et al., Rethinking Feature Distribution for Loss Functions in Image Classification,
    CVPR 2018.
"""

from __future__ import annotations

from keras import ops


def component_log_density(codes, loc, precision):
    """Log density of codes under diagonal Gaussians, without a `(batch, classes, dim)` tensor.

    Args:
        codes: `(batch, dim)`.
        loc: `(num_classes, dim)`.
        precision: `(num_classes, dim)`, positive.

    Returns:
        `(batch, num_classes)` in nats, without the constant `-dim / 2 * log(2 pi)`.
    """
    distance = half_mahalanobis(codes, loc, precision)
    return 0.5 * ops.sum(ops.log(precision), axis=-1) - distance


def half_mahalanobis(codes, loc, precision):
    """Half the squared Mahalanobis distance of codes to each component, `(batch, num_classes)`."""
    squares = ops.matmul(ops.square(codes), ops.transpose(precision))
    cross = ops.matmul(codes, ops.transpose(precision * loc))
    return 0.5 * (squares - 2.0 * cross + ops.sum(precision * ops.square(loc), axis=-1))


def mixture_losses(codes, labels, loc, precision, margin=0.0):
    """Classification and likelihood losses of the large-margin Gaussian mixture.

    Args:
        codes: `(batch, dim)`.
        labels: `(batch,)` integers, the class of each code.
        loc: `(num_classes, dim)`.
        precision: `(num_classes, dim)`, positive.
        margin: Float, relative increase of the distance to the own class. 0 for none.

    Returns:
        `(class_loss, likelihood_loss)`, scalars in nats, means over the batch: the cross-entropy
        of the class given the code, and minus the log density of the code under its class.
    """
    one_hot = ops.one_hot(labels, ops.shape(loc)[0], dtype=codes.dtype)
    distance = half_mahalanobis(codes, loc, precision)
    log_volume = 0.5 * ops.sum(ops.log(precision), axis=-1)
    scores = log_volume - (1.0 + margin * one_hot) * distance
    own_score = ops.sum(one_hot * scores, axis=-1)
    class_loss = ops.mean(ops.logsumexp(scores, axis=-1) - own_score)
    likelihood_loss = ops.mean(ops.sum(one_hot * (distance - log_volume), axis=-1))
    return class_loss, likelihood_loss
