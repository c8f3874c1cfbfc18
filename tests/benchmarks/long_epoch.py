"""A training whose images are many times the memory: an epoch, and the cost of a step.

The data are synthetic images of 64 x 64 x 3 pixels, 12 GB before compression. `epoch` is the
command `train` for one epoch of all of them. `step` are steps of the same model on a few and on all
images, in turn, each in a process of its own, without what comes before the first.

    python tests/benchmarks/long_epoch.py [--examples 10000 1000000] [--steps 70] [--repeats 3]
        [--folder DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from children import arguments, do_work, report, run_command, run_works
from split_memory import make_data

PIXELS, NOISE = 64, 32
CONFIG = Path(__file__).parents[2] / "configs" / "zszu_mnist.yaml"
SETTINGS = (
    *("model.args.width=8", "model.args.hidden_dim=64", "model.args.variant_stride=2"),
    "train.batch_size=128",
)
BUDGETS = (
    "train.epochs=1",
    "train.warmup_steps=0",
    "judge.steps=100",
    "judge.width=8",
    "evaluate.probe_examples=2000",
)


def measure_epoch(python: str, data: Path) -> dict[str, float]:
    """Runs `train` for an epoch; returns CPU seconds and peak MiB of the process."""
    settings = [word for setting in (*SETTINGS, *BUDGETS) for word in ("--set", setting)]
    with tempfile.TemporaryDirectory() as out:
        words = [str(CONFIG), "--data", str(data), "--out", f"{out}/bundle", *settings]
        return run_command(python, "train", *words)


def take_steps(_: str, data: str, steps: str) -> Callable[[], int]:
    """Returns a work that trains for some steps on random rows of a data set, and their number."""
    import keras

    from latentloom.model_zoo.training.batches import Batches, Feed
    from latentloom.model_zoo.training.schedule import Schedule, optimizer
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.dataset.directory import DatasetDir
    from latentloom.pipeline.training.fit_bundle import new_model

    dataset = DatasetDir.open(Path(data))
    examples, config = dataset.read("train"), load_config(CONFIG, SETTINGS)
    shape, count = examples.observations.shape[1:], int(steps)
    model = new_model(config, shape, dataset.manifest.factors)
    model.compile(optimizer(model, Schedule(epochs=2), count), steps_per_execution=10)

    def feed(seed: int, most_steps: int) -> Feed:
        settings = {"batch_size": 128, "value_range": model.value_range, "seed": seed}
        labels = examples.labels
        return Feed(Batches(examples.observations, labels, most_steps=most_steps, **settings))

    def train(seed: int, most_steps: int) -> None:
        keras.Model.fit(model, feed(seed, most_steps), shuffle=False, verbose=0)

    train(0, 10)  # compiles the step
    return lambda: train(1, count) or count


def main() -> None:
    """Writes the data sets, takes the steps in turn, then runs the epoch."""
    parser = arguments(__doc__)
    parser.add_argument("--examples", type=int, nargs=2, default=[10_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=70)
    parser.add_argument("--folder", type=Path, help="where the data sets go, and stay")
    options = parser.parse_args()
    if options.work:
        return do_work({"step": take_steps}, *options.work)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        sizes = dict(zip(("few", "all"), options.examples, strict=True))
        data = {name: data_set(folder / name, size) for name, size in sizes.items()}
        steps = measure_steps(options, data)
        epoch = measure_epoch(options.python, data["all"])
    report(options, {"examples": sizes, "step": steps, "epoch": epoch})


def data_set(folder: Path, examples: int) -> Path:
    """Writes a data set, unless an earlier run left it."""
    if not (folder / "manifest.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        make_data(folder, examples, PIXELS, NOISE)
    return folder


def measure_steps(options: argparse.Namespace, data: Mapping[str, Path]) -> dict[str, object]:
    """CPU milliseconds of a step on both data sets in turn, and their ratio, turn by turn."""
    milliseconds: dict[str, list[float]] = {name: [] for name in data}
    options.repeats, repeats = 1, options.repeats
    for _ in range(repeats):
        for name, folder in data.items():
            (run,) = run_works(options, ["step"], str(folder), str(options.steps))["step"]
            milliseconds[name].append(1000 * run["work_cpu_seconds"] / options.steps)
    turns = [b / a for a, b in zip(*milliseconds.values(), strict=True)]
    medians = {name: round(statistics.median(found), 1) for name, found in milliseconds.items()}
    spread = [round(min(turns), 3), round(max(turns), 3)]
    return {"cpu_ms": medians, "ratio": round(statistics.median(turns), 3), "range": spread}


if __name__ == "__main__":
    main()
