"""Images a second of `LatentAugmentation` beside `keras.layers.RandAugment`, turn by turn.

    KERAS_BACKEND=tensorflow python tests/benchmarks/keras_layer.py [--repeats 5] [--batch 64]

Both run as graphs on batches of random images; the bundle has the networks that `zszu_vae` has by
default for this size, and its weights, which a step or two trained, do not change what a batch
costs. It is trained in a process of its own, since training turns TensorFlow's graph optimizers
off. The gate is on. The first round, which compiles, does not count.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SIZES, CLASSES, EXAMPLES = (28, 64), 10, 200
SECONDS = 2.0
"""Least time of a round."""
QUICK = {"train.steps": 2, "judge.steps": 2}
CONFIG = {"model": {"name": "zszu_vae"}}


def bundle_for(size: int, folder: Path) -> str:
    """Trains a bundle of images in colour for a moment; returns its path."""
    import latentloom
    from latentloom.pipeline.importing.import_dataset import import_dataset

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (EXAMPLES, size, size, 3), dtype=np.uint8)
    np.savez(folder / f"{size}.npz", images=images, label=np.arange(EXAMPLES) % CLASSES)
    data = import_dataset(f"npz:{folder / f'{size}.npz'}", folder / f"data{size}").path
    bundle = folder / f"bundle{size}"
    latentloom.train(CONFIG, data, bundle, settings=QUICK)
    return str(bundle)


def functions(bundle: str, size: int, batch: int) -> dict[str, Callable[[], object]]:
    """Returns a call of each layer on one batch."""
    import keras
    import tensorflow as tf

    from latentloom.keras import LatentAugmentation

    images = tf.random.uniform((batch, size, size, 3), 0, 256, tf.int32, seed=0)
    images, labels = tf.cast(images, tf.uint8), tf.range(batch) % CLASSES
    layers = {
        "RandAugment": keras.layers.RandAugment(seed=0),
        "share 0.5": LatentAugmentation(bundle, share=0.5),
        "share 1": LatentAugmentation(bundle, share=1.0),
        "share 1, detail 1": LatentAugmentation(bundle, share=1.0, detail=1.0),
    }

    def call(name: str) -> Callable[[], object]:
        layer = layers[name]
        if name == "RandAugment":
            return tf.function(lambda: layer(images, training=True))
        return tf.function(lambda: layer((images, labels), training=True))

    return {name: call(name) for name in layers}


def images_a_second(run: Callable[[], object], batch: int) -> float:
    """Times calls for `SECONDS`."""
    run()
    begin, calls = time.perf_counter(), 0
    while time.perf_counter() - begin < SECONDS:
        run()
        calls += 1
    return calls * batch / (time.perf_counter() - begin)


def summary(name: str, rounds: list[dict[str, float]]) -> dict[str, float]:
    """Returns the median speed of a layer, and its ratio to RandAugment in the same round."""
    ratios = [each[name] / each["RandAugment"] for each in rounds]
    return {
        "images a second": round(statistics.median(each[name] for each in rounds)),
        "of RandAugment": round(statistics.median(ratios), 2),
        "at least": round(min(ratios), 2),
        "at most": round(max(ratios), 2),
    }


def main() -> None:
    """Prints speeds and ratios as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                bundle = pool.apply(bundle_for, (size, Path(folder)))
            runs = functions(bundle, size, options.batch)
            rounds = [
                {name: images_a_second(run, options.batch) for name, run in runs.items()}
                for _ in range(options.repeats + 1)
            ][1:]
            found[f"{size} x {size} x 3"] = {name: summary(name, rounds) for name in runs}
    text = json.dumps(found, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
