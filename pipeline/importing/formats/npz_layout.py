"""Which array of an archive is what: images, labels and factors, together or by split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.arrays import ArraySource
from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.importing.split_names import NONE, SplitRule, separate

OBSERVED = ("images", "observations")
_MEANINGS = {
    "images": ("images", "image", "imgs", "data", "x"),
    "observations": ("observations",),
    "label": ("label", "labels", "y"),
}
_FIELDS = {name: field for field, names in _MEANINGS.items() for name in names}

Layout = dict[str, dict[str, str]]
"""By split, the name of the array behind each field; the split "" if `split` has it."""


def layout_of(file: str, names: Iterable[str], rule: SplitRule) -> Layout:
    """Finds arrays of splits, such as `train_images` (MedMNIST) or `x_train` (Keras).

    Args:
        file: Path of the archive, for the error.
        names: Names of the arrays.
        rule: Tells splits by their names.

    Returns:
        The fields of each part, by its name in the archive, such as `val`; of the part "" if the
        arrays are not those of splits. One part at least has a name that tells its split.

    Raises:
        ValueError: If there are observations both by split and together.
    """
    names, parts = list(names), {}
    together = _together(names)
    for name in names:
        for part, field in _parts_of_name(name, rule):
            parts.setdefault(part, {})[field] = name
    parts = {part: fields for part, fields in parts.items() if set(OBSERVED) & set(fields)}
    if not any(map(rule.tell, parts)):
        return {"": together}
    if found := set(OBSERVED) & set(together):
        beside = next(name for fields in parts.values() for name in fields.values())
        raise ValueError(
            f"'{file}' has observations by split and others beside them. Expected: arrays by "
            f"split, or one array for all. Received: '{beside}' and '{together[found.pop()]}'. "
            "Leave one of both out."
        )
    return parts


def _together(names: Sequence[str]) -> dict[str, str]:
    """Returns the array of each field where arrays are not by split; case does not matter."""
    known = {name.lower(): name for name in names}
    meant = {field: known.get(field) for field in (*OBSERVED, "label", "split")}
    renamed = {n: field for field, n in meant.items() if n is not None and field not in names}
    return {renamed.get(name, name): name for name in names}


def _parts_of_name(name: str, rule: SplitRule) -> list[tuple[str, str]]:
    """Returns part and field of an array: those that tell a split, else those with a known field.

    Without a word for a split, `holdout_images` is of a part if its field is a known one.
    """
    name = separate(name)
    cut = (name.partition("_")[::2], name.rpartition("_")[::-2])
    found = [(part, _FIELDS.get(rest.lower(), rest)) for part, rest in cut if part and rest]
    told = [(part, field) for part, field in found if rule.tell(part)]
    return told[:1] or [(part, field) for part, field in found if field in _MEANINGS][:1]


def split_parts(
    file: str, layout: Layout, headers: Mapping[str, ArrayHeader], rule: SplitRule
) -> tuple[Layout, list[Ignored]]:
    """Returns the fields of each split, those that all of them have, and what is left out.

    Args:
        file: Path of the archive, for the error.
        layout: As from `layout_of`.
        headers: The headers of the arrays.
        rule: Tells splits by their names.

    Raises:
        ValueError: If the name of a part tells no split, or two parts are one split.
    """
    if "" in layout:
        return layout, []
    rule.check_patterns(list(layout), file)
    told = rule.assign(list(layout), file)
    splits: Layout = {}
    for part, split in told.items():
        if split in splits and split != NONE:
            raise ValueError(
                f"'{file}' has two parts for the split '{split}'. Expected: one. Received: "
                f"{sorted(p for p in told if told[p] == split)}. Pass --split {part}={NONE} to "
                "leave one out, or join them."
            )
        splits[split] = layout[part]
    left_out = [
        Ignored(f"--split leaves out '{part}'", _size(headers, layout[part]), part)
        for part in told
        if told[part] == NONE
    ]
    splits.pop(NONE, None)
    if not splits:
        raise ValueError(
            f"Nothing is left of '{file}'. Expected: a part for a split. Received: --split with "
            f"{NONE} for {sorted(told)}. Keep one."
        )
    _check_labelled(file, splits, told)
    shared = set.intersection(*map(set, splits.values())) - {"split"}
    kept = {
        split: {f: fields[f] for f in fields if f in shared} for split, fields in splits.items()
    }
    return kept, left_out


def _check_labelled(file: str, splits: Layout, told: Mapping[str, str]) -> None:
    """Rejects a split without labels beside others with them."""
    bare = [split for split, fields in splits.items() if "label" not in fields]
    if bare and len(bare) < len(splits):
        part = next(part for part, split in told.items() if split == bare[0])
        raise ValueError(
            f"The split '{bare[0]}' of '{file}' has no labels. Expected: labels in every split. "
            f"Received: {sorted(splits[bare[0]].values())}. Add them, or leave the split out with "
            f"--split {part}={NONE}."
        )


def _size(headers: Mapping[str, ArrayHeader], fields: Mapping[str, str]) -> int:
    return headers[next(fields[field] for field in OBSERVED if field in fields)].shape[0]


def field_of(label: str | None, layout: Layout) -> str:
    """Returns the field of the classes: `label`, or what `--label` names if there is none."""
    fields = next(iter(layout.values()), {})
    return "label" if label is None or "label" in fields else label


def class_numbers(file: str, name: str, values: np.ndarray) -> np.ndarray:
    """Returns labels of shape `(n,)`, from such labels, a column of them, or one-hot rows.

    Args:
        file: Path of the archive, for the error.
        name: Name of the array, for the error.
        values: Labels of shape `(n,)`, `(n, 1)` or, one-hot, `(n, classes)`.

    Raises:
        ValueError: If a row has not exactly one 1 among zeros.
    """
    if values.ndim == 1:
        return values
    if values.shape[1] == 1:
        return values[:, 0]
    plain = values.dtype.kind in "biuf" and np.isin(values, (0, 1)).all(axis=1)
    fits = plain & (np.sum(values == 1, axis=1) == 1)
    if not np.all(fits):
        row = int(np.argmin(fits)) if np.ndim(fits) else 0
        raise ValueError(
            f"The labels of '{file}' are not one-hot. Expected: one 1 in each row, else 0; or one "
            f"class for each image. Received: `{name}` has the shape {values.shape}, and row {row} "
            f"is {values[row].tolist()[:20]}. Save one column as `{name}`, and others as factors "
            "of shape (n,)."
        )
    return values.argmax(axis=1)


def is_label(header: ArrayHeader, size: int) -> bool:
    """Returns whether an array has the shape of labels, one-hot or not."""
    return header.ndim in (1, 2) and header.shape[0] == size and header.num_bytes > 0


@dataclass(frozen=True)
class SplitArrays:
    """Arrays of several splits, each in a source of its own.

    Args:
        parts: By split, a source that has this split alone; all have the same factors.
    """

    parts: Mapping[str, ArraySource]

    @property
    def _first(self) -> ArraySource:
        return next(iter(self.parts.values()))

    @property
    def name(self) -> str:
        """The name of the archive."""
        return self._first.name

    @property
    def description(self) -> str:
        """What the arrays are."""
        return self._first.description

    @property
    def observation(self) -> str:
        """The kind of observation."""
        return self._first.observation

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Event shape of the observations."""
        return self._first.observation_shape

    @property
    def factors(self) -> dict[str, list[str]]:
        """Value names of each factor."""
        return self._first.factors

    @property
    def label_field(self) -> str:
        """Name of the label in the archive."""
        return self._first.label_field

    @property
    def ignored(self) -> list[Ignored]:
        """What an import leaves out."""
        return self._first.ignored

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        return {split: part.splits[split] for split, part in self.parts.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; an id is the position within the split."""
        return self.parts[split].batches(split)
