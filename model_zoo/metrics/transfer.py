"""Transfer: how well predictions from codes generalise beyond the training examples."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def linear_residuals(
    train_codes: np.ndarray, train_values: np.ndarray, codes: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Residuals of a measured value under a linear map that is fitted to training codes only.

    Ridge regression of weight 1 on standardised codes. With thousands of examples it equals least
    squares, except along unused axes of the code.

    Args:
        train_codes: `(n, dim)`.
        train_values: `(n,)`, in any unit.
        codes: `(m, dim)`.
        values: `(m,)`, in the same unit.

    Returns:
        `(m,)` float64, the predicted minus the real value, in the same unit.
    """
    reader = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(train_codes, train_values)
    return np.asarray(reader.predict(codes) - values, np.float64)


def ratio(value: float | None, reference: float | None) -> float | None:
    """Ratio of a figure to its reference.

    Args:
        value: The figure, at least 0, or None if it was not measured.
        reference: The figure to compare with, at least 0, or None if it was not measured.

    Returns:
        1 for two equal figures, even if both are 0; None if one is None or only the reference is 0.
    """
    if value is None or reference is None:
        return None
    if value == reference:
        return 1.0
    return value / reference if reference else None
