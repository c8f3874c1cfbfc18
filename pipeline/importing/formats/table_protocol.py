"""The protocol of a table on disk, and what its formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

Rows = Iterator[dict[str, list[Any]]]


class Table(Protocol):
    """A table on disk, read column by column in bounded memory.

    Args:
        path: Its file.
        columns: Names of the columns; a field of a nested one is `image.bytes`.
        class_names: Names behind the numbers of a column, if the file has them.
        texts: Names of the columns that may hold texts.
        num_parts: Number of parts that are read one by one.
    """

    path: Path
    columns: list[str]
    class_names: dict[str, list[str]]

    @property
    def texts(self) -> list[str]: ...
    @property
    def num_parts(self) -> int: ...

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields batches of the rows of a part: a list of values for each column."""
        ...


def damaged(path: Path, problem: object) -> str:
    """Returns the message that a table cannot be read."""
    return (
        f"The table '{path}' cannot be read. Expected: an intact CSV file in UTF-8, with names in "
        f"its first line, or a Parquet file. Received: {' '.join(str(problem).split())}. Write it "
        "again."
    )


def check_distinct(path: Path, columns: Sequence[str]) -> None:
    """Rejects two columns of one name, and a table without any.

    Raises:
        ValueError: If there are.
    """
    if not columns:
        raise ValueError(damaged(path, "no names of columns"))
    if repeated := [name for name, count in Counter(columns).items() if count > 1]:
        raise ValueError(
            f"'{path}' has two columns of one name. Expected: distinct names. Received: "
            f"{repeated}. Rename one."
        )
