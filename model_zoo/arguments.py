"""Types and ranges of the arguments of models, and their check."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

LARGEST_DIM = 4096
"""Largest number of dimensions of a block or a dense layer, or of values of a categorical block."""
WIDEST = 1024
"""Largest number of channels of a first convolution; later ones have several times as many."""
LARGEST_NUMBER = 1e6
"""Largest absolute value of any other real number, such as the weight of a term of a loss."""
LARGEST_RATE = 1.0
"""Largest learning rate; those in use are below 0.01."""
LARGEST_RATIO = 1000.0
"""Largest ratio of two rates or of two numbers of examples."""
LARGEST_TEMPERATURE = 100.0
"""Largest temperature of a relaxed categorical code."""
SEEDS = 2**32
"""Number of seeds; NumPy and Keras take no larger ones."""

Flag = Annotated[bool, Field(strict=True)]
Integer = Annotated[int, Field(strict=True, le=1_000_000_000)]
Number = Annotated[float, Field(strict=True, ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Dim = Annotated[int, Field(strict=True, ge=1, le=LARGEST_DIM)]
Width = Annotated[int, Field(strict=True, ge=1, le=WIDEST)]
Pixels = Annotated[int, Field(strict=True, ge=1, le=1024)]
Count = Annotated[int, Field(strict=True, ge=1, le=1000)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=SEEDS)]
Weight = Annotated[float, Field(strict=True, ge=0, le=LARGEST_NUMBER)]
Positive = Annotated[float, Field(strict=True, gt=0, le=LARGEST_NUMBER)]
Probability = Annotated[float, Field(strict=True, ge=0, le=1)]
Share = Annotated[float, Field(strict=True, ge=0, lt=1)]
Rate = Annotated[float, Field(strict=True, gt=0, le=LARGEST_RATE)]
Ratio = Annotated[float, Field(strict=True, ge=0, le=LARGEST_RATIO)]
Temperature = Annotated[float, Field(strict=True, gt=0, le=LARGEST_TEMPERATURE)]

_FIXES = {
    **dict.fromkeys(("greater_than", "greater_than_equal"), "Raise"),
    **dict.fromkeys(("less_than", "less_than_equal"), "Lower"),
}
"""Remedy for a type of error of pydantic."""


def check_types(settings: Any) -> None:
    """Checks the fields of a dataclass against their annotations.

    Numbers are finite. `True` is no number, and 3.0 is no integer.

    Args:
        settings: The dataclass; its annotations may hold ranges, such as `Dim`.

    Raises:
        ValueError: A field has the wrong type or is out of range.
    """
    for name, adapter in _adapters(type(settings)).items():
        value = getattr(settings, name)
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            problems = error.errors()
            rules = dict.fromkeys(map(_rule, problems))
            fixes = {_FIXES.get(problem["type"], "Correct") for problem in problems}
            fix = fixes.pop() if len(fixes) == 1 else "Correct"
            raise ValueError(
                f"`{name}` is wrong. Expected: {' or '.join(rules)}. Received: {name}={value!r}. "
                f"{fix} `model.args.{name}`."
            ) from None


@functools.cache
def _adapters(owner: type) -> dict[str, TypeAdapter]:
    hints, config = get_type_hints(owner, include_extras=True), ConfigDict(allow_inf_nan=False)
    return {field.name: TypeAdapter(hints[field.name], config=config) for field in fields(owner)}


def _rule(problem: Any) -> str:
    """Returns what pydantic expected, in the middle of a sentence."""
    text = problem["msg"].removeprefix("Input should be ")
    return text[:1].lower() + text[1:]
