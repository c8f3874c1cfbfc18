"""Mutual information of code and observation, under the exact aggregate posterior.

The aggregate posterior of `n` examples is `q(z) = sum over m of q(z | x_m) / n`. This module
computes the full sum; `model_zoo.losses.divergences` estimates it from a batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.special import xlogy

from latentloom.model_zoo.metrics.posteriors import (
    CategoricalPosteriors,
    GaussianPosteriors,
    Posteriors,
)

MOST_COMBINATIONS = 1024
"""Largest number of combinations of categorical values to sum over."""
CHUNK = 2**16
"""Number of densities held at once: 0.5 MB, which fits into the cache of a processor."""


@dataclass(frozen=True)
class BlockInformation:
    """Figures of one block, in nats. A categorical block has one dimension, its value.

    Attributes:
        mutual_information: Of observation and block.
        total_correlation: Of the dimensions of the block.
        of_dimensions: `(dim,)`, mutual information of observation and each dimension.
        divergences: `(dim,)`, KL divergence of the aggregate posterior of each dimension from a
            standard normal prior, of a categorical block from equally likely values.
    """

    mutual_information: float
    total_correlation: float
    of_dimensions: np.ndarray
    divergences: np.ndarray


@dataclass(frozen=True)
class Information:
    """Figures of a code of named blocks, in nats.

    No mutual information is above `ceiling`. The total correlation of parts is the sum of their
    mutual information minus their joint mutual information.

    Attributes:
        mutual_information: Of observation and all blocks, or None if categorical blocks have more
            than `MOST_COMBINATIONS` combinations of values.
        total_correlation: Of the blocks, or None if `mutual_information` is None.
        blocks: Figures of every block.
        num_examples: Number of examples.
    """

    mutual_information: float | None
    total_correlation: float | None
    blocks: dict[str, BlockInformation]
    num_examples: int

    @property
    def ceiling(self) -> float:
        """`log(num_examples)`, the mutual information of a code that identifies the example."""
        return math.log(self.num_examples)


def aggregate_information(blocks: Mapping[str, Posteriors]) -> Information:
    """Measures the mutual information of the observation with blocks and with their dimensions.

    Expectations over Gaussian codes are means over one sample an example; over categorical values
    they are exact. Time grows with the square of the number of examples and with the number of
    dimensions: with 50 dimensions, 1 s for 3,000 examples and 12 to 20 s for 10,000 on one core.

    Reference:
        Esmaeili et al., Structured Disentangled Representations, AISTATS 2019,
        https://arxiv.org/abs/1804.02086: the terms of the divergence of a code from its prior.

    Args:
        blocks: Posteriors of the same examples for each block. Blocks must be independent given the
            observation.

    Returns:
        The figures; sampling noise can make total correlations and divergences negative.

    Raises:
        ValueError: There are no blocks, or their examples differ in number.
    """
    sizes = {name: len(block) for name, block in blocks.items()}
    if len(set(sizes.values())) != 1:
        raise ValueError(
            "The posteriors of the blocks do not belong together. Expected: one block or more, "
            f"with the same examples. Received: examples={sizes}. Pass all blocks of one code."
        )
    measured = {name: _of_block(block) for name, block in blocks.items()}
    parts = [block.mutual_information for block in measured.values()]
    whole = parts[0] if len(parts) == 1 else _of_code(list(blocks.values()))
    return Information(
        mutual_information=whole,
        total_correlation=None if whole is None else sum(parts) - whole,
        blocks=measured,
        num_examples=next(iter(sizes.values())),
    )


def _of_block(block: Posteriors) -> BlockInformation:
    if isinstance(block, CategoricalPosteriors):
        shares = block.probabilities.mean(axis=0)
        negentropy = xlogy(shares, shares).sum()
        told = xlogy(block.probabilities, block.probabilities).sum(axis=1).mean() - negentropy
        divergence = negentropy + math.log(len(shares))
        return BlockInformation(float(told), 0.0, np.array([told]), np.array([divergence]))
    own = block.own_log_density
    aggregate = np.stack([_log_marginal(block, axis) for axis in range(block.dim)], axis=1)
    of_dimensions = (own - aggregate).mean(axis=0)
    whole = _of_code([block])
    return BlockInformation(
        mutual_information=whole,
        total_correlation=float(of_dimensions.sum() - whole),
        of_dimensions=of_dimensions,
        divergences=(aggregate + 0.5 * (block.codes**2 + math.log(2 * math.pi))).mean(axis=0),
    )


def _log_marginal(block: GaussianPosteriors, axis: int) -> np.ndarray:
    """Log density of one dimension of each code under its aggregate posterior, `(n,)`."""
    codes, loc, scale = (part[:, axis] for part in (block.codes, block.loc, block.scale))
    slopes, weights = math.sqrt(0.5) / scale, scale.min() / scale
    sums = np.empty(len(codes))
    for rows in _chunks(len(codes)):
        terms = codes[rows, None] - loc
        terms *= slopes
        np.square(terms, out=terms)
        np.negative(terms, out=terms)
        sums[rows] = np.exp(terms, out=terms) @ weights
    with np.errstate(divide="ignore"):
        found = np.log(sums) - np.log(scale.min()) - 0.5 * math.log(2 * math.pi)
    return np.maximum(found, block.own_log_density[:, axis]) - math.log(len(codes))


def _of_code(blocks: list[Posteriors]) -> float | None:
    """Mutual information of the observation with all of these blocks together.

    Multiplies the densities of every Gaussian code under all posteriors by the probabilities of
    each combination of categorical values. Their sum is the joint aggregate density, times `n`.
    """
    gaussian = [block for block in blocks if isinstance(block, GaussianPosteriors)]
    categorical = [block for block in blocks if isinstance(block, CategoricalPosteriors)]
    if math.prod(block.probabilities.shape[1] for block in categorical) > MOST_COMBINATIONS:
        return None
    count = len(blocks[0])
    probabilities = reduce(
        lambda left, right: (left[:, :, None] * right.probabilities[:, None]).reshape(count, -1),
        categorical,
        np.ones((count, 1)),
    )
    own = sum((block.own_log_density.sum(axis=1) for block in gaussian), np.zeros(count))
    told = 0.0
    for rows in _chunks(count):
        densities = sum((b.log_density(rows) for b in gaussian), np.zeros((len(own[rows]), count)))
        np.fill_diagonal(densities[:, rows], own[rows])  # where expanded squares round the most
        told += _told(densities, own[rows], probabilities[rows], probabilities)
    return told / count


def _told(
    densities: np.ndarray, own: np.ndarray, own_probabilities: np.ndarray, all_: np.ndarray
) -> float:
    """Log density under the own posterior minus the aggregate, summed over codes."""
    most = densities.max(axis=1, keepdims=True)
    sums = np.exp(densities - most) @ all_  # codes, combinations
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(sums) + most - (own[:, None] + np.log(own_probabilities))
    # The sum contains the own posterior, so rounding must not make it smaller than that.
    gain = math.log(len(all_)) - np.maximum(np.where(np.isfinite(found), found, 0.0), 0.0)
    return float((own_probabilities * gain).sum())


def _chunks(count: int) -> Iterator[slice]:
    """Slices of the rows of a `(count, count)` table, of at most about `CHUNK` entries each."""
    rows = max(1, CHUNK // count)
    return (slice(start, start + rows) for start in range(0, count, rows))
