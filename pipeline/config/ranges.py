"""Types and bounds of the numbers in a configuration.

Numbers are strict: neither `true` nor "3" is one, and 3.0 is no integer.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MOST_EPOCHS = MOST_STEPS = 1_000_000
"""Upper bounds of training; a larger number is a slip of the keyboard."""
LARGEST_BATCH = 65_536
WIDEST = 1024
"""Largest number of channels of a first convolution; later ones have several times as many."""
MOST_EXAMPLES = 10_000_000
"""Largest number of examples of a class, a cell or a fold that a setting may ask for."""
SEEDS = 2**32
"""Number of seeds; NumPy and Keras take no larger ones."""

Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=SEEDS)]
Number = Annotated[float, Field(strict=True)]
Probability = Annotated[float, Field(strict=True, ge=0, le=1)]
Quota = Annotated[int, Field(strict=True, ge=0, le=MOST_EXAMPLES)]
