"""Terms of the KL divergence of codes from their prior, estimated from a batch.

The common currency is a matrix of log densities: in row `i` and column `j` that of the code of
example `i` under the posterior of example `j`. Its weighted sum over the columns estimates the
density of the aggregate posterior, `q(z) = sum over the data of q(z | x_n) / N`. Blocks of any kind
take part that have such a matrix, Gaussian or categorical.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keras import ops


class Marginals(NamedTuple):
    """Log densities of the codes of one block under aggregate posterior and prior, in nats.

    Args:
        whole: `(batch,)`, of the code under the aggregate posterior.
        parts: `(batch, dim)`, of each dimension of the code under its aggregate posterior.
        prior: `(batch, dim)`, of each dimension under its marginal prior.
        joint_prior: `(batch,)`, of the code under the prior of the block.
    """

    whole: Any
    parts: Any
    prior: Any
    joint_prior: Any


class BlockDensities(NamedTuple):
    """Log densities of codes that were drawn for one block, in nats.

    Args:
        pairwise: `(batch, batch, dim)`, of each dimension of code `i` under posterior `j`.
        prior: `(batch, dim)`, of each dimension of code `i` under its marginal prior.
        joint_prior: `(batch,)`, of code `i` under the prior of the block, or `None` if the
            dimensions are independent there. Blocks are independent under the prior.
    """

    pairwise: Any
    prior: Any
    joint_prior: Any = None

    @property
    def drawn(self):
        """Log density of code `i` under posterior `j`, `(batch, batch)`."""
        return ops.sum(self.pairwise, axis=-1)

    @property
    def own(self):
        """Log density of each code under its own posterior, `(batch,)`."""
        return ops.diagonal(self.drawn)

    def marginals(self, log_weights) -> Marginals:
        """The densities of this block alone, given the weights of the estimator."""
        joint = ops.sum(self.prior, axis=-1) if self.joint_prior is None else self.joint_prior
        parts = log_aggregate(self.pairwise, log_weights)
        return Marginals(log_aggregate(self.drawn, log_weights), parts, self.prior, joint)


class BlockProbabilities(NamedTuple):
    """Probabilities of the values of one categorical block, of which terms are exact sums.

    The value of an example is not drawn: every log density is its expectation over the values,
    and gradients are those of the sums. A drawn value has next to no gradient in these terms.

    Args:
        log_probabilities: `(batch, num_values)`, each row a normalised distribution. No smaller
            than about -80, so that no sum underflows.
        prior: `(num_values,)`, log probabilities of the prior.
        values: `(batch,)` integers drawn from the posteriors, or `None`. They stand for the
            expectation in the density of all blocks together where there are too many
            combinations of values. It then has no gradient through the draw.
    """

    log_probabilities: Any
    prior: Any
    values: Any = None

    @property
    def drawn(self):
        """Log probability of value `i` under posterior `j`, `(batch, batch)`, if it was drawn."""
        return categorical_log_density(self.values, self.log_probabilities)

    @property
    def own(self):
        """Expected log probability of the value under its own posterior, `(batch,)`."""
        return _expected(self.log_probabilities, self.log_probabilities)

    def marginals(self, log_weights) -> Marginals:
        """Expected densities of this block alone, given the weights of the estimator."""
        nothing = ops.zeros_like(log_weights)
        whole = log_class_aggregate(nothing, self.log_probabilities, log_weights)
        whole = _expected(whole, self.log_probabilities)
        prior = _expected(self.prior[None], self.log_probabilities)
        return Marginals(whole, whole[:, None], prior[:, None], prior)


class KLTerms(NamedTuple):
    """What the KL divergence of posterior from prior is made of, in nats.

    Estimates, any of which can be negative on a batch.

    Args:
        mutual_information: Scalar, of observation and code; at most `log(num_examples)`.
        between_blocks: Scalar, total correlation of the blocks.
        within_blocks: A scalar a block, total correlation of its dimensions less that of its prior.
        dimension_wise: `(dim,)` a block, KL divergence of each dimension's aggregate posterior
            from its prior.
    """

    mutual_information: Any
    between_blocks: Any
    within_blocks: dict[str, Any]
    dimension_wise: dict[str, Any]


def gaussian_log_density(codes, loc, log_variance):
    """Log density of every code under every posterior, dimension by dimension.

    Args:
        codes: `(batch, dim)`.
        loc: `(batch, dim)`, means of diagonal Gaussians.
        log_variance: `(batch, dim)`.

    Returns:
        `(batch, batch, dim)` in nats. Taken from differences, not from expanded squares, so that
        float32 is enough for codes far apart.
    """
    standardised = (codes[:, None] - loc[None]) * ops.exp(-0.5 * log_variance)[None]
    return -0.5 * (ops.square(standardised) + log_variance[None] + math.log(2.0 * math.pi))


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

    The posterior that gave the code counts with its true share `1 / num_examples`, the others
    stand for the rest. Without bias in the density, too low in its log by about half the squared
    relative error. With `num_examples` infinite the density is that of codes of new examples.

    Reference:
        Esmaeili et al., Structured Disentangled Representations, AISTATS 2019; for uniform weights
        also Chen et al., Isolating Sources of Disentanglement, NeurIPS 2018, appendix C.1.

    Args:
        weights: `(batch,)`, positive: share of each example in the data over that among the
            examples drawn, up to a factor. Ones for uniform sampling without replacement; for
            class-balanced sampling the number of examples of its class.
        num_examples: Size of the data set that is drawn from, at least the batch's.

    Returns:
        `(batch, batch)`; every row sums to 1 before the log. The code of an example that is alone
        in its batch has its own posterior only.
    """
    own = ops.eye(ops.shape(weights)[0], dtype=weights.dtype)
    rest = ops.sum((1.0 - own) * weights[None], axis=-1)
    alone = rest <= 0.0
    share = ops.where(alone, 1.0, 1.0 / num_examples)[:, None]
    others = (1.0 - share) * weights[None] / ops.where(alone, 1.0, rest)[:, None]
    return ops.log(own * share + (1.0 - own) * others)


