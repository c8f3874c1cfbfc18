"""Numbers of examples by class, in a byte or two each: a large job has millions of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, overload

import numpy as np
from pydantic import GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema, core_schema

_MOST = (1 << 63) - 1
_SPARSE = 4
"""Only the classes that occur are held if they are less than one in so many."""


class ClassCounts(Sequence[int]):
    """A number for each class, by code: reads and compares as a list, and is one in JSON.

    Args:
        counts: The numbers, `(num_classes,)`, integers of at least 0.

    Example:
        >>> ClassCounts([3, 0, 1]) == [3, 0, 1]
        True
    """

    __slots__ = ("_codes", "_counts", "_size")

    def __init__(self, counts: Sequence[int] | np.ndarray):
        dense = small(np.asarray(counts))
        codes = np.flatnonzero(dense)
        self._size, self._codes, self._counts = len(dense), None, dense
        if _SPARSE * len(codes) < len(dense):
            self._codes, self._counts = small(codes), dense[codes]

    @classmethod
    def of(cls, codes: np.ndarray, counts: np.ndarray, num_classes: int) -> ClassCounts:
        """Returns the counts of some classes, and 0 for the others.

        Args:
            codes: Codes of different classes.
            counts: Their numbers, above 0.
            num_classes: Number of all classes.
        """
        if _SPARSE * len(codes) >= num_classes:
            dense = np.zeros(num_classes, counts.dtype)
            dense[codes] = counts
            return cls(dense)
        made = cls.__new__(cls)
        made._size, made._codes, made._counts = num_classes, small(codes), small(counts)
        return made

    def occurring(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the codes of the classes whose number is above 0, in order, and the numbers."""
        if self._codes is not None:
            return self._codes, self._counts
        codes = np.flatnonzero(self._counts)
        return small(codes), self._counts[codes]

    def tolist(self) -> list[int]:
        """Returns the numbers as a list."""
        return self._dense().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Returns the numbers, `(num_classes,)`, int64 unless another type is asked for."""
        return self._dense().astype(np.int64 if dtype is None else dtype)

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice) or self._codes is None:
            return self._dense()[index].tolist()
        code = range(self._size)[index]
        place = int(np.searchsorted(self._codes, code))
        found = place < len(self._codes) and self._codes[place] == code
        return int(self._counts[place]) if found else 0

    def __iter__(self):
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return self.tolist() == list(other)

    def __repr__(self) -> str:
        return repr(self.tolist())

    def _dense(self) -> np.ndarray:
        if self._codes is None:
            return self._counts
        dense = np.zeros(self._size, self._counts.dtype)
        dense[self._codes] = self._counts
        return dense


def _schema(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_wrap_validator_function(
        lambda value, check: value if isinstance(value, ClassCounts) else ClassCounts(check(value)),
        core_schema.list_schema(core_schema.int_schema(ge=0, le=_MOST)),
        serialization=core_schema.plain_serializer_function_ser_schema(list),
    )


CountsByClass = Annotated[Sequence[int], GetPydanticSchema(_schema)]
"""Field of a model for a number of at least 0 for each class; held as `ClassCounts`."""


def add_up(counts: Iterable[Sequence[int]], num_classes: int) -> np.ndarray:
    """Returns the sum of counts by class, int64 of shape `(num_classes,)`."""
    total = np.zeros(num_classes, np.int64)
    for each in counts:
        total += np.asarray(each)
    return total


def small(numbers: np.ndarray) -> np.ndarray:
    """Returns whole numbers in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
