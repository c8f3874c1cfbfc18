"""Codes with the factors of their examples: the input of every disentanglement score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Factors = Mapping[str, np.ndarray] | np.ndarray
"""Integer values of each factor by name, `(n,)` each, or of all of them, `(n, num_factors)`."""


@dataclass(frozen=True)
class LabelledCodes:
    """Checked codes and factors; `LabelledCodes.check` makes them.

    Attributes:
        codes: `(n, dim)` float64, two dimensions or more.
        values: `(n, num_factors)` int64, two factors or more: the values of every factor, numbered
            from 0 in their order.
        names: Names of the factors, or their numbers.
    """

    codes: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def check(cls, codes: np.ndarray, factors: Factors, least: int = 4) -> LabelledCodes:
        """Checks codes and factors and numbers the values of the factors.

        Raises:
            ValueError: There are fewer than `least` examples, two dimensions, two factors or two
                values of a factor; codes are not finite; or codes and factors differ in length.
            TypeError: The values of a factor are not integers.
        """
        codes = _checked_codes(codes, least)
        if isinstance(factors, Mapping):
            columns = {name: np.asarray(column) for name, column in factors.items()}
        else:
            rows = np.atleast_2d(np.transpose(factors))
            columns = {str(number): column for number, column in enumerate(rows)}
        if len(columns) < 2:
            raise ValueError(
                "One factor cannot be entangled with another. Expected: two factors or more. "
                f"Received: factors={list(columns)}. Give another factor."
            )
        values = [_numbered(name, column, len(codes)) for name, column in columns.items()]
        return cls(codes, np.stack(values, axis=1), tuple(columns))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def num_factors(self) -> int:
        """Number of factors."""
        return len(self.names)


def standardised(columns: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Standardises columns by mean and deviation over `rows`; a constant column becomes 0."""
    chosen = columns[rows]
    scale = chosen.std(axis=0)
    varies = (np.ptp(chosen, axis=0) > 0) & (scale > 0)  # `std` of equal numbers may round above 0
    return (columns - chosen.mean(axis=0)) * varies / np.where(varies, scale, 1.0)


def _checked_codes(codes: np.ndarray, least: int) -> np.ndarray:
    codes = np.asarray(codes, np.float64)
    finite = bool(np.isfinite(codes).all())
    if codes.ndim != 2 or codes.shape[1] < 2 or not finite:
        raise ValueError(
            "These codes have no dimensions to compare. Expected: finite, `(n, dim)` with dim "
            f">= 2. Received: shape={codes.shape}, finite={finite}. Give codes of a trained model."
        )
    if len(codes) < least:
        raise ValueError(
            f"There are too few codes for this figure. Expected: {least} examples or more. "
            f"Received: {len(codes)}. Give more examples."
        )
    return codes


def _numbered(name: str, column: np.ndarray, length: int) -> np.ndarray:
    if not (np.issubdtype(column.dtype, np.integer) or column.dtype == bool):
        raise TypeError(
            f"Factor '{name}' has no discrete values. Expected: integers. "
            f"Received: dtype={column.dtype}. Number its values, or the bins of a continuous one."
        )
    if column.shape != (length,):
        raise ValueError(
            f"Factor '{name}' does not belong to these codes. Expected: shape=({length},). "
            f"Received: shape={column.shape}. Align codes and factors."
        )
    present, numbers = np.unique(column, return_inverse=True)
    if len(present) < 2:
        raise ValueError(
            f"Factor '{name}' does not vary. Expected: two values or more. "
            f"Received: {present.tolist()}. Leave the factor out."
        )
    return numbers
