"""Images a CPU-second of `latentloom.beam.Augment` against `generate`, in turn in one process.

    python tests/benchmarks/beam_transform.py [--side 28] [--repeats 3] [--variants 1] [--out FILE]

Both run in this process on one thread, with the bundle of `generate_pair.py`, whose judge passes
every variant. `written` is a whole pipeline from TFRecord files to TFRecord files by Beam's own
reader and writer, as `generate` goes from shards to shards; `counted` has our reader of TFRecord
files, and counts the variants.

2026-12-01, two cores, busy machine, 16,000 images of 28 pixels, one variant each, three turns:
`generate` 4,354 images a CPU-second; `written` 1.02 of it (0.98 to 1.07), `counted` 1.20 (1.02 to
1.35), since it writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import apache_beam as beam
from generate_pair import EXAMPLES, GATE, MODEL, SHARDS, TRAINING, class_images
from generate_worker import save_with_blind_judge

from latentloom.pipeline.beam_transforms import Augment
from latentloom.pipeline.config import load_config
from latentloom.pipeline.generation.engines import Engine
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.generation.worker.codec_worker import limit_threads
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.storage.tfrecords import read_records
from latentloom.pipeline.training.train import train_bundle


def prepare(folder: Path, side: int, count: int) -> None:
    """Makes a data set and a bundle."""
    images = class_images(folder, side, count)
    import_dataset(f"npz:{images}", folder / "data", shards=SHARDS)
    (folder / "config.yaml").write_text(MODEL)
    settings = [f"{key}={value}" for key, value in TRAINING.items()]
    train_bundle(load_config(folder / "config.yaml", settings), folder / "data", folder / "trained")
    save_with_blind_judge(folder / "trained", folder / "bundle")


def generated(folder: Path, variants: int) -> int:
    """Runs `generate`; returns the number of images."""
    settings = {**GATE, "generate.variants_per_example": variants}
    words = [f"{key}={value}" for key, value in settings.items()]
    config = load_config(folder / "config.yaml", words)
    made = generate(config, folder / "data", folder / "bundle", folder / "out")
    return made.manifest.totals["written"]


def augment(folder: Path, variants: int) -> Augment:
    """The transform with the settings of `generated`."""
    return Augment(folder / "bundle", variants=variants, gate={"min_confidence": 0.0})


def written(folder: Path, variants: int) -> int:
    """Runs a pipeline of Beam's own reader and writer."""
    with Engine().pipeline() as pipeline:
        read = beam.io.ReadFromTFRecord(f"{folder / 'data'}/*-train.tfrecord-*")
        made = pipeline | read | augment(folder, variants)
        _ = made | beam.io.WriteToTFRecord(f"{folder / 'out'}/made")
    return accepted(pipeline)


def counted(folder: Path, variants: int) -> int:
    """Runs a pipeline that reads with our reader and counts."""
    paths = sorted(map(str, (folder / "data").glob("*-train.tfrecord-*")))
    with Engine().pipeline() as pipeline:
        examples = pipeline | beam.Create(paths) | beam.FlatMap(records).with_output_types(bytes)
        _ = examples | augment(folder, variants) | beam.combiners.Count.Globally()
    return accepted(pipeline)


def records(path: str) -> Iterator[bytes]:
    """The records of a file."""
    for record in read_records(path):
        if isinstance(record, bytes):
            yield record


def accepted(pipeline: beam.Pipeline) -> int:
    """The counter of a finished pipeline."""
    found = pipeline.result.metrics().query()["counters"]
    return sum(each.committed for each in found if each.key.metric.name == "accepted")


ARMS: dict[str, Callable[[Path, int], int]] = {
    "generate": generated,
    "written": written,
    "counted": counted,
}


def rate(arm: Callable[[Path, int], int], folder: Path, variants: int) -> float:
    """Images a CPU-second of one run of an arm."""
    begin = time.process_time()
    made = arm(folder, variants)
    seconds = time.process_time() - begin
    shutil.rmtree(folder / "out", ignore_errors=True)
    return made / seconds


def main() -> None:
    """Runs the arms in turn after a turn that warms up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--examples", type=int)
    parser.add_argument("--variants", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    limit_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, options.side, options.examples or EXAMPLES[options.side])
        turns = [
            {name: rate(arm, folder, options.variants) for name, arm in ARMS.items()}
            for _ in range(options.repeats + 1)
        ][1:]
    rates = {name: round(statistics.median(turn[name] for turn in turns)) for name in ARMS}
    ratios = {name: [turn[name] / turn["generate"] for turn in turns] for name in ARMS}
    result = {
        name: {
            "images_per_cpu_second": rates[name],
            "ratio": round(statistics.median(ratios[name]), 3),
            "range": [round(min(ratios[name]), 3), round(max(ratios[name]), 3)],
        }
        for name in ARMS
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
