"""Terms of the KL divergence of codes from their prior, estimated from a batch.

Two kinds of blocks: blocks with drawn codes have the log density of every code under every
posterior (`model_zoo.losses.aggregate_posterior`); categorical blocks have the probabilities of
their values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keras import ops

from latentloom.model_zoo.losses.aggregate_posterior import (
    categorical_log_density,
    gaussian_log_density,
    joint_log_probabilities,
    log_aggregate,
    log_class_aggregate,
    uniform_log_weights,
)


class Marginals(NamedTuple):
    """Log densities of the codes of one block under aggregate posterior and prior, in nats.

    Args:
        whole: `(batch,)`, the code under the aggregate posterior.
        parts: `(batch, dim)`, each dimension of the code under its aggregate posterior.
        prior: `(batch, dim)`, each dimension under its marginal prior.
        joint_prior: `(batch,)`, the code under the prior of the block.
    """

    whole: Any
    parts: Any
    prior: Any
    joint_prior: Any


class BlockDensities(NamedTuple):
    """Log densities of the drawn codes of one block, in nats.

    Args:
        pairwise: One `(batch, batch)` matrix a dimension: code `i` under posterior `j`.
        prior: `(batch, dim)`, each dimension of code `i` under its marginal prior.
        joint_prior: `(batch,)`, code `i` under the prior of the block; or `None` if the dimensions
            are independent under the prior. Blocks are independent under the prior.
    """

    pairwise: Sequence[Any]
    prior: Any
    joint_prior: Any = None

    @property
    def drawn(self):
        """Log density of code `i` under posterior `j`, `(batch, batch)`."""
        return _total(self.pairwise)

    @property
    def own(self):
        """Log density of each code under its own posterior, `(batch,)`."""
        rows = ops.arange(ops.shape(self.prior)[0])
        own = rows[:, None] == rows[None]  # on JAX gradients of `ops.diagonal` are slower
        return ops.sum(ops.where(own, self.drawn, 0.0), axis=1)

    def marginals(self, log_weights) -> Marginals:
        """The densities of this block alone, given the weights of the estimator."""
        joint = ops.sum(self.prior, axis=-1) if self.joint_prior is None else self.joint_prior
        parts = ops.stack([log_aggregate(each, log_weights) for each in self.pairwise], axis=-1)
        return Marginals(log_aggregate(self.drawn, log_weights), parts, self.prior, joint)


class BlockProbabilities(NamedTuple):
    """Probabilities of the values of one categorical block; its terms are exact sums.

    Log densities are expectations over the values, with exact gradients. With drawn values these
    terms would have almost no gradient.

    Args:
        log_probabilities: `(batch, num_values)`, each row a normalised distribution. At least about
            -80, so that no sum underflows.
        prior: `(num_values,)`, log probabilities of the prior.
        values: `(batch,)` integers drawn from the posteriors, or `None`. If given, they replace the
            expectation in the joint density of all blocks, for blocks with too many combinations of
            values. That density then has no gradient through the draw.
    """

    log_probabilities: Any
    prior: Any
    values: Any = None

    @property
    def drawn(self):
        """Log probability of drawn value `i` under posterior `j`, `(batch, batch)`."""
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
    """Terms of the KL divergence of the posterior from the prior, in nats.

    Each term is an estimate and can be negative on a batch.

    Args:
        mutual_information: Scalar, of observation and code; at most `log(num_examples)`.
        between_blocks: Scalar, total correlation of the blocks.
        within_blocks: A scalar a block, total correlation of its dimensions less the same under
            the prior.
        dimension_wise: `(dim,)` a block, KL divergence of each dimension's aggregate posterior
            from its prior.
    """

    mutual_information: Any
    between_blocks: Any
    within_blocks: dict[str, Any]
    dimension_wise: dict[str, Any]


def _total(arrays: Sequence[Any]):
    """Adds arrays one after the other."""
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


def _expected(values, log_probabilities):
    """Expectation of `(batch, num_values)` values under their distribution, `(batch,)`."""
    return ops.sum(ops.exp(log_probabilities) * values, axis=-1)


def total_correlation(pairwise: Sequence[Any], log_weights):
    """Estimates the total correlation of the parts of a code, for each code.

    Args:
        pairwise: `(batch, batch)` log densities of each part, a block or a dimension of a block.
            The parts must be independent given the observation.
        log_weights: `(batch, batch)`.

    Returns:
        `(batch,)` in nats: the log density of the whole minus the log densities of the parts. Its
        mean can be negative.
    """
    parts = _total([log_aggregate(each, log_weights) for each in pairwise])
    return log_aggregate(_total(pairwise), log_weights) - parts


def class_total_correlation(codes, loc, log_variance, labels, log_probabilities):
    """Total correlation of a Gaussian block and of the class predicted from a point block.

    A point has no density. Its total correlation with the Gaussian block would be all of that
    block's mutual information with the observation, whatever the point holds: a limit on capacity,
    like the KL. So the predicted distribution of the class, a categorical posterior, replaces the
    point. To stop gradients to `log_probabilities` is up to the caller.

    The batch is treated as the whole data set. The estimate then is a divergence between two
    distributions over the batch, at least 0 on average over draws of codes and classes, and its
    minimum is independence. With the size of a larger data set the estimate has no such bound:
    codes reduce it by moving ever further from the codes of their class.

    Args:
        codes: `(batch, dim)`, sampled from the posteriors of the Gaussian block.
        loc: `(batch, dim)`, their means.
        log_variance: `(batch, dim)`.
        labels: `(batch,)` integers, the classes.
        log_probabilities: `(batch, num_classes)`, log probability of each class given the point.

    Returns:
        A scalar in nats, the mean over the batch; can be negative.
    """
    block = _total(gaussian_log_density(codes, loc, log_variance))
    told = categorical_log_density(labels, log_probabilities)
    log_weights = uniform_log_weights(ops.ones_like(block[0]), 1.0)
    return ops.mean(total_correlation([block, told], log_weights))


def kl_terms(
    blocks: Mapping[str, BlockDensities | BlockProbabilities], log_weights, weights
) -> KLTerms:
    """Splits `KL(q(z | x) || p(z))`, at the codes of a batch, into its terms.

    The terms sum to the divergence exactly, for any estimate of the aggregate posterior: to its
    sample for drawn codes, to the divergence itself for categorical blocks.

    Reference:
        Esmaeili et al., Structured Disentangled Representations, AISTATS 2019. Deviates: exact
        sums over the values of categorical blocks.

    Args:
        blocks: Log densities of every block.
        log_weights: `(batch, batch)`, from `stratified_log_weights` or `uniform_log_weights`.
        weights: `(batch,)`, the weights that `log_weights` was made from; the terms are weighted
            means.
    """
    shares = weights / ops.sum(weights)
    joint = _joint(list(blocks.values()), log_weights)
    marginals = {name: block.marginals(log_weights) for name, block in blocks.items()}
    own = _total([block.own for block in blocks.values()])
    wholes = _total([m.whole for m in marginals.values()])
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
    drawn = [b.drawn for b in blocks if isinstance(b, BlockDensities) or b.values is not None]
    pairwise = _total(drawn) if drawn else ops.zeros_like(log_weights)
    if not enumerated:
        return log_aggregate(pairwise, log_weights)
    classes = joint_log_probabilities(enumerated)
    return _expected(log_class_aggregate(pairwise, classes, log_weights), classes)
