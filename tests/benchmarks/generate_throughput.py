"""Images per second of `generate` against a plain loop, and against the sum of its unit costs.

`loop` is the same plan-decode-encode-write without Beam; `units` is what an image costs at least:
its anchor read and encoded, the variant decoded, which includes what the judge says, compressed to
PNG, serialised and written, each timed alone over the same images; `variant_units` leaves the
anchor out, which several variants share. All make variants of images of 28 x 28 pixels with the
default convolutional model, its weights as initialised, gate off, on one thread. They run in turn
in one process, so that ratios hold where absolute times are noisy.

    python tests/benchmarks/generate_throughput.py [--examples 16000] [--variants 1] [--repeats 5]
        [--out FILE]

With `--python` it compares instead with the latentloom of another interpreter: see
`generate_pair.py`.

    python tests/benchmarks/generate_throughput.py --python PATH [--sides 28 64 128]
        [--recipes class_preserving sample_class swap_zu] [--repeats 5] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import generate_pair
import keras
import numpy as np

from latentloom.model_zoo.bundle import Bundle, load_bundle, save_bundle
from latentloom.model_zoo.networks.classifier import image_classifier
from latentloom.model_zoo.registry import build_model
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.graph import run_graph
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.generation.worker.codec_worker import limit_threads
from latentloom.pipeline.generation.worker.encode_slice import encode_slice
from latentloom.pipeline.generation.worker.render_shard import render_shard
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.storage.example_columns import serialize_columns
from latentloom.pipeline.storage.tfrecords import ShardWriter

SHAPE, CLASSES = (28, 28, 1), 10
OF_VARIANTS = ("decode", "png", "serialise", "write")
"""Parts of the work that every variant costs."""


def make_data(folder: Path, examples: int, shards: int = 8) -> Path:
    """Imports smooth random images, which compress about as digits do."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (examples, 7, 7, 1), dtype=np.uint8)
    images = coarse.repeat(4, axis=1).repeat(4, axis=2)
    images[images < 128] = 0
    np.savez(folder / "images.npz", images=images, label=np.arange(examples) % CLASSES)
    import_dataset(f"npz:{folder / 'images.npz'}", folder / "data", shards=shards)
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
        encoded = encode_slice(job, dataset, task, codec)
        render_shard(job, encoded, None, codec)


def with_beam(job: GenerationJob) -> None:
    """The work as `generate` does it."""
    run_graph(job, job.tasks)


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def unit_costs(job: GenerationJob) -> dict[str, float]:
    """CPU seconds of each part of the work over all variants, each part alone."""
    codec, dataset = Codec(load_bundle(Path(job.model))), DatasetDir.open(job.data)
    seconds: dict[str, float] = defaultdict(float)
    variants = job.settings.variants_per_example

    def part(name: str, work: Callable[[], Any]) -> Any:
        begun = time.process_time()
        result = work()
        seconds[name] += time.process_time() - begun
        return result

    codec.render(codec.encode(dataset.read("train", 64).observations))  # compiles
    for index, task in enumerate(job.tasks):
        examples, _ = part("read", lambda index=index: dataset.read_shard("train", index))
        latents = part("encode", lambda examples=examples: codec.encode(examples.observations))
        latents = {name: code.repeat(variants, axis=0) for name, code in latents.items()}
        images, _ = part("decode", lambda latents=latents: codec.render(latents))
        pngs = part("png", lambda images=images: codec.kind.encode(images))
        records = part("serialise", lambda pngs=pngs: serialize_columns(_columns(pngs)))
        part("write", lambda records=records, task=task: _write(f"{job.out}/{task.file}", records))
    return dict(seconds)


def _columns(pngs: list[bytes]) -> dict[str, list]:
    """The features of records as `generate` writes them."""
    features = {
        **{"label": 3, "seen_combination": True, "judge_confidence": 0.5},
        "example_id": "images/train/00000001/class_preserving/0000",
        **{"anchor_id": "images/train/00000001", "donor_ids": [], "recipe": "class_preserving"},
        "seed": 1234567890123456789,
    }
    return {"image": pngs} | {name: [value] * len(pngs) for name, value in features.items()}


