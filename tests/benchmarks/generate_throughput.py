"""Images per second of `generate` against the same plan-decode-encode-write loop without Beam.

Both make one variant of each of 16,000 images of 28 x 28 pixels with the default convolutional
model, its weights as initialised, gate off; both load the bundle and write the same shards. They
run in turn in one process, so that the ratio holds where absolute times are noisy.

    python tests/benchmarks/generate_throughput.py [--examples 16000] [--repeats 5] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from model_zoo.bundle import Bundle, load_bundle, save_bundle
from model_zoo.classifier import image_classifier
from model_zoo.registry import build_model
from pipeline.codec import Codec
from pipeline.dataset_dir import DatasetDir
from pipeline.encode_slice import encode_slice
from pipeline.graph import run_graph
from pipeline.importing import import_dataset
from pipeline.jobs import GenerationJob, plan_job
from pipeline.render_shard import render_shard
from pipeline.sections import GenerateConfig
from pipeline.workers import limit_threads

SHAPE, CLASSES = (28, 28, 1), 10


def make_data(folder: Path, examples: int) -> Path:
    """Imports smooth random images, which compress about as digits do."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (examples, 7, 7, 1), dtype=np.uint8)
    images = coarse.repeat(4, axis=1).repeat(4, axis=2)
    images[images < 128] = 0
    np.savez(folder / "images.npz", images=images, label=np.arange(examples) % CLASSES)
    import_dataset(f"npz:{folder / 'images.npz'}", folder / "data", shards=8)
    return folder / "data"


def make_bundle(folder: Path) -> Path:
    """Saves the default model, untrained: its arithmetic is that of a trained one."""
    keras.utils.set_random_seed(0)
    model = build_model("zszu_vae", {}, SHAPE, CLASSES)
    codes = {"zs": np.random.default_rng(0).normal(size=(100, 16))}
    arrays = model.fitted_priors(codes, np.arange(100) % CLASSES)
    bundle = Bundle(
        model=model,
        judge=image_classifier(SHAPE, CLASSES),
        auditor=image_classifier(SHAPE, CLASSES),
        priors={f"{b}/{n}": np.float32(a) for b, of in arrays.items() for n, a in of.items()},
        model_name="zszu_vae",
        model_args={},
        factors={"label": [str(label) for label in range(CLASSES)]},
    )
    save_bundle(bundle, folder / "bundle")
    return folder / "bundle"


def without_beam(job: GenerationJob) -> None:
    """The same work in a plain loop."""
    codec, dataset = Codec(load_bundle(Path(job.model))), DatasetDir.open(job.data)
    for task in job.tasks:
        encoded = encode_slice(dataset, job.settings.split, task, codec)
        render_shard(job, encoded, None, codec)


def with_beam(job: GenerationJob) -> None:
    """The work as `generate` does it."""
    run_graph(job, job.tasks)


def timed(work: Callable[[GenerationJob], None], job: GenerationJob) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(job)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Runs both in turn and prints a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=16_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=None, help="file for the JSON")
    options = parser.parse_args()
    settings = GenerateConfig.model_validate({"gate": {"enabled": False}})
    limit_threads(settings.threads)
    seconds: dict[str, list[tuple[float, float]]] = {"loop": [], "beam": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, bundle = make_data(folder, options.examples), make_bundle(folder)
        for repeat in range(options.repeats + 1):
            for kind, work in (("loop", without_beam), ("beam", with_beam)):
                out = folder / f"{kind}{repeat}"
                out.mkdir()
                taken = timed(work, plan_job(settings, data, bundle, out))
                if repeat:  # the first pair warms up
                    seconds[kind].append(taken)
    result = summarise(seconds, options.examples)
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


def summarise(seconds: dict[str, list[tuple[float, float]]], examples: int) -> dict:
    """Medians, and the ratio of each pair."""
    pairs = list(zip(seconds["loop"], seconds["beam"], strict=True))
    return {
        "benchmark": "generate_throughput",
        "images": examples,
        "repeats": len(pairs),
        "threads": GenerateConfig().threads,
        "processor": platform.processor() or platform.machine(),
        "images_per_second": {
            kind: round(examples / statistics.median(wall for wall, _ in runs))
            for kind, runs in seconds.items()
        },
        "images_per_cpu_second": {
            kind: round(examples / statistics.median(cpu for _, cpu in runs))
            for kind, runs in seconds.items()
        },
        "ratio_wall": [round(loop[0] / beam[0], 3) for loop, beam in pairs],
        "ratio_cpu": [round(loop[1] / beam[1], 3) for loop, beam in pairs],
        "median_ratio_wall": round(statistics.median(a[0] / b[0] for a, b in pairs), 3),
        "median_ratio_cpu": round(statistics.median(a[1] / b[1] for a, b in pairs), 3),
    }


if __name__ == "__main__":
    main()
