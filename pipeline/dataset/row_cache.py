"""Keeps decoded observations in an uncompressed file, for trainings that read them many times."""

from __future__ import annotations

import os
from typing import cast

import numpy as np

from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.atomic_files import AtomicFile
from latentloom.pipeline.storage.files import exists, make_folders

_FILE = "decoded observations that `train` wrote"
_FIX = "Remove the file: it is written again."


class MappedRows:
    """The rows of an array in a file, which the operating system keeps in memory as it can.

    Args:
        mapped: The array, mapped.
    """

    def __init__(self, mapped: np.ndarray):
        self._mapped = mapped
        self.event_shape, self.dtype = mapped.shape[1:], mapped.dtype

    def __len__(self) -> int:
        return len(self._mapped)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Copies rows."""
        return np.asarray(self._mapped[rows])


def cached(
    examples: Examples, manifest: Manifest, folder: str | os.PathLike[str], split: str
) -> Examples:
    """Returns the same examples, whose observations are read from a file in a folder.

    Writes the file if it is missing. Its name has the digest of the data set, so that it serves
    every training on the same examples and no other. It may be removed when no training runs.

    Args:
        examples: Examples of a split, or the first of them in order.
        manifest: Manifest of their data set.
        folder: Local folder of the cache; made if it is missing.
        split: Name of the split.

    Raises:
        OSError: The folder is not writable or its disk is full.
        ValueError: The file is damaged or of other examples.
    """
    stored = examples.observations
    if not isinstance(stored, StoredObservations):
        return examples
    name = f"{manifest.name}-{split}-{len(examples)}-{manifest.digest[:16]}.npy"
    path = os.path.join(folder, name)
    make_folders(folder)
    if not exists(path):
        _write(path, stored, manifest)
    with told_of_file(path, _FILE, _FIX):
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if mapped.shape != stored.shape or mapped.dtype != stored.dtype:
            raise ValueError(f"it holds {mapped.dtype} of shape {mapped.shape}")
    rows = cast(np.ndarray, StoredObservations(MappedRows(mapped)))
    return Examples(rows, examples.factors, examples.ids)


def _write(path: str, stored: StoredObservations, manifest: Manifest) -> None:
    size = KINDS[manifest.observation].batch_size(manifest.observation_shape)
    header = {"descr": stored.dtype.str, "fortran_order": False, "shape": stored.shape}
    with AtomicFile(path) as file:
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[arg-type]
        for start in range(0, len(stored), size):
            file.write(stored[start : start + size].tobytes())
