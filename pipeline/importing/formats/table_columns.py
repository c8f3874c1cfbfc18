"""Which column of a table is what, and what its values mean."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from latentloom.augment.spelling import nearest
from latentloom.pipeline.importing.bins import number_text
from latentloom.pipeline.importing.formats.table_files import PARTITION
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.storage.texts import flaw_of, printable

_IMAGE_NAMES = (
    *("image", "img", "image_path", "img_path", "path", "file", "file_path", "filepath"),
    *("file_name", "filename", "image_file", "image_name", "image_id", "images"),
)
_IN_ROW, _IN_FILE = ".bytes", ".path"
SPLIT = "split"
_PARTITION_NUMBERS = {"0": "train", "1": "validation", "2": "test"}
_WHOLE = re.compile(r"[-+]?[0-9]+\.0+")
_SUFFIXES = (".jpg", ".png", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        split: Its split.
        name: Name of its image, for messages; empty for bytes without a path.
        image: The image, or the reason why the row is unusable.
        values: Texts of the label and the factors.
    """

    split: str
    name: str
    image: Path | IO[bytes] | str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """The columns of a table that an import uses.

    Args:
        root: Folder that paths begin at.
        image: Columns of images: bytes, then paths.
        fields: Column behind each factor, `label` first.
        split: Column of splits, or None.
        class_names: Names behind the numbers of a column.
        rule: Tells splits by the values of their column.
        where: The tables, for messages.
    """

    root: Path
    image: tuple[str, ...]
    fields: dict[str, str]
    split: str | None = None
    class_names: Mapping[str, list[str]] = field(default_factory=dict)
    rule: SplitRule = field(default_factory=SplitRule)
    where: str = ""
    told: dict[str, str] = field(default_factory=dict, init=False)

    def check_splits(self) -> None:
        """Checks the values of the column of splits that were read so far.

        Raises:
            ValueError: If two different words name one split, or a pattern of `rule` none.
        """
        if self.split is not None:
            self.rule.check_patterns(list(self.told), self.where)
            self.rule.assign(list(self.told), self.where, files=True)

    @property
    def names(self) -> list[str]:
        """The columns to read."""
        split = [] if self.split is None else [self.split]
        return list(dict.fromkeys([*self.image, *self.fields.values(), *split]))

    def rows(self, batch: Mapping[str, Sequence[Any]], split: str) -> Iterable[Row]:
        """Yields the rows of a batch; `split` is theirs unless a column says so."""
        for cells in zip(*(batch[name] for name in self.names), strict=True):
            yield self._row(dict(zip(self.names, cells, strict=True)), split)

    def _row(self, cells: Mapping[str, Any], split: str) -> Row:
        if self.split is not None:
            split = self._split(cells[self.split])
        values, missing = [], ""
        for column in self.fields.values():
            text = self._text(column, cells[column])
            missing = missing or ("" if text else f"column '{column}' is empty")
            values.append(text)
        name, image = self._image([cells[column] for column in self.image])
        return Row(split, name, missing or image, tuple(values))

    def _split(self, cell: Any) -> str:
        text = cell_text(cell)
        if self.split == PARTITION and not self.rule.chosen_for(text):
            text = _PARTITION_NUMBERS.get(text, text)
        if not text:
            raise ValueError(
                f"Column '{self.split}' of '{self.where}' is empty in a row. Expected: the name of "
                "a split. Received: ''. Write one, or name another column with --split."
            )
        if text not in self.told:
            self.told.update(self.rule.assign([text], self.where, files=True))
        return self.told[text]

    def _text(self, column: str, cell: Any) -> str:
        if isinstance(cell, (list, dict)):
            raise ValueError(
                f"Column '{column}' has several values in a row. Expected: one number, text or "
                f"truth value. Received: {str(cell)[:60]}. Name another column."
            )
        names = self.class_names.get(column)
        if names is None or not isinstance(cell, int):
            return cell_text(cell)
        return names[cell] if 0 <= cell < len(names) else ""

    def _image(self, cells: Sequence[Any]) -> tuple[str, Path | IO[bytes] | str]:
        """Returns the name of an image and its file or its bytes, or the reason for none."""
        found = [cell for cell in cells if cell]
        if not found:
            return "", "it has no image"
        if isinstance(found[0], bytes):
            name = found[1] if len(found) > 1 and isinstance(found[1], str) else ""
            return printable(name), io.BytesIO(found[0])
        if not isinstance(found[0], str):
            return "", f"its image is no path and no bytes, but {type(found[0]).__name__}"
        return printable(found[0]), _file(self.root, found[0])


