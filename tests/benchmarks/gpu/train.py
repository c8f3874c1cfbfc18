"""Trains a configuration on carried data with JAX, measures it, and writes figures and bundle.

    KERAS_BACKEND=jax python tests/benchmarks/gpu/train.py --config configs/zszu_mnist.yaml
        --data build/gpu/data/mnist --out FOLDER --figures FILE [--smoke] [--set KEY=VALUE ...]

FILE gets the figures as JSON, again after each part; FOLDER gets `<config>.tar.gz`: the bundle with
some images, their codes and what they decode to, for `check.py`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import math
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import numpy as np

from latentloom.model_zoo.bundle import Bundle, save_bundle
from latentloom.model_zoo.training.batches import Batches
from latentloom.pipeline.codec import batching
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config, load_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.folds import Folds, divide
from latentloom.pipeline.dataset.held_out_cells import divide_off, plan_hold_out
from latentloom.pipeline.dataset.row_cache import cached
from latentloom.pipeline.terminal.progress import Advance, ProgressDisplay
from latentloom.pipeline.training.fit_bundle import Factors, fit_bundle

LARGE_BATCH = 4096
RATE_IMAGES, RATE_REPEATS = 4 * LARGE_BATCH, 5
REFERENCE_IMAGES, INPUT_BATCHES = 256, 20
PACKAGES = ("keras", "tensorflow-probability", "jax", "numpy")


class StageTimes(ProgressDisplay):
    """Shows progress and keeps the seconds of every stage and of its steps."""

    def __init__(self):
        super().__init__()
        self.stages: dict[str, dict[str, Any]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Advance]:
        """Yields a function that shows progress and notes the time."""
        begin, ends = time.perf_counter(), []
        with super().stage(name) as shown:

            def advance(done: int, total: int, remark: str = "") -> None:
                ends.append(time.perf_counter())
                shown(done, total, remark)

            yield advance
        self.stages[name] = {"seconds": time.perf_counter() - begin}
        if epochs := np.diff(ends).tolist():  # the first compiles
            self.stages[name]["epoch_seconds"] = statistics.median(epochs)


def train(config: Config, folds: Folds, factors: Factors) -> tuple[Bundle, dict[str, Any]]:
    """The trained bundle, and the time that it took."""
    display, begin = StageTimes(), time.perf_counter()
    with tempfile.TemporaryDirectory() as state:
        bundle, history = fit_bundle(config, folds, factors, Path(state), display)
    seconds = time.perf_counter() - begin
    counts = {name: len(fold) for name, fold in vars(folds).items()}
    steps = math.ceil(len(folds.train) / config.train.batch_size)
    stages = {"stages": display.stages, "epochs": len(history), "last_epoch": history[-1]}
    return bundle, {"seconds": seconds, "examples": counts, "steps_per_epoch": steps, **stages}


def input_seconds(config: Config, train: Examples, dataset: DatasetDir) -> dict[str, float]:
    """Seconds of making a batch, by where the images come from."""
    with tempfile.TemporaryDirectory() as folder:
        sources = {
            "shards": train,
            "a file of raw images": cached(train, dataset.manifest, folder, "train"),
            "memory": replace(train, observations=np.asarray(train.observations)),
        }
        return {
            name: _median_seconds(partial(_take_batches, config, found), RATE_REPEATS)
            / INPUT_BATCHES
            for name, found in sources.items()
        }


def _take_batches(config: Config, examples: Examples) -> None:
    settings = {"batch_size": config.train.batch_size, "value_range": (-1.0, 1.0), "seed": 0}
    batches = Batches(examples.observations, examples.labels, **settings)
    for index in range(INPUT_BATCHES):
        _ = batches[index % len(batches)]


def archive(bundle: Bundle, codec: Codec, images: np.ndarray, path: Path) -> dict[str, Any]:
    """Saves the bundle with a reference in full precision; says what the GPU's default changes."""
    with jax.default_matmul_precision("highest"):
        codes = codec.encode(images)
        decoded, probabilities = codec.render(codes)
    reference: dict[str, Any] = {
        "images": images,
        "decoded": decoded,
        "probabilities": probabilities,
    }
    reference |= {f"codes/{block}": values for block, values in codes.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bundle"
        digest = save_bundle(bundle, folder)
        np.savez(folder / "reference.npz", **reference)
        with tarfile.open(path, "w:gz") as file:
            file.add(folder, path.name.removesuffix(".tar.gz"))
    default = codec.encode(images)
    changes = [float(np.abs(default[block] - values).max()) for block, values in codes.items()]
    return {"digest": digest, "archive": path.name, "default_precision_changes_codes": max(changes)}


def rates(bundle: Bundle, images: np.ndarray, repeats: int) -> dict[str, dict[str, float]]:
    """Images a second of encoding and of rendering, in the pipeline's batches and in large ones."""
    found = {}
    for batch_size in (batching.BATCH_SIZE, min(LARGE_BATCH, len(images))):
        with mock.patch.object(batching, "BATCH_SIZE", batch_size):
            codec = Codec(bundle)
            codes = codec.encode(images)  # compiles
            codec.render(codes)
            work = {"encode": partial(codec.encode, images), "render": partial(codec.render, codes)}
            seconds = {name: _median_seconds(call, repeats) for name, call in work.items()}
        found[str(batch_size)] = {name: len(images) / taken for name, taken in seconds.items()}
    return found


def _median_seconds(work: Callable[[], Any], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def details(config: Config, dataset: DatasetDir) -> dict[str, Any]:
    """Where the bundle comes from, as `latentloom train` notes it."""
    manifest = dataset.manifest
    return {
        "data": {"name": manifest.name, "digest": manifest.digest},
        "backend": "jax",
        "config": config.model_dump(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "figures": [],
    }


def measured(config: Config, codec: Codec, train: Examples, test: Examples) -> Iterator[tuple]:
    """The acceptance figures, those of the variants first: probes take longest, on the CPU."""
    from latentloom.pipeline.evaluation.decoded.variants import draw_sample, measure_variants
    from latentloom.pipeline.evaluation.latents.class_probes import measure_split

    sample = draw_sample(
        codec, train, config.generate.preserving_class(codec.spec), config.evaluate
    )
    yield "variants", [m.model_dump() for m in measure_variants(sample, train)]
    figures = measure_split(codec, train, test, "test", config.evaluate)
    yield "split", [m.model_dump() for m in figures]


def run(config: Config, options: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """Names and results of all parts, the most valuable first."""
    dataset = DatasetDir.open(options.data)
    examples = dataset.read("train", config.data.limit)
    factors = dataset.manifest.factors
    folds = divide(examples, config.data.validation_share, config.train.seed)
    folds = divide_off(folds, plan_hold_out(config.data.hold_out, examples, factors), factors)
    test = dataset.read("test") if "test" in dataset.splits else folds.validation
    bundle, training = train(config, folds, factors)
    yield "training", training
    yield "input", input_seconds(config, folds.train, dataset)
    bundle.details, codec = details(config, dataset), Codec(bundle)
    path = options.out / f"{options.config.stem}.tar.gz"
    yield "bundle", archive(bundle, codec, test.observations[:REFERENCE_IMAGES], path)
    quality = iter(())
    if all(map(importlib.util.find_spec, ("sklearn", "matplotlib"))):
        quality = measured(config, codec, folds.train, test)
        yield next(quality)
    else:
        yield "left_out", "quality is not measured: scikit-learn or matplotlib is not installed"
    count = REFERENCE_IMAGES if options.smoke else RATE_IMAGES
    images = test.observations[np.resize(np.arange(len(test)), count)]
    yield "rates", rates(bundle, images, 2 if options.smoke else RATE_REPEATS)
    yield from _timed(quality)


def _timed(parts: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    begin = time.perf_counter()
    yield from parts
    yield "probe_seconds", time.perf_counter() - begin


def main() -> None:
    """Runs, and writes what is there after each part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    config = load_config(options.config, options.set, smoke=options.smoke)
    results: dict[str, Any] = {"config": options.config.stem}
    for name, result in run(config, options):
        results[name] = result
        options.figures.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
