"""Checks of the arrays of a block prior."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["check_prior"]


def check_prior(arrays: Mapping[str, np.ndarray]) -> None:
    """Rejects arrays that are no prior.

    Args:
        arrays: The arrays of a `BlockPrior` that are given, by name.

    Raises:
        ValueError: If shapes do not fit together, or a value is out of range.
    """
    _check_shapes(arrays)
    _check_values(arrays)


def _check_shapes(arrays: Mapping[str, np.ndarray]) -> None:
    shapes = {name: values.shape for name, values in arrays.items()}
    shape = shapes["loc"]
    expected = {"weights": shape[:2], "loc": shape, "scale": shape, "axes": 2 * shape[2:]}
    expected["directions"] = (*shapes.get("directions", ())[:1], *shape[2:])
    expected["values"] = shape[1:2]
    if len(shape) != 3 or 0 in shape or shapes.items() - expected.items():
        raise ValueError(
            "The arrays of a block prior do not fit together. Expected: weights `(C, K)`, loc and "
            "scale `(C, K, dim)`; axes, if any, `(dim, dim)`, directions `(a, dim)`, values `(K,)`."
            f" Received: shapes={shapes}. Give each array its class and component axes."
        )


def _check_values(arrays: Mapping[str, np.ndarray]) -> None:
    weights, scale = arrays["weights"], arrays["scale"]
    if not all(np.isfinite(values).all() for name, values in arrays.items() if name != "weights"):
        raise ValueError(
            "A block prior is not finite. Expected: finite loc, scale and axes. Received: NaN or "
            "infinity. Train again with a smaller learning rate."
        )
    if (scale < 0).any():
        raise ValueError(
            "A block prior has a negative scale. Expected: scale >= 0. "
            f"Received: min(scale)={scale.min()}. Pass standard deviations."
        )
    values = arrays.get("values", np.zeros(1))
    if not ((values >= 0) & (values == np.round(values))).all():
        raise ValueError(
            "The values of the components of a block prior are no codes. Expected: whole numbers "
            f"of 0 or more. Received: values={values}. Pass the codes of the factor."
        )
    sums = weights.sum(axis=-1, dtype=np.float64)
    if not ((weights >= 0).all() and np.allclose(sums, 1.0, atol=1e-4)):
        raise ValueError(
            "The weights of a block prior are not probabilities. Expected: weights >= 0 that sum "
            f"to 1 per class. Received: sums={sums}. Normalise each row."
        )
