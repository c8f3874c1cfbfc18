"""Three interleaved half circles in the plane, one per class: toy data of Zheng & Sun (2019).

The paper does not specify its arcs; these are our own.
"""

from __future__ import annotations

import numpy as np

from latentloom.augment.randomness import identity_keys, normals, uniforms
from latentloom.pipeline.importing.arrays import ArraySource

CENTRES = {"left": (-1.3, 0.0), "middle": (0.0, 0.4), "right": (1.3, 0.0)}
"""Centres of the half circles, of radius 1: any two arcs are at least 0.5 apart."""
OPENS_UP = ("middle",)
"""Moons that are the lower half of their circle; the others are the upper half."""
NOISE = 0.15
"""Standard deviation of the noise on both coordinates."""
SIZES = {"train": 6000, "test": 1500}
_SEED = 0


def open_moons() -> ArraySource:
    """Makes the points; the key of a point is its split and its position in the split."""
    ids = [f"{split}/{row}" for split, size in SIZES.items() for row in range(size)]
    labels = np.arange(len(ids)) % len(CENTRES)
    ends = np.cumsum([0, *SIZES.values()])
    return ArraySource(
        name="moons",
        description=f"Points of three interleaved half circles of radius 1 with noise {NOISE}.",
        factors={"label": list(CENTRES)},
        observations=_points(labels, identity_keys(_SEED, "moons", ids)),
        codes={"label": labels},
        rows={
            split: np.arange(start, end)
            for split, start, end in zip(SIZES, ends[:-1], ends[1:], strict=True)
        },
        observation="vector",
    )


def residuals(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the signed distance of points from the circle of their moon, positive outside.

    Args:
        points: `(n, 2)`.
        labels: `(n,)` integers, moons in the order of `CENTRES`.
    """
    centres = np.array(list(CENTRES.values()))
    return np.linalg.norm(points - centres[labels], axis=-1) - 1.0


def _points(labels: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Draws one point per label and key, float32 `(n, 2)`."""
    angle = np.pi * uniforms(keys, 1)[:, 0]
    side = np.where([name in OPENS_UP for name in CENTRES], -1.0, 1.0)[labels]
    arcs = np.stack([np.cos(angle), side * np.sin(angle)], axis=-1)
    points = np.array(list(CENTRES.values()))[labels] + arcs + NOISE * normals(keys, 2)
    return points.astype(np.float32)
