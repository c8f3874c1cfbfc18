"""Measures how realistic observations are: against real ones of their class, from a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment import Latents, RealismGate
from latentloom.model_zoo.metrics.class_gaussians import ClassGaussians
from latentloom.model_zoo.metrics.class_neighbours import log_distances
from latentloom.pipeline.observations import Kind

DECIMALS = 6
"""Decimals of a statistic: less is rounding, which must not decide where examples are all alike."""


class Realism:
    """Statistics of observations, and the gate for realism that compares them.

    Args:
        arrays: The arrays of a bundle, as `model_zoo.realism_file` describes them.
        kind: Kind of the observations.
        blocks: Names of the blocks of the code, in order.

    Raises:
        ValueError: The bundle has none.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], kind: Kind, blocks: Sequence[str]):
        check_realism(arrays)
        self.arrays, self.kind, self.blocks = arrays, kind, blocks

    def measure(
        self, images: np.ndarray, features: np.ndarray, codes: Latents, labels: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The statistics of observations, float64 of shape `(n,)` each.

        Args:
            images: Observations as stored, `(n, ...)`.
            features: The judge's last hidden layer for them, `(n, features)`.
            codes: Their codes, `(n, dim)` a block.
            labels: Their classes, `(n,)`.

        Returns:
            `distance`: logarithm of the distance to the nearest real example of the class in the
            features; for images `gradient` and `fineness`, as `measure_detail` has them; `density`:
            log density of the code in nats, unless the code is too large for it.
        """
        arrays = self.arrays
        own = arrays["distance/references"], arrays["distance/labels"]
        measured = {"distance": log_distances(features, labels, *own)} | self.kind.detail(images)
        if "density/means" in arrays:
            gaussians = ClassGaussians(arrays["density/means"], arrays["density/whitening"])
            measured["density"] = gaussians.log_density(self.joined(codes), labels)
        return measured

    def statistics(
        self, images: np.ndarray, features: np.ndarray, codes: Latents, labels: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Like `measure`, less the usual value in the class, to `DECIMALS`."""
        measured = self.measure(images, features, codes, labels)
        return {
            name: np.round(values - self.arrays[f"{name}/centres"][labels], DECIMALS)
            for name, values in measured.items()
        }

    def gate(self, false_refusals: float) -> RealismGate:
        """Returns the gate that refuses a share of held-out real examples."""
        held_out = {
            name.removesuffix("/held_out"): column
            for name, column in self.arrays.items()
            if name.endswith("/held_out")
        }
        return RealismGate.calibrated(held_out, false_refusals)

    def joined(self, codes: Latents) -> np.ndarray:
        """All blocks of codes side by side, `(n, dim)`."""
        return np.concatenate([codes[name] for name in self.blocks], axis=1)


def check_realism(arrays: Mapping[str, np.ndarray]) -> None:
    """Checks that a bundle has arrays for the gate for realism.

    Raises:
        ValueError: It has none.
    """
    if not arrays:
        raise ValueError(
            "The bundle has nothing that the gate for realism could compare with. Expected: a "
            "bundle with realism.npz. Received: generate.gate.realism=true, and a bundle of an "
            "older version. Train the bundle again, or set generate.gate.realism to false."
        )
