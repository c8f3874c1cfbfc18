"""Types and bounds of the numbers in a configuration.

Those that models share are in `model_zoo.arguments`. Numbers are strict: neither `true` nor "3" is
one, and 3.0 is no integer.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from latentloom.model_zoo.arguments import (
    SEEDS,
    WIDEST,
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
    "as_switch",
]

MOST_EPOCHS = MOST_STEPS = 1_000_000
"""Upper bounds of training; a larger number is a slip of the keyboard."""
LARGEST_BATCH = 65_536
MOST_EXAMPLES = 10_000_000
"""Largest number of examples of a class, a cell or a fold that a setting may ask for."""

MOST_MINUTES = 100_000
"""Longest time of a training, over two months."""

_SWITCHES = {"yes": True, "on": True, "no": False, "off": False}


def as_switch(value: Any) -> Any:
    """Returns `True` or `False` for the words yes, on, no and off, which YAML files keep as texts.

    Returns other values unchanged.
    """
    return _SWITCHES.get(value.lower(), value) if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(as_switch), Field(strict=True)]
Minutes = Annotated[float, Field(strict=True, gt=0, le=MOST_MINUTES)]
Text = Annotated[str, Field(strict=True)]
Count = Annotated[int, Field(strict=True)]
Quota = Annotated[int, Field(strict=True, ge=0, le=MOST_EXAMPLES)]
