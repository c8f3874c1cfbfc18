"""The blocks of a bundle's code with their priors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from latentloom.augment import BlockPrior, LatentSpec


def spec_of(
    blocks: Mapping[str, Mapping[str, Any]], arrays: Mapping[str, np.ndarray]
) -> LatentSpec:
    """Joins the blocks of a bundle's code with their priors.

    Args:
        blocks: `latent_spec` of the model.
        arrays: Arrays of the priors, `{"<block>/<array>": array}`.
    """
    priors = {name: BlockPrior.from_arrays(arrays, name) for name in blocks}
    return LatentSpec.from_dict(blocks, priors)
