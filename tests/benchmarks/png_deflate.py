"""Bytes and CPU time of PNG's compressed part, by encoder and level, in turn; best of five rounds.

    python tests/benchmarks/png_deflate.py --data runs/flowers --images 200

ISA-L at levels 1 and 2 is here for comparison: its bytes depend on the thread
(`findings/isal_bytes_depend_on_thread.sh`).
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from isal import isal_zlib
from zlib_ng import zlib_ng

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.storage.png_filters import filter_rows

ENCODERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "ISA-L 1": lambda rows: isal_zlib.compress(rows, 1),
    "ISA-L 3": lambda rows: isal_zlib.compress(rows, 3),
    "zlib-ng 1": lambda rows: zlib_ng.compress(rows, 1),
    "zlib-ng 2": lambda rows: zlib_ng.compress(rows, 2),
}
ROUNDS = 5


def main() -> None:
    """Prints a table: encoder, bytes an image, microseconds an image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data set that import wrote")
    parser.add_argument("--images", type=int, default=200, help="images of the test split")
    options = parser.parse_args()
    test = DatasetDir.open(options.data).read("test")
    chosen = test.take(np.arange(min(options.images, len(test)))).loaded().observations
    rows, is_flat = filter_rows(chosen)
    rows = rows.reshape(len(chosen), -1)
    print(f"{chosen.shape[1:]}: {len(rows)} images, {is_flat.sum()} of them flat, so unfiltered")
    rounds = [[_seconds(encode, rows) for encode in ENCODERS.values()] for _ in range(ROUNDS)]
    for (name, encode), seconds in zip(ENCODERS.items(), np.min(rounds, axis=0), strict=True):
        size = sum(len(encode(each)) for each in rows)
        print(f"{name:10} {size / len(rows):9.0f} {seconds / len(rows) * 1e6:8.1f}")


def _seconds(encode: Callable[[np.ndarray], bytes], rows: np.ndarray) -> float:
    start = time.process_time()
    for each in rows:
        encode(each)
    return time.process_time() - start


if __name__ == "__main__":
    main()
