"""`realism.npz` of a bundle: what the gate for realism compares candidates with.

Of every statistic `centres` `(classes,)`, its usual value in each class, and `held_out`, the
differences to it of held-out real examples, row by row of the same examples for all statistics.
Beside these `distance` has `references` `(m, features)`, real examples in the judge's last hidden
layer, with `labels`; `density` has `means` `(classes, dim)` and `whitening` `(dim, dim)` of the
Gaussians of the code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader, read_arrays, read_headers
from latentloom.model_zoo.bundle_files import FIX, REALISM
from latentloom.model_zoo.networks.classifier import NUM_FEATURES
from latentloom.model_zoo.networks.sizes import MOST_WEIGHTS
from latentloom.model_zoo.scaling import PIXELS
from latentloom.model_zoo.untrusted_files import told_of_file

MOST_DIM = 2048
"""Largest code whose density is estimated: the covariance has the square of it."""

_EXPECTED = "statistics of real examples that `latentloom train` measured"
_OF_ALL = {"centres": ("classes",), "held_out": ("examples",)}
_OF_SOME = {
    "distance": {"references": ("references", "features"), "labels": ("references",)},
    "density": {"means": ("classes", "dim"), "whitening": ("dim", "dim")},
}


def realism_statistics(kind: str, dim: int) -> tuple[str, ...]:
    """Returns the statistics for a kind of observation and a code of `dim` numbers."""
    detail = ("gradient", "fineness") if kind == PIXELS.kind else ()
    return ("distance", *detail, *(("density",) if dim <= MOST_DIM else ()))


def read_realism(folder: Path, description: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Reads the arrays for the gate for realism, `{"<statistic>/<array>": array}`.

    Args:
        folder: The bundle.
        description: Its description, which says how large the arrays may be.

    Returns:
        The arrays; none if the bundle, of an older version, has no such file.

    Raises:
        ValueError: The file is damaged, or an array does not fit the blocks and the classes.
    """
    if REALISM not in description["files"]:
        return {}
    path = Path(folder) / REALISM
    with told_of_file(path, _EXPECTED, FIX):
        _check_headers(read_headers(path, path), description)
    arrays = read_arrays(path, path)
    with told_of_file(path, _EXPECTED, FIX):
        _check_values(arrays, len(description["factors"]["label"]))
    return arrays


def _check_headers(headers: Mapping[str, ArrayHeader], description: Mapping[str, Any]) -> None:
    dim = sum(block["dim"] for block in description["latent_spec"].values())
    kind = description.get("scaling", {}).get("kind", PIXELS.kind)
    shapes = {
        f"{statistic}/{name}": axes
        for statistic in realism_statistics(kind, dim)
        for name, axes in (_OF_ALL | _OF_SOME.get(statistic, {})).items()
    }
    if set(headers) != set(shapes):
        raise ValueError(f"it has the arrays {sorted(headers)} in place of {sorted(shapes)}")
    num_classes = len(description["factors"]["label"])
    sizes = {"classes": num_classes, "dim": dim, "features": NUM_FEATURES}
    for name, header in headers.items():
        wanted = tuple(
            sizes.setdefault(axis, size)
            for axis, size in zip(shapes[name], header.shape, strict=True)
        )
        type_of = "i" if name == "distance/labels" else "f"
        fits = header.shape == wanted and header.dtype.kind == type_of and 0 not in wanted
        if not fits or math.prod(wanted) > MOST_WEIGHTS:
            raise ValueError(f"{name} has the shape {header.shape} and type {header.dtype}")


def _check_values(arrays: Mapping[str, np.ndarray], num_classes: int) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    labels = arrays["distance/labels"]
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(f"distance/labels has classes from {labels.min()} to {labels.max()}")
    if "density/whitening" in arrays and (np.diag(arrays["density/whitening"]) <= 0).any():
        raise ValueError("density/whitening has no positive diagonal")
