"""The labels and factors of bags of words, one value a document."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from latentloom.pipeline.importing.arrays import encode_values, read_texts
from latentloom.pipeline.importing.formats.document_arrays import (
    GROUPS,
    NO_FACTORS,
    Arrays,
    check_one_of,
)

_LABELS = ("label", "labels")


def read_factors(
    file: str, arrays: Arrays, splits: Mapping[str, str]
) -> tuple[dict[str, list[str]], dict[str, dict[str, np.ndarray]]]:
    """Returns the value names of every factor that all splits have, and its codes by split."""
    columns = {split: _columns(file, arrays, prefix) for split, prefix in splits.items()}
    ends = np.cumsum([len(column["label"]) for column in columns.values()])[:-1]
    shared = set.intersection(*(set(column) for column in columns.values()))
    factors: dict[str, list[str]] = {}
    codes: dict[str, dict[str, np.ndarray]] = {split: {} for split in splits}
    for name in sorted(shared, key=lambda name: (name != "label", name)):
        values = np.concatenate([column[name] for column in columns.values()])
        names = arrays.get(GROUPS) if name == "label" else None
        factors[name], found = _encode(file, name, values, names)
        for split, part in zip(splits, np.split(found, ends), strict=True):
            codes[split][name] = part
    return factors, codes


def _columns(file: str, arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    """Returns the arrays of a split with one value per document; the labels as `label`."""
    check_one_of(file, [f"{prefix}{name}" for name in _LABELS], arrays)
    size, columns = len(arrays[f"{prefix}indptr"]) - 1, {}
    for name, array in arrays.items():
        short = name.removeprefix(prefix)
        if name.startswith(prefix) and array.shape == (size,) and short not in NO_FACTORS:
            columns["label" if short in _LABELS else short] = array
    if "label" not in columns:
        raise ValueError(
            f"'{file}' has no labels. Expected: an array `{prefix}labels` of shape ({size},). "
            f"Received: {sorted(arrays)}. Add it."
        )
    return columns


def _encode(
    file: str, name: str, values: np.ndarray, names: np.ndarray | None
) -> tuple[list[str], np.ndarray]:
    """Returns value names and codes; labels that number the groups get the names of the groups."""
    if names is None or values.dtype.kind not in "iu":
        return encode_values(name, values)
    if (
        names.ndim != 1
        or names.dtype.kind != "U"
        or not values.size
        or not 0 <= values.min() <= values.max() < len(names)
    ):
        raise ValueError(
            f"The labels of '{file}' do not fit their names. Expected: numbers from 0 to "
            f"{len(names) - 1}, positions in `{GROUPS}`. "
            f"Received: {values.min()} to {values.max()}. Name every class."
        )
    return read_texts(GROUPS, names), values.astype(np.int64)
