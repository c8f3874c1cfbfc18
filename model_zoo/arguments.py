"""Types and ranges of the arguments of models, and their check."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

LARGEST_DIM = 4096
"""Largest number of dimensions of a block, or of values of a categorical one."""

Flag = Annotated[bool, Field(strict=True)]
Integer = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Dim = Annotated[int, Field(strict=True, ge=1, le=LARGEST_DIM)]
Width = Annotated[int, Field(strict=True, ge=1, le=1024)]
LayerSize = Annotated[int, Field(strict=True, ge=1, le=16384)]
Pixels = Annotated[int, Field(strict=True, ge=1, le=1024)]
Count = Annotated[int, Field(strict=True, le=1000)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
Weight = Annotated[float, Field(strict=True, ge=0)]


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
            rules = dict.fromkeys(_rule(problem) for problem in error.errors())
            raise ValueError(
                f"`{name}` is wrong. Expected: {' or '.join(rules)}. Received: {name}={value!r}. "
                f"Correct `model.args.{name}`."
            ) from None


@functools.cache
def _adapters(owner: type) -> dict[str, TypeAdapter]:
    hints, config = get_type_hints(owner, include_extras=True), ConfigDict(allow_inf_nan=False)
    return {field.name: TypeAdapter(hints[field.name], config=config) for field in fields(owner)}


def _rule(problem: Any) -> str:
    """Returns what pydantic expected, in the middle of a sentence."""
    text = problem["msg"].removeprefix("Input should be ")
    return text[:1].lower() + text[1:]
