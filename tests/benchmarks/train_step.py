"""Images per second of the training step of every zoo model, against the same step in PyTorch.

Every model of the registry and the classifier run on each backend beside twins of them in a plain
PyTorch loop: same batches, same networks, same loss terms and stop-gradients, same Adam, as many
draws of noise. The twins are first checked against the models: outputs, loss terms, gradients and
the size of Adam's first step. Each framework has a process of its own; they are asked in turn, so
that the ratios hold where absolute times are noisy. `ratio` is PyTorch's time over ours, the median
of the rounds: from 1 up we are at least as fast. `fit` is the step as `model.fit` takes it, with
its data pipeline. `floor` is the share of the step that the hardware cannot do without (see
`training_step/floor.py`). Where a model learns from groups, a group counts as one image.

    python tests/benchmarks/train_step.py [--models zszu_vae gzs_net elegant classifier]
        [--args '{"cir_weight": 0.01}']
        [--backends tensorflow jax torch] [--batch-sizes 128] [--precisions float32 bfloat16]
        [--image 28 28 1] [--repeats 7] [--steps 10] [--threads N] [--out FILE]
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training_step.floor import PASSES, step_costs
from training_step.processes import Worker, race, started
from training_step.report import print_table, processor, rows_of, warn_of_others
from training_step.workers import serve

FRAMEWORKS = ("tensorflow", "jax", "torch")
CLASSES = 10
TOLERANCE = 1e-4
TOLERANCES_OF_STEPS = {
    "d/d ": 1e-2,  # a ReLU within rounding of zero may pass a gradient on one side only
    "update of ": 1e-2,
}
FIT_REPEATS = 2


def check_twin(
    keras: Worker, torch: Worker, config: Mapping[str, Any], case: Mapping[str, Any]
) -> dict[str, float]:
    """How far outputs, loss terms, gradients and updates of a model and its twin are apart.

    Raises:
        RuntimeError: Too far.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "step.npz")
        asked = {key: case[key] for key in ("model", "args", "image")}
        keras.ask("reference", path=path, classes=CLASSES, **asked)
        answer = torch.ask("differences", config=config, path=path)
    for name, difference in answer["differences"].items():
        of_steps = (t for prefix, t in TOLERANCES_OF_STEPS.items() if name.startswith(prefix))
        tolerance = next(of_steps, TOLERANCE)
        if not difference <= tolerance:
            raise RuntimeError(
                f"The PyTorch twin of '{case['model']}' is none. Expected: a relative difference "
                f"up to {tolerance}. Received: {name} differs by {difference:.1e}. "
                "Bring the twin up to date with the model."
            )
    if answer["parameters"] != config["parameters"]:
        raise RuntimeError(
            f"The PyTorch twin of '{case['model']}' is none. Expected: {config['parameters']} "
            f"parameters. Received: {answer['parameters']}. "
            "Bring the twin up to date with the model."
        )
    return answer["differences"]


def build_twin(
    keras: Worker, torch: Worker, config: Mapping[str, Any], precision: str
) -> dict[str, Any]:
    """Makes the loop of the twin, over the batches of its model."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "batches.npz")
        keras.ask("batches", path=path)
        return torch.ask("build", config=config, path=path, precision=precision)


def measure(
    workers: Mapping[str, Worker], case: Mapping[str, Any], options: argparse.Namespace
) -> dict[str, Any]:
    """All times of a model, batch size and precision."""
    asked = {key: case[key] for key in ("model", "args", "image", "batch_size", "precision")}
    ours = {name: worker for name, worker in workers.items() if name != "torch"}
    built = {
        name: worker.ask("build", classes=CLASSES, steps=options.steps, **asked)
        for name, worker in ours.items()
    }
    first, description = next(iter(built.items()))
    config = description["config"]
    result, racing = {**case, "parameters": config["parameters"]}, dict(ours)
    if "torch" in workers and case["model"] in workers["torch"].about["twins"]:
        racing["torch"] = workers["torch"]
        result["differences"] = check_twin(ours[first], racing["torch"], config, case)
        result |= build_twin(ours[first], racing["torch"], config, case["precision"])
    result["rounds"] = race(racing, options.steps, options.repeats)
    fits = {n: [w.ask("fit")["seconds"] for _ in range(FIT_REPEATS)] for n, w in ours.items()}
    result["fit_seconds"] = {n: [s / options.steps for s in taken] for n, taken in fits.items()}
    if case["model"] in PASSES:
        passes, sizes = PASSES[case["model"]](config), (case["batch_size"], case["precision"])
        result["costs"] = step_costs(passes, description["layers"], *sizes)
    return result


def cases(
    options: argparse.Namespace, models: Sequence[str], on_gpu: bool
) -> Iterator[dict[str, Any]]:
    """Every combination that is measured."""
    precisions = options.precisions or (["float32", "bfloat16"] if on_gpu else ["float32"])
    for model, precision, batch_size in itertools.product(
        options.models or models, precisions, options.batch_sizes
    ):
        sizes = {"batch_size": batch_size, "image": options.image}
        yield {"model": model, "args": options.args, "precision": precision, **sizes}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measures every case and prints its rows."""
    with started(__file__, options.backends, options.threads) as workers:
        ours = [worker for name, worker in workers.items() if name != "torch"]
        if not ours:
            raise SystemExit("No Keras backend is left to measure. Install tensorflow or jax.")
        measurer = workers.get("torch", ours[0])
        about, models = measurer.about, ours[0].ask("models")["models"]
        rates: dict[str, dict[str, float]] = {}
        rows, measurements = [], []
        for case in cases(options, models, about["device"] == "gpu"):
            precision = case["precision"]
            if precision not in rates:
                rates[precision] = measurer.ask("rates", precision=precision)
            measurements.append(measure(workers, case, options))
            rows += rows_of(measurements[-1], rates[precision])
        print_table(rows)
        warn_of_others(measurements)
        return {
            "benchmark": "train_step",
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "device": about["name"] or processor(),
            "threads": options.threads,
            "python": platform.python_version(),
            "versions": {k: v for w in workers.values() for k, v in w.about["versions"].items()},
            "idle_cpu_seconds": {n: round(w.idle_cpu_seconds, 2) for n, w in workers.items()},
            "rates": rates,
            "rows": rows,
            "measurements": measurements,
        }


def main() -> None:
    """Reads the options, and runs as the command or as one of its processes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=None, help="default: all")
    parser.add_argument("--args", type=json.loads, default={}, help="of the model, as JSON")
    parser.add_argument("--backends", nargs="+", default=list(FRAMEWORKS), choices=FRAMEWORKS)
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[128])
    parser.add_argument("--precisions", nargs="+", choices=("float32", "bfloat16"), default=None)
    parser.add_argument("--image", nargs=3, type=int, default=[28, 28, 1])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=cores)
    parser.add_argument("--out", type=Path, default=None, help="file for the JSON")
    parser.add_argument("--worker", choices=FRAMEWORKS, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve(options.worker, options.threads)
        return
    result = run(options)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
