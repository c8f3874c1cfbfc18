"""Whether what is read from codes carries over to other examples than those of training."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def linear_residuals(
    train_codes: np.ndarray, train_values: np.ndarray, codes: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """What a linear map, fitted to training codes alone, misses of a measured value.

    Ridge regression of weight 1 on standardised codes: with thousands of examples least squares,
    except along axes of the code that nothing uses.

    Args:
        train_codes: `(n, dim)`.
        train_values: `(n,)`, in any unit.
        codes: `(m, dim)`.
        values: `(m,)`, in the same unit.

    Returns:
        `(m,)` float64, the value that was read less the real one, in that unit.
    """
    reader = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(train_codes, train_values)
    return np.asarray(reader.predict(codes) - values, np.float64)


def ratio(value: float | None, reference: float | None) -> float | None:
    """How many times the reference a figure is.

    Args:
        value: The figure, at least 0, or None if it was not measured.
        reference: The same of what it is compared with.

    Returns:
        1 for two equal figures, even where both are 0; None where one was not measured or only the
        reference is 0.
    """
    if value is None or reference is None:
        return None
    if value == reference:
        return 1.0
    return value / reference if reference else None
