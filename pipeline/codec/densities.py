"""Samples and densities of a model's posteriors, which are TFP distributions."""

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
"""Distance between the seeds of two blocks of one code, so that their noise differs."""


def sample_blocks(distributions: Mapping[str, Any], seed: Any) -> Columns:
    """Draws one sample of every distribution, each with its own random numbers."""
    return {
        name: block.sample(
            seed=stateless_seed(seed + ops.array([index * BLOCK_STRIDE, 0], "int32"))
        )
        for index, (name, block) in enumerate(distributions.items())
    }


def density_columns(distributions: Mapping[str, Any], seed: Any) -> Columns:
    """The parameters of the posteriors as columns for `read_posteriors`.

    Args:
        distributions: TFP distributions by block. Diagonal Gaussians and one-hot categorical
            distributions give columns; every other kind, such as a point, is skipped.
        seed: Seed of the samples of the Gaussians.

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
    """Whether the entries are independent and normal, in either of TFP's spellings."""
    if isinstance(distribution, tfd.Independent):
        return isinstance(distribution.distribution, tfd.Normal)
    return isinstance(distribution, tfd.MultivariateNormalDiag)


def read_posteriors(columns: Mapping[str, np.ndarray]) -> dict[str, Posteriors]:
    """The posteriors of the blocks in the columns of `density_columns`.

    Skips Gaussians that collapsed to a point, with a scale of 0, and blocks that are not finite.
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