def _write(path: str, records: list[bytes]) -> None:
    with ShardWriter(path) as writer:
        for record in records:
            writer.write(record)


def main() -> None:
    """Prints JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=16_000)
    parser.add_argument("--variants", type=int, default=1, help="variants of an example")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=None, help="file for the JSON")
    parser.add_argument("--python", help="interpreter with the other latentloom")
    sides, recipes = generate_pair.EXAMPLES, generate_pair.RECIPES
    parser.add_argument("--sides", type=int, nargs="+", choices=sides, default=list(sides))
    parser.add_argument("--recipes", nargs="+", choices=recipes, default=list(recipes))
    options = parser.parse_args()
    result = compare_builds(options) if options.python else compare_parts(options)
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


def compare_builds(options: argparse.Namespace) -> dict[str, Any]:
    """Compares this build with that of another interpreter."""
    with tempfile.TemporaryDirectory() as name:
        rows = generate_pair.compare(
            options.python, options.sides, options.recipes, options.repeats, Path(name)
        )
    return {"benchmark": "generate_throughput", "other": options.python, "rows": rows}


def compare_parts(options: argparse.Namespace) -> dict[str, Any]:
    """Compares the graph with a plain loop and with its parts."""
    settings = GenerateConfig.model_validate(
        {"gate": {"enabled": False}, "variants_per_example": options.variants}
    )
    limit_threads(settings.threads)
    seconds: dict[str, list[tuple[float, float]]] = {"loop": [], "beam": []}
    units: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, bundle = make_data(folder, options.examples), make_bundle(folder)
        for repeat in range(options.repeats + 1):
            for kind, work in (("loop", without_beam), ("beam", with_beam)):
                job = _job(settings, data, bundle, folder / f"{kind}{repeat}")
                taken = timed(lambda work=work, job=job: work(job))
                if repeat:  # the first pair warms up
                    seconds[kind].append(taken)
            if repeat:
                units.append(unit_costs(_job(settings, data, bundle, folder / f"units{repeat}")))
    result = summarise(seconds, units, options.examples * options.variants)
    return result | {"variants_per_example": options.variants}


def _job(settings: GenerateConfig, data: Path, bundle: Path, out: Path) -> GenerationJob:
    out.mkdir()
    return plan_job(settings, str(data), str(bundle), str(out))


def summarise(
    seconds: dict[str, list[tuple[float, float]]], units: list[dict[str, float]], images: int
) -> dict:
    """Medians, and the ratio of each round."""
    names = {"units": tuple(units[0]), "variant_units": OF_VARIANTS}
    of_units = {
        f"ratio_{kind}": [
            round(sum(parts[name] for name in chosen) / beam[1], 3)
            for parts, beam in zip(units, seconds["beam"], strict=True)
        ]
        for kind, chosen in names.items()
    }
    pairs = list(zip(seconds["loop"], seconds["beam"], strict=True))
    return {
        "benchmark": "generate_throughput",
        "images": images,
        "repeats": len(pairs),
        "threads": GenerateConfig().threads,
        "processor": platform.processor() or platform.machine(),
        "images_per_second": {
            kind: round(images / statistics.median(wall for wall, _ in runs))
            for kind, runs in seconds.items()
        },
        "images_per_cpu_second": {
            kind: round(images / statistics.median(cpu for _, cpu in runs))
            for kind, runs in seconds.items()
        },
        "ratio_wall": [round(loop[0] / beam[0], 3) for loop, beam in pairs],
        "ratio_cpu": [round(loop[1] / beam[1], 3) for loop, beam in pairs],
        "unit_cost_us": {
            name: round(1e6 * statistics.median(parts[name] for parts in units) / images, 1)
            for name in units[0]
        },
        **of_units,
        **{f"median_{kind}": statistics.median(ratios) for kind, ratios in of_units.items()},
        "median_ratio_wall": round(statistics.median(a[0] / b[0] for a, b in pairs), 3),
        "median_ratio_cpu": round(statistics.median(a[1] / b[1] for a, b in pairs), 3),
    }


if __name__ == "__main__":
    main()
