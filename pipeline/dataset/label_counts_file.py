"""The file beside a manifest with the label counts of many shards of many classes.

In the manifest itself they would grow with shards times classes. The archive holds, shard after
shard, how many classes occur (`lengths`), the steps from one code to the next, the first from -1
(`gaps`), and the counts (`counts`).
"""

from __future__ import annotations

import io
import itertools
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from latentloom.model_zoo.archives import read_arrays, read_headers
from latentloom.pipeline.dataset.class_counts import ClassCounts, small
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.storage.files import file_size, open_binary

LABEL_COUNTS_FILE = "label_counts.npz"
_INSIDE = 16
"""Numbers that a manifest lists itself, for each shard and each class."""

OF_SHARDS = {"splits": {"__all__": {"__all__": {"label_counts"}}}}
"""What a manifest leaves out if the file is there."""


def belong_outside(shards: int, classes: int) -> bool:
    """Returns whether label counts would make most of a manifest."""
    return shards * classes > _INSIDE * (shards + classes)


def pack(counts: Sequence[Sequence[int]]) -> bytes:
    """Returns the file with the label counts of shards, in their order."""

    def pairs() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for each in counts:
            held = each if isinstance(each, ClassCounts) else ClassCounts(each)
            yield held.occurring()

    file = io.BytesIO()
    np.savez_compressed(  # one array after the other, so that the parts of one lie in memory
        file,
        lengths=np.array([len(codes) for codes, _ in pairs()], np.uint32),
        gaps=np.concatenate([_gaps(codes) for codes, _ in pairs()]),
        counts=np.concatenate([numbers for _, numbers in pairs()]),
    )
    return file.getvalue()


def _gaps(codes: np.ndarray) -> np.ndarray:
    return small(np.diff(codes.astype(np.int64), prepend=-1))


def unpack(data: bytes, path: str, num_shards: int, num_classes: int) -> list[ClassCounts]:
    """Returns the label counts of each shard.

    Args:
        data: The file.
        path: Its path, for messages.
        num_shards: Number of shards.
        num_classes: Number of classes.

    Raises:
        ValueError: It is damaged, or does not hold counts of such classes.
    """
    most, headers = num_shards * num_classes, read_headers(io.BytesIO(data), path)
    if any(math.prod(headers[name].shape) > most for name in ("gaps", "counts")):
        raise ValueError(f"it has more than {most} numbers, for {num_shards} x {num_classes}")
    arrays = read_arrays(io.BytesIO(data), path)
    lengths, gaps, counts = (arrays[name] for name in ("lengths", "gaps", "counts"))
    if any(array.ndim != 1 or array.dtype.kind != "u" for array in arrays.values()):
        raise ValueError("it has other arrays than lists of numbers of at least 0")
    if not int(lengths.sum()) == len(gaps) == len(counts):
        raise ValueError(f"it has {len(gaps)} codes and {len(counts)} counts for {lengths.sum()}")
    if not (gaps > 0).all():
        raise ValueError("a shard counts a class twice")
    edges = [0, *np.cumsum(lengths, dtype=np.int64).tolist()]
    found = []
    for start, end in itertools.pairwise(edges):
        codes = np.cumsum(gaps[start:end], dtype=np.int64) - 1
        if len(codes) and not codes[-1] < num_classes:
            raise ValueError(f"it counts class {codes[-1]} of {num_classes}")
        found.append(ClassCounts.of(codes, counts[start:end], num_classes))
    return found


def put_back(document: dict[str, Any], folder: str) -> None:
    """Puts the counts of the file into the manifest that lists it.

    Args:
        document: The manifest, as JSON; it is changed.
        folder: Its directory.

    Raises:
        ValueError: The file is missing, changed or damaged.
    """
    path = os.path.join(folder, LABEL_COUNTS_FILE)
    if file_size(path) is None:
        raise ValueError(f"'{LABEL_COUNTS_FILE}' beside it is missing")
    with open_binary(path) as file:
        data = file.read()
    if FileEntry.of(data) != FileEntry.model_validate(document["files"][LABEL_COUNTS_FILE]):
        raise ValueError(f"'{LABEL_COUNTS_FILE}' beside it has other bytes than it lists")
    shards = [shard for shards in document["splits"].values() for shard in shards]
    counts = unpack(data, path, len(shards), len(document["factors"]["label"]))
    for shard, of_shard in zip(shards, counts, strict=True):
        shard["label_counts"] = of_shard
