"""Bags of words as sparse rows: counts, the numbers of their words, and where each row begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader
from latentloom.pipeline.observations import MOST_COUNTED

PARTS = ("data", "indices", "indptr")
"""The arrays of sparse rows, without the prefix of their split."""


def read_rows(file: str, prefix: str, arrays: Mapping[str, np.ndarray], num_words: int) -> Any:
    """Returns the counts of a split, checked, as a `csr_array`."""
    from scipy.sparse import csr_array

    if missing := [part for part in PARTS if prefix + part not in arrays]:
        raise ValueError(
            f"The counts of '{file}' are incomplete. Expected: arrays `{prefix}data`, "
            f"`{prefix}indices` and `{prefix}indptr`. Received: no `{prefix}{missing[0]}`. Add it."
        )
    data, indices, indptr = (arrays[prefix + part] for part in PARTS)
    _check_layout(file, prefix, data, indices, indptr)
    outside = indices[(indices < 0) | (indices >= num_words)]
    if len(outside):
        raise ValueError(
            f"'{file}' has words outside its vocabulary. Expected: `{prefix}indices` in 0 to "
            f"{num_words - 1}, the vocabulary having {num_words} words. "
            f"Received: {outside[0]}. Save the vocabulary that the documents were counted with."
        )
    _check_counts(file, f"{prefix}data", data)
    rows = (data.astype(np.int64), indices.astype(np.int64), indptr.astype(np.int64))
    counts = csr_array(rows, shape=(len(indptr) - 1, num_words))
    counts.sum_duplicates()
    _check_counts(file, f"{prefix}data", counts.data)
    return csr_array(counts, dtype=np.int32)


def _check_layout(
    file: str, prefix: str, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray
) -> None:
    """Checks that three arrays are sparse rows."""
    parts = {"data": data, "indices": indices, "indptr": indptr}
    fits = are_rows(parts)
    if fits:
        places = indptr.astype(np.int64)
        fits = places[0] == 0 and places[-1] == len(data) and bool((np.diff(places) >= 0).all())
    if not fits:
        raise ValueError(no_rows(file, prefix, parts))


def are_rows(parts: Mapping[str, ArrayHeader] | Mapping[str, np.ndarray]) -> bool:
    """Returns whether arrays, or their headers, have the types and shapes of sparse rows."""
    data, indices, indptr = (parts[part] for part in PARTS)
    plain = all(part.ndim == 1 for part in (data, indices, indptr))
    whole = all(part.dtype.kind in "iu" for part in (indices, indptr))
    return plain and whole and indptr.shape[0] > 1 and data.shape == indices.shape


def no_rows(
    file: str, prefix: str, parts: Mapping[str, ArrayHeader] | Mapping[str, np.ndarray]
) -> str:
    """Returns the message that the arrays of a split, or their headers, are no sparse rows."""
    told = ", ".join(f"{prefix}{name} {part.dtype}{part.shape}" for name, part in parts.items())
    return (
        f"The counts of '{file}' are not sparse rows. Expected: `{prefix}indptr` integers from "
        f"0 to the length of `{prefix}data` and `{prefix}indices`, non-decreasing. "
        f"Received: {told}. Save `data`, `indices` and `indptr` of a scipy.sparse.csr_array."
    )


def _check_counts(file: str, name: str, counts: np.ndarray) -> None:
    """Checks that counts are whole numbers that float32 holds exactly."""
    if counts.dtype.kind not in "biuf":
        raise TypeError(
            f"The counts of '{file}' have the wrong type. Expected: integers. "
            f"Received: {name}.dtype={counts.dtype}. Cast them."
        )
    with np.errstate(invalid="ignore"):
        bad = counts[~((counts >= 0) & (counts <= MOST_COUNTED) & (counts % 1 == 0))]
    if len(bad):
        raise ValueError(
            f"The counts of '{file}' are out of range. Expected: whole numbers from 0 to "
            f"{MOST_COUNTED}. Received: {len(bad)} others in `{name}`, the first {bad[0]}. "
            "Count words, without weights."
        )
