"""Levels of 0 to 255 from the numbers of stored images, whatever their depth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.importing.changes import CUT, WHITENED

OWN_RANGE = "file"
"""The range of each file's own values."""
FEW_NUMBERS = 31
"""Images whose values all lie in 1 to this are no pictures, but masks or counts."""
NOT_FINITE = "the image has NaN or infinity"
_WHITE = 255

Range = tuple[float, float] | str
"""The values that become 0 and 255, or `OWN_RANGE`."""


@dataclass(frozen=True)
class Levels:
    """Spreads values over 0 to 255, linearly; values beyond the range are cut to its ends.

    Args:
        low: The value that becomes 0; None for the smallest of each image.
        high: The value that becomes 255; None for the largest of each image.
        asked: Whether the user asked for the range, rather than the values themselves.
    """

    low: float | None
    high: float | None
    asked: bool = True

    @classmethod
    def of(cls, asked: Range | None) -> Levels | None:
        """Returns the levels for the option `--range`.

        Raises:
            ValueError: If the range is not two finite numbers, the smaller one first.
        """
        if asked is None:
            return None
        if isinstance(asked, str) or len(asked) != 2:
            if asked == OWN_RANGE:
                return cls(None, None)
        elif all(map(math.isfinite, asked)) and asked[0] < asked[1]:
            return cls(float(asked[0]), float(asked[1]))
        raise ValueError(
            "The range of values is unknown. Expected: two numbers, the smaller one first, or "
            f"`{OWN_RANGE}`. Received: range={asked}. Pass --range 0,65535, or --range "
            f"{OWN_RANGE} for the smallest and the largest value of each file."
        )

    @property
    def is_own(self) -> bool:
        """Whether each image has its own range."""
        return self.low is None or self.high is None

    @classmethod
    def over(cls, images: Iterable[np.ndarray]) -> Levels:
        """Returns the levels for the smallest and the largest finite value of all images."""
        ends = [(math.inf, -math.inf)]
        for batch in images:
            finite = batch[np.isfinite(batch)].astype(np.float64)
            ends.append((finite.min(initial=math.inf), finite.max(initial=-math.inf)))
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        return cls(float(low), float(high))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Returns the levels of one image or of several, uint8 of the same shape.

        Args:
            values: Finite numbers, at least one.
        """
        low, high = self._ends(values)
        scale = _WHITE / (high - low) if high > low else 0.0
        spread = (np.clip(values.astype(np.float64), low, high) - low) * scale
        return np.rint(spread).astype(np.uint8)

    def amounts(self, values: np.ndarray) -> dict[str, float]:
        """Returns what becomes of an image: the share of its values beyond the range."""
        if not self.asked:
            return {WHITENED: 1.0}
        low, high = self._ends(values)
        return {CUT: float(np.mean((values < low) | (values > high)))}

    def _ends(self, values: np.ndarray) -> tuple[float, float]:
        low = float(values.min()) if self.low is None else self.low
        return low, float(values.max()) if self.high is None else self.high


BLACK_AND_WHITE = Levels(0.0, 1.0, asked=False)
"""What images of 0 and 1 alone become."""


def peak_of(largest: int, *, is_constant: bool) -> int:
    """Returns the largest value of an image; 0 for a dark one of one colour: it tells nothing."""
    return 0 if is_constant and largest <= FEW_NUMBERS else largest


def peaks_of(images: np.ndarray) -> np.ndarray:
    """Returns `peak_of` for each of the images `(n, height, width, channels)`."""
    highs, lows = images.max(axis=(1, 2)), images.min(axis=(1, 2))
    largest = highs.max(axis=1)
    return np.where((highs == lows).all(axis=1) & (largest <= FEW_NUMBERS), 0, largest)


def find_levels(source: str, peaks: Iterable[int]) -> Levels | None:
    """Tells from 8-bit images whether they are pictures: one rule for all sources.

    Args:
        source: The source, for the error.
        peaks: As from `peak_of`; read until one is above `FEW_NUMBERS`.

    Returns:
        Black and white for images of 0 and 1; None for images that stay as they are.

    Raises:
        ValueError: If the images have larger values, but none above `FEW_NUMBERS`.
    """
    largest = 0
    for peak in peaks:
        largest = max(largest, int(peak))
        if largest > FEW_NUMBERS:
            return None
    if largest > 1:
        raise ValueError(
            f"The images of '{source}' are nearly black, as masks of class numbers are. Expected: "
            f"levels of 0 to {_WHITE}. Received: {largest} as the largest value of all images. "
            f"Pass --range 0,{largest} to spread the values, or --range 0,{_WHITE} to keep them."
        )
    return BLACK_AND_WHITE if largest else None
