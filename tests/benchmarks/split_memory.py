"""Peak memory of the verbs that read whole splits, as the data set grows, on this build.

Each size is a data set of images of rectangles, which repeat: only ids, labels and places differ,
and these are what memory holds of an example. Every verb runs as a command in a process of its own,
with budgets that make it short. `slope` is that of a line through the peaks, in bytes an image.

    python tests/benchmarks/split_memory.py [--examples 20000 200000] [--pixels 28 128]
        [--verbs train evaluate generate study] [--out FILE]
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from children import arguments, report, run_command

DISTINCT, SHARD = 64, 10_000
CONFIG = Path(__file__).parents[2] / "configs" / "zszu_digits.yaml"
SETTINGS = (
    *(
        "train.steps=20",
        "judge.steps=20",
        "train.batch_size=32",
        "train.learning_rate=1e-6",
        "model.args.network=dense",
    ),
    *("model.args.hidden_dim=16", "judge.width=4", "evaluate.probe_examples=200"),
    *("evaluate.anchors=20", "evaluate.variants=2", "generate.gate.enabled=false"),
    *("study.sizes=[1000]", "study.seeds=[0]", "study.arms=[real, variants]", "study.steps=20"),
    *("study.generator_steps=20", "study.judge_steps=20", "study.classifiers=1", "study.width=4"),
    "study.test_examples=1000",
)


def make_data(folder: Path, examples: int, pixels: int, noise: int = 1) -> Path:
    """Writes a data set with a split `train` of a size, and a small split `test`.

    Pixels get noise in `[0, noise)`, which makes files as large as those of photographs are.
    """
    from latentloom.pipeline.dataset.manifest import Manifest
    from latentloom.pipeline.dataset.tfds_metadata import metadata_files
    from latentloom.pipeline.dataset.writing import write_manifest

    shape = (pixels, pixels, 3 if pixels >= 64 else 1)
    splits = {
        split: write_shards(folder, split, size, shape, noise)
        for split, size in (("train", examples), ("test", 1000))
    }
    manifest = Manifest(
        kind="imported",
        name="rectangles",
        observation="image",
        observation_shape=shape,
        factors={"label": ["wide", "high"]},
        splits=splits,
        source={"description": "Rectangles."},
        versions={},
        totals={"requested": examples + 1000, "written": examples + 1000, "rejected": 0, "dead": 0},
        details={},
    )
    write_manifest(folder, manifest, metadata_files(manifest))
    return folder


def write_shards(folder: Path, split: str, examples: int, shape: Sequence[int], noise: int) -> list:
    """Writes the shards of a split; every record has an id of its own."""
    from latentloom.pipeline.dataset.writing import shard_entry, shard_file
    from latentloom.pipeline.storage.example_columns import serialize_columns
    from latentloom.pipeline.storage.png import encode_png
    from latentloom.pipeline.storage.tfrecords import ShardWriter

    rng = np.random.default_rng(0)
    images = np.zeros((DISTINCT, *shape), np.uint8)
    for number, image in enumerate(images):
        side = rng.integers(2, shape[0] // 2, 2)
        side = np.sort(side) if number % 2 else np.sort(side)[::-1]
        image[: side[0], : side[1]] = rng.integers(64, 192, shape[2])
    images += rng.integers(0, noise, images.shape, np.uint8)
    files, entries = encode_png(images), []
    count = -(-examples // SHARD)
    for index in range(count):
        rows = np.arange(index * SHARD, min((index + 1) * SHARD, examples))
        with ShardWriter(folder / shard_file("rectangles", split, index, count)) as writer:
            columns = {
                "image": [files[row % DISTINCT] for row in rows.tolist()],
                "label": rows % 2,
                "example_id": [f"rectangles/{split}/{row:08d}" for row in rows.tolist()],
            }
            for record in serialize_columns(columns):
                writer.write(record)
        counts = np.bincount(rows % 2, minlength=2).tolist()
        entries.append(shard_entry(writer, Path(writer.path).name, counts))
    return entries


def words_of(verb: str, data: Path, folder: Path) -> list[str]:
    """The words of a verb, whose bundle is the one of `train`."""
    known = {name for name in SETTINGS if verb != "evaluate" or name.startswith(("eval", "gen"))}
    settings = [word for setting in sorted(known) for word in ("--set", setting)]
    model = [] if verb in ("train", "study") else ["--model", str(folder / "train")]
    config = [] if verb == "evaluate" else [str(CONFIG)]
    return [verb, *config, "--data", str(data), *model, "--out", str(folder / verb), *settings]


def measure(python: str, verbs: Sequence[str], examples: Sequence[int], pixels: int) -> dict:
    """Peaks in MiB and CPU seconds of every verb at every size, and the slope in bytes an image."""
    runs: dict[str, list[dict[str, float]]] = {verb: [] for verb in verbs}
    for size in examples:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "data").mkdir()
            data = make_data(folder / "data", size, pixels)
            for verb, found in runs.items():
                found.append(run_command(python, *words_of(verb, data, folder)))
                print(json.dumps({"pixels": pixels, "examples": size, verb: found[-1]}), flush=True)
    return {
        verb: {
            "peak_mib": [run["peak_mib"] for run in found],
            "cpu_seconds": [run["cpu_seconds"] for run in found],
            "slope": slope(examples, [run["peak_mib"] for run in found]),
        }
        for verb, found in runs.items()
    }


def slope(examples: Sequence[int], peaks: Sequence[float]) -> float:
    """Bytes an image, of a line through peaks in MiB."""
    return round(float(np.polyfit(examples, np.array(peaks) * 2**20, 1)[0]), 1)


def main() -> None:
    """Runs all sizes and prints JSON."""
    parser = arguments(__doc__)
    parser.add_argument("--examples", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--pixels", type=int, nargs="+", default=[28, 128])
    verbs = ["train", "evaluate", "generate", "study"]
    parser.add_argument("--verbs", nargs="+", default=verbs)
    options = parser.parse_args()
    found = {
        f"{pixels} pixels": measure(options.python, options.verbs, options.examples, pixels)
        for pixels in options.pixels
    }
    report(options, {"benchmark": "split_memory", "examples": options.examples, **found})


if __name__ == "__main__":
    main()
