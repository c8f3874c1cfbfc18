"""The names by which data sets call their splits."""

from __future__ import annotations

_NAMES = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "val", "valid", "dev", "eval"),
    "test": ("test", "testing", "tst"),
}
_SPLITS = {name: split for split, names in _NAMES.items() for name in names}


def split_named(text: str) -> str | None:
    """Returns `train`, `validation` or `test` for a word that means it, in any case, else None."""
    return _SPLITS.get(text.strip().lower())
