"""Records a CPU second of `load`, beside TFDS `as_dataset`, on MNIST as `import` writes it.

    python tests/benchmarks/load_speed.py [--python PATH] [--repeats 3] [--mnist DIR] [--out FILE]

Each work reads shuffled batches of 64 float32 images in [0, 1] and labels, one epoch on one thread,
after an epoch that is not measured: the data set is in the cache, graphs are traced.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import Work, arguments, do_work, report, run_command, run_works

BATCH, BUFFER = 64, 50_000


def count(batches: Any) -> int:
    """Reads an epoch; returns the number of its records."""
    return sum(len(labels) for _, labels in batches)


def warmed(make: Callable[[], Any]) -> Work:
    """Returns the reading of an epoch, after one that is not measured."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    count(make())
    return lambda: count(make())


def load(room: str, data: str) -> Work:
    """Returns our reader."""
    reader = importlib.import_module(f"{room}.reader")
    return warmed(lambda: reader.load(data, "train", batch_size=BATCH))


def as_dataset(room: str, data: str) -> Work:
    """Returns the reader of TFDS."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    def make() -> tf.data.Dataset:
        builder = tfds.builder_from_directory(data)
        records = builder.as_dataset("train", as_supervised=True, shuffle_files=True)
        records = records.map(
            lambda image, label: (tf.cast(image, tf.float32) / 255, label),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        return records.shuffle(BUFFER, 0).batch(BATCH).prefetch(tf.data.AUTOTUNE)

    return warmed(make)


WORKS = {"load": load, "as_dataset": as_dataset}


def main() -> None:
    """Imports once, runs the works in turn, and prints what they took."""
    options = arguments(__doc__).parse_args()
    if options.work:
        do_work(WORKS, *options.work)
        return
    with tempfile.TemporaryDirectory() as place:
        data = f"{place}/data"
        run_command(options.python, "import", f"idx:{Path(options.mnist).resolve()}", data)
        report(options, run_works(options, WORKS, data))


if __name__ == "__main__":
    main()
