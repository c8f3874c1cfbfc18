"""What is read of the posteriors of a model, as TFP distributions: a sample, and densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from latentloom.model_zoo.backend.probability import stateless_seed, tfd
from latentloom.model_zoo.metrics.posteriors import (
    CategoricalPosteriors,
    GaussianPosteriors,
    Posteriors,
)
from latentloom.pipeline.codec.compilation import Columns

BLOCK_STRIDE = 2**16
"""Distance between the seeds of the blocks of one code, so that no two have the same noise."""


def sample_blocks(distributions: Mapping[str, Any], seed: Any) -> Columns:
    """One sample of every distribution, each with random numbers of its own."""
    return {
        name: block.sample(
            seed=stateless_seed(seed + ops.array([index * BLOCK_STRIDE, 0], "int32"))
        )
        for index, (name, block) in enumerate(distributions.items())
    }


def density_columns(distributions: Mapping[str, Any], seed: Any) -> Columns:
    """What `read_posteriors` needs of diagonal Gaussians and of categorical distributions.

    Args:
        distributions: TFP distributions by block; those of other kinds, such as points, give none.
        seed: Of the samples of the Gaussians.

    Returns:
        Columns named `<block>/<quantity>`.
    """
    gaussian = {name: b for name, b in distributions.items() if is_diagonal_gaussian(b)}
    codes, columns = sample_blocks(gaussian, seed), {}
    for name, block in distributions.items():
        if name in gaussian:
            columns[f"{name}/loc"], columns[f"{name}/scale"] = block.mean(), block.stddev()
            columns[f"{name}/codes"] = codes[name]
        elif isinstance(block, tfd.OneHotCategorical):
            columns[f"{name}/probabilities"] = block.probs_parameter()
    return columns


def is_diagonal_gaussian(distribution: Any) -> bool:
    """Whether the entries are independent and normal, however TFP spells that."""
    if isinstance(distribution, tfd.Independent):
        return isinstance(distribution.distribution, tfd.Normal)
    return isinstance(distribution, tfd.MultivariateNormalDiag)


def read_posteriors(columns: Mapping[str, np.ndarray]) -> dict[str, Posteriors]:
    """The posteriors of all blocks that `density_columns` gave columns of.

    Left out are Gaussians that became points, with a scale of 0, and what is not finite.
    """
    blocks: dict[str, dict[str, np.ndarray]] = {}
    for name, column in columns.items():
        block, _, quantity = name.rpartition("/")
        blocks.setdefault(block, {})[quantity] = column
    return {
        name: CategoricalPosteriors(**parts)
        if "probabilities" in parts
        else GaussianPosteriors(**parts)
        for name, parts in blocks.items()
        if all(np.isfinite(column).all() for column in parts.values())
        and parts.get("scale", np.ones(1)).min() > 0
    }
