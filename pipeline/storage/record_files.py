"""Reads single records of shards by their place, from a bounded number of open files."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.storage.tfrecords import FRAME, HEADER, unframe

MOST_OPEN = 128
"""Largest number of shards that are open at a time."""
PLACE = np.dtype(
    [
        ("shard", np.int32),
        ("record", np.int32),
        ("offset", np.int64),
        ("length", np.int32),
        ("start", np.int32),
        ("size", np.int32),
    ]
)
"""Place of a value: numbers of its shard and of its record, start of the record's data in the file
and their bytes, start of the value in the data and its bytes."""


class RecordFiles:
    """Reads values from shards that may be more than a process can have open.

    Several threads may read at a time.

    Args:
        paths: Paths of local shards; a place names its shard by the position here.
        sizes: Their sizes in bytes.
    """

    def __init__(self, paths: Sequence[str], sizes: Sequence[int]):
        self.paths, self.sizes = list(paths), list(sizes)
        self._open: OrderedDict[int, int] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, place: np.void) -> bytes:
        """Reads the value at a place of type `PLACE`.

        Raises:
            FileNotFoundError: The shard is gone.
            ValueError: The shard has changed since the place was found.
        """
        shard, record, offset, length, start, size = place.item()
        data = unframe(self.frame(shard, offset - HEADER, length + FRAME))
        if isinstance(data, str):
            raise ValueError(self._changed(shard, f"record {record}: {data}"))
        return data[start : start + size]

    def frame(self, shard: int, start: int, size: int) -> bytes:
        """Reads bytes of a shard, by its number, unchecked; fewer at its end.

        Raises:
            FileNotFoundError: The shard is gone.
            ValueError: The shard has another size.
        """
        with self._lock:
            return os.pread(self._descriptor(shard), size, start)

    def close(self) -> None:
        """Closes all files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __del__(self):
        self.close()

    def _descriptor(self, shard: int) -> int:
        """Returns the open file of a shard; closes the one that was not used for longest."""
        if shard in self._open:
            self._open.move_to_end(shard)
            return self._open[shard]
        try:
            descriptor = os.open(self.paths[shard], os.O_RDONLY)
        except FileNotFoundError as error:
            raise FileNotFoundError(self._changed(shard, "it is gone")) from error
        if (found := os.fstat(descriptor).st_size) != self.sizes[shard]:
            os.close(descriptor)
            reason = f"it has {found} bytes instead of {self.sizes[shard]}"
            raise ValueError(self._changed(shard, reason))
        if len(self._open) >= MOST_OPEN:
            os.close(self._open.popitem(last=False)[1])
        self._open[shard] = descriptor
        return descriptor

    def _changed(self, shard: int, reason: str) -> str:
        return (
            f"The shard '{self.paths[shard]}' changed while it was read. Expected: the file that "
            f"its manifest lists. Received: {reason}. Put the file back and run the same command "
            "again (`train` with --resume)."
        )
