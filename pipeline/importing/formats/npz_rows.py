"""Rows of an array of an archive, packed or not, of which a block is in memory at a time."""

from __future__ import annotations

import io
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader, open_array
from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.importing.formats.npz_checks import check_finite

_CHUNK = 1 << 18  # bytes read at a time


def open_observations(
    file: str,
    name: str,
    header: ArrayHeader,
    values: np.ndarray | None,
    field: str,
    *,
    channels_first: bool,
    all_used: bool,
) -> StoredObservations | np.ndarray:
    """Returns images `(n, height, width, channels)`, or vectors in float32.

    Args:
        file: Path of the archive.
        name: Name of the array.
        header: Its header, checked.
        values: The array, if it is in memory; else it is read in blocks.
        field: `images` or `observations`.
        channels_first: Whether images are `(n, channels, height, width)`.
        all_used: Whether the last row is surely read, after which the checksum is compared; if not,
            it is compared now.

    Raises:
        ValueError: If the array is damaged, or vectors are not finite in float32.
    """
    is_vector = field == "observations"
    arrange = _as_vectors if is_vector else _as_channels_last if channels_first else _as_images
    if values is None:
        rows = ArchiveRows(file, name, header, arrange)
        found = StoredObservations(rows if all_used else rows.check())
    else:
        found = arrange(values)
    if is_vector:
        check_finite(file, found)
    return found


def _as_vectors(stored: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # rejected by `check_finite`
        return stored.astype(np.float32)


def _as_images(stored: np.ndarray) -> np.ndarray:
    images = stored.view(np.uint8) if stored.dtype == bool else stored
    return images[..., None] if images.ndim == 3 else images


def _as_channels_last(stored: np.ndarray) -> np.ndarray:
    return np.moveaxis(_as_images(stored), 1, -1)


class ArchiveRows:
    """The rows of an array that is stored by rows, as `StoredObservations` takes them.

    They are read forward, so that rows in ascending order cost one pass. The checksum is compared
    after the last row.

    Args:
        file: Path of the archive.
        name: Name of the array.
        header: Its header.
        arrange: Turns rows as they are stored, `(m, *shape)`, into observations.
    """

    def __init__(
        self,
        file: str,
        name: str,
        header: ArrayHeader,
        arrange: Callable[[np.ndarray], np.ndarray],
    ):
        self._file, self._name, self._header, self._arrange = file, name, header, arrange
        sample = arrange(np.empty((0, *header.shape[1:]), header.dtype))
        self.event_shape, self.dtype = sample.shape[1:], sample.dtype
        self._row_bytes = header.num_bytes // header.shape[0]
        self._stream, self._place = io.BufferedReader(io.BytesIO()), header.shape[0]
        self._close = weakref.finalize(self, self._stream.close)

    def check(self) -> ArchiveRows:
        """Compares the checksum; returns these rows."""
        self.read(np.array([len(self) - 1]))
        return self

    def __len__(self) -> int:
        return self._header.shape[0]

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows at some positions, `(m,)`, as observations.

        Raises:
            ValueError: If the array is damaged.
        """
        found = np.empty((len(rows), *self._header.shape[1:]), self._header.dtype)
        target = found.reshape(-1).view(np.uint8)
        with self._told():
            for start, stop in _runs(rows):
                self._go_to(int(rows[start]))
                self._fill(target[start * self._row_bytes : stop * self._row_bytes])
                self._place += stop - start
                if self._place == len(self):
                    self._stream.read(1)
                    self._close()
        return self._arrange(found)

    def _go_to(self, row: int) -> None:
        """Moves the stream to a row; a row before its place is reached from the beginning."""
        if row < self._place:
            self._close()
            stream = open_array(Path(self._file), self._file, self._name)
            self._stream, self._place = io.BufferedReader(stream, _CHUNK), 0  # type: ignore[arg-type]
            self._close = weakref.finalize(self, self._stream.close)
        left = (row - self._place) * self._row_bytes
        while left and (skipped := self._stream.read(min(left, _CHUNK))):
            left -= len(skipped)
        self._place = row

    def _fill(self, target: np.ndarray) -> None:
        """Reads bytes, a block at a time, since the archive copies what it gives at once."""
        for start in range(0, len(target), _CHUNK):
            part = target[start : start + _CHUNK]
            if self._stream.readinto(part.data) != len(part):
                raise EOFError("it ends within a row")

    def _told(self):
        what = "an intact array of numbers"
        return told_of_file(self._file, what, "Save it again.", f"Array '{self._name}'")


def _runs(rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yields where runs of consecutive rows start and stop."""
    ends = (np.flatnonzero(np.diff(rows) != 1) + 1).tolist()
    if len(rows):
        yield from zip([0, *ends], [*ends, len(rows)], strict=True)