def _file(root: Path, path: str) -> Path | str:
    """Returns the file of a path in a table, or the reason why it is not read."""
    if flaw := flaw_of(path):
        return f"its path {flaw}"
    if "://" in path:
        return "its image is not on this machine; download it first"
    path = os.path.normpath(path.strip().replace("\\", "/"))
    if os.path.isabs(path):
        path = os.path.relpath(path, os.path.abspath(root))
    parts = path.split("/")
    if parts[0] == "..":
        return f"its path leaves the folder '{printable(str(root))}'; pass --root DIR"
    if any(part.startswith(".") for part in parts):
        return "a name in its path begins with a dot"
    file = root.joinpath(*parts)
    endings = ("", *_SUFFIXES) if not file.suffix else ("",)
    for ending in endings:
        if (known := file.with_name(file.name + ending)).exists():
            return known
    return f"there is no such file below '{printable(str(root))}'; pass --root DIR"


def cell_text(cell: Any) -> str:
    """Returns the value of a cell as a name, that of 1.0 being 1; empty if there is none."""
    if cell is None or cell != cell:  # NaN
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, (float, Decimal)):
        return number_text(float(cell))
    if isinstance(cell, bytes):
        cell = cell.decode(errors="replace")
    text = " ".join(str(cell).split())
    return text.partition(".")[0] if _WHOLE.fullmatch(text) else text


def image_columns(path: Path, columns: Sequence[str], asked: str | None) -> tuple[str, ...]:
    """Returns the columns of the images: bytes and paths of one, or a single column.

    Args:
        path: The table, for the error.
        columns: Its columns.
        asked: The column that `--image` names, or None.

    Raises:
        ValueError: If there is none.
    """
    known = {name.lower(): name for name in reversed(columns)}
    for name in _IMAGE_NAMES if asked is None else (asked.lower(),):
        nested = [known[name + end] for end in (_IN_ROW, _IN_FILE) if name + end in known]
        if nested or name in known:
            return tuple(nested) or (known[name],)
    hint = "" if asked is None else f"{nearest(asked, columns)} "
    raise ValueError(
        f"The table '{path}' has no such column of images. Expected: one of {list(columns)}. "
        f"Received: image={asked}. {hint}Pass --image COLUMN, of paths or of bytes."
    )


def factor_columns(
    path: Path, columns: Sequence[str], label: str | None, factors: Sequence[str] | None
) -> dict[str, str]:
    """Returns the column behind the label and each factor.

    Raises:
        ValueError: If there is no such column, or two would be one factor.
    """
    fields: dict[str, str] = {}
    wanted = {"label": label or "label"}
    others = (name for name in factors or () if name != wanted["label"])
    wanted |= {"original_label" if name == "label" else name: name for name in others}
    for option, name in wanted.items():
        if name not in columns:
            told = f"label={label}" if option == "label" else f"factors='{name}'"
            raise ValueError(
                f"The table '{path}' has no such column. Expected: one of {list(columns)}. "
                f"Received: {told}. {nearest(name, columns)} Pass --label and --factors."
            )
        factor = re.sub(r"\W", "_", option)
        if factor in fields:
            raise ValueError(
                f"Two columns of '{path}' would be the factor '{factor}'. Expected: distinct "
                f"names. Received: '{fields[factor]}' and '{name}'. Drop or rename one."
            )
        fields[factor] = name
    return fields
