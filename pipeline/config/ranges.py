"""Types and bounds of the numbers in a configuration.

Those that models share are in `model_zoo.arguments`. Numbers are strict: neither `true` nor "3" is
one, and 3.0 is no integer.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from latentloom.model_zoo.arguments import (
    SEEDS,
    WIDEST,
    Flag,
    Number,
    Probability,
    Rate,
    Ratio,
    Seed,
    Share,
)

__all__ = [
    "LARGEST_BATCH",
    "MOST_EPOCHS",
    "MOST_EXAMPLES",
    "MOST_STEPS",
    "SEEDS",
    "WIDEST",
    "Count",
    "Flag",
    "Minutes",
    "Number",
    "Probability",
    "Quota",
    "Rate",
    "Ratio",
    "Seed",
    "Share",
    "Text",
]

MOST_EPOCHS = MOST_STEPS = 1_000_000
"""Upper bounds of training; a larger number is a slip of the keyboard."""
LARGEST_BATCH = 65_536
MOST_EXAMPLES = 10_000_000
"""Largest number of examples of a class, a cell or a fold that a setting may ask for."""

MOST_MINUTES = 100_000
"""Longest time of a training, over two months."""

Minutes = Annotated[float, Field(strict=True, gt=0, le=MOST_MINUTES)]
Text = Annotated[str, Field(strict=True)]
Count = Annotated[int, Field(strict=True)]
Quota = Annotated[int, Field(strict=True, ge=0, le=MOST_EXAMPLES)]