def uniform_log_weights(weights, num_examples: float):
    """Log weights of minibatch-weighted sampling: all examples of the batch count the same.

    Too low in the log density by `log(num_examples)` where posteriors overlap and by the log of the
    batch size where they do not, once for the code and once for each of its parts. With 1 for
    `num_examples` it is the mean over the batch, exact for a batch that is the whole data set.

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
        pairwise: `(batch, batch)` or `(batch, batch, parts)` log densities.
        log_weights: `(batch, batch)`.

    Returns:
        `(batch,)` or `(batch, parts)`.
    """
    if len(pairwise.shape) == 3:
        log_weights = log_weights[..., None]
    return ops.logsumexp(pairwise + log_weights, axis=1)


def log_class_aggregate(pairwise, log_probabilities, log_weights):
    """Log density of each code together with every class under the aggregate posterior, in nats.

    A product of matrices, so that nothing of the size `(batch, batch, num_classes)` is made. All
    summands are positive: float32 is enough.

    Args:
        pairwise: `(batch, batch)` log densities of code `i` under posterior `j`.
        log_probabilities: `(batch, num_classes)`, of every class under posterior `j`.
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
        `(batch, product of the numbers of values)`, the values of the last block side by side.
    """
    joint = blocks[0]
    for block in blocks[1:]:
        size = joint.shape[-1] * block.shape[-1]
        joint = ops.reshape(joint[:, :, None] + block[:, None], (-1, size))
    return joint


def _expected(values, log_probabilities):
    """Expectation of `(batch, num_values)` values under their distribution, `(batch,)`."""
    return ops.sum(ops.exp(log_probabilities) * values, axis=-1)


def total_correlation(pairwise, log_weights):
    """How far the parts of a code are from independent, an estimate for each code.

    Args:
        pairwise: `(batch, batch, parts)` log densities of blocks, or of dimensions of a block;
            given the observation the parts are independent.
        log_weights: `(batch, batch)`.

    Returns:
        `(batch,)` in nats: the log density of the whole less those of the parts. Its mean can be
        negative.
    """
    whole = log_aggregate(ops.sum(pairwise, axis=-1), log_weights)
    return whole - ops.sum(log_aggregate(pairwise, log_weights), axis=-1)


