"""`priors.npz` of a bundle: the prior of every block, as `latentloom.augment.BlockPrior` has it.

Of every block `weights` `(classes or 1, components)`, `loc` and `scale` `(classes or 1, components,
dim)`; of some `axes` `(dim, dim)`, along which they vary, `directions` `(axes, dim)` of a
traversal, and `values` `(components,)` of the block's factor that components stand for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from latentloom.model_zoo.archives import read_arrays, read_headers
from latentloom.model_zoo.arguments import LARGEST_DIM
from latentloom.model_zoo.bundle_files import FIX, PRIORS
from latentloom.model_zoo.networks.sizes import MOST_WEIGHTS
from latentloom.model_zoo.untrusted_files import told_of_file


def read_priors(folder: Path, description: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Reads the arrays of the priors of a bundle, `{"<block>/<array>": array}`.

    Args:
        folder: The bundle.
        description: Its description, which says how large the arrays may be.

    Raises:
        ValueError: The file is damaged, or an array does not fit the blocks and the classes.
    """
    path = Path(folder) / PRIORS
    blocks, num_classes = description["latent_spec"], len(description["factors"]["label"])
    with told_of_file(
        path, "mixtures `(classes or 1, components, dim)` and axes of the blocks", FIX
    ):
        for name, header in read_headers(path, path).items():
            block, _, array = name.rpartition("/")
            fits = _fits_prior(array, header.shape, blocks[block]["dim"], num_classes)
            if not fits or math.prod(header.shape) > MOST_WEIGHTS or header.dtype.kind != "f":
                raise ValueError(f"{name} has the shape {header.shape} and type {header.dtype}")
    return read_arrays(path, path)


def _fits_prior(array: str, shape: tuple[int, ...], dim: int, num_classes: int) -> bool:
    """Whether an array of the prior of a block of `dim` numbers has a fit shape."""
    if array == "values":
        return len(shape) == 1 and shape[0] <= LARGEST_DIM
    if array in ("axes", "directions"):
        rows, *last = shape
        return last == [dim] and (rows == dim if array == "axes" else rows <= dim)
    classes, components, *last = shape
    tail = [] if array == "weights" else [dim]
    return classes in (1, num_classes) and components <= LARGEST_DIM and last == tail