def class_total_correlation(codes, loc, log_variance, labels, log_probabilities):
    """Total correlation of a Gaussian block and of the class that a point block tells.

    A point has no density, and its total correlation with another block would be all that this
    block tells of the observation, whatever the point holds: a pressure on capacity, as the KL is
    one. So the distribution of the class that is read from the point, a categorical posterior,
    stands in for it. Gradients to `log_probabilities` are the caller's to stop.

    The batch is taken for the whole data set. What is estimated then is a divergence between two
    distributions that the batch itself makes up, at least 0 on average over draws of codes and
    classes: minimising it ends at independence. With the number of examples of a larger data set
    the estimate has no such bound; codes gain by fleeing those of their class ever further.

    Args:
        codes: `(batch, dim)`, sampled from the posteriors of the Gaussian block.
        loc: `(batch, dim)`, their means.
        log_variance: `(batch, dim)`.
        labels: `(batch,)` integers, the classes.
        log_probabilities: `(batch, num_classes)`, log probability of each class given the point.

    Returns:
        A scalar in nats, the mean over the batch; can be negative.
    """
    block = ops.sum(gaussian_log_density(codes, loc, log_variance), axis=-1)
    told = categorical_log_density(labels, log_probabilities)
    log_weights = uniform_log_weights(ops.ones_like(block[0]), 1.0)
    return ops.mean(total_correlation(ops.stack([block, told], axis=-1), log_weights))


def kl_terms(
    blocks: Mapping[str, BlockDensities | BlockProbabilities], log_weights, weights
) -> KLTerms:
    """Divides `KL(q(z | x) || p(z))`, at the codes of a batch, into its terms.

    All of them, added up, are exactly that, whatever the estimate of the aggregate: of drawn codes
    the sample of the divergence, of categorical blocks the divergence itself.

    Reference:
        Esmaeili et al., Structured Disentangled Representations, AISTATS 2019. Deviates: exact
        sums over the values of categorical blocks.

    Args:
        blocks: Log densities of every block.
        log_weights: `(batch, batch)`, from `stratified_log_weights` or `uniform_log_weights`.
        weights: `(batch,)`, the same that these were made of; the terms are weighted means.
    """
    shares = weights / ops.sum(weights)
    joint = _joint(list(blocks.values()), log_weights)
    marginals = {name: block.marginals(log_weights) for name, block in blocks.items()}
    own = ops.sum(ops.stack([block.own for block in blocks.values()]), axis=0)
    wholes = ops.sum(ops.stack([m.whole for m in marginals.values()]), axis=0)
    within = {
        name: m.whole - ops.sum(m.parts, axis=-1) - (m.joint_prior - ops.sum(m.prior, axis=-1))
        for name, m in marginals.items()
    }
    return KLTerms(
        mutual_information=ops.sum(shares * (own - joint)),
        between_blocks=ops.sum(shares * (joint - wholes)),
        within_blocks={name: ops.sum(shares * term) for name, term in within.items()},
        dimension_wise={
            name: ops.sum(shares[:, None] * (m.parts - m.prior), axis=0)
            for name, m in marginals.items()
        },
    )


def _joint(blocks: Sequence[BlockDensities | BlockProbabilities], log_weights):
    """Expected log density of all blocks together under the aggregate posterior, `(batch,)`."""
    enumerated = [
        block.log_probabilities
        for block in blocks
        if isinstance(block, BlockProbabilities) and block.values is None
    ]
    pairwise = ops.zeros_like(log_weights)
    for block in blocks:
        if isinstance(block, BlockDensities) or block.values is not None:
            pairwise += block.drawn
    if not enumerated:
        return log_aggregate(pairwise, log_weights)
    classes = joint_log_probabilities(enumerated)
    return _expected(log_class_aggregate(pairwise, classes, log_weights), classes)
