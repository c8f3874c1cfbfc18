"""Share of a training step of GZS-Net that it takes to make the step's batch of groups.

The batch is made from random images with the factors of the embedded fonts; the step is that of
the default network with the full cover, compiled as `fit` compiles it. Both run in turn in one
process; `share_cpu` holds where others use the machine. `fit` makes batches in a thread of its own
beside the steps: below 100 % they are never waited for, where a core is free.

    python tests/benchmarks/group_sampler.py [--sides 32 64 128] [--examples 4096]
        [--batch-size 32] [--repeats 20] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from latentloom.model_zoo.backend.devices import uses_xla
from latentloom.model_zoo.registry import build_model
from latentloom.model_zoo.training.batches import Batches
from latentloom.model_zoo.training.fit import sampler
from latentloom.model_zoo.training.schedule import Schedule, optimizer

SIZES = {"label": 52, "size": 3, "ink": 10, "background": 10, "font": 21}


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(side: int, options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of a batch and of a step at one image size, medians."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (options.examples, side, side, 3), dtype=np.uint8)
    factors = {name: rng.integers(size, size=options.examples) for name, size in SIZES.items()}
    keras.utils.set_random_seed(0)
    model = build_model("gzs_net", {}, images.shape[1:], SIZES["label"], factor_sizes=SIZES)
    settings = {"batch_size": options.batch_size, "value_range": model.value_range, "seed": 0}
    batches: Batches = sampler(model, images, factors)(images, factors, **settings)
    steps = len(batches)
    model.compile(optimizer(model, Schedule(epochs=10), steps), jit_compile=uses_xla())
    times: dict[str, list[tuple[float, float]]] = {"batch": [], "step": []}
    for repeat in range(options.repeats + 2):
        ready = batches[repeat % steps]
        taken = {
            "batch": seconds(lambda: batches[(repeat + 1) % steps]),  # noqa: B023
            "step": seconds(lambda: model.train_on_batch(*ready)),  # noqa: B023
        }
        if repeat >= 2:  # the first two compile and warm up
            for name, value in taken.items():
                times[name].append(value)
    wall, cpu = (
        {name: statistics.median(taken[clock] for taken in some) for name, some in times.items()}
        for clock in (0, 1)
    )
    return {
        "side": side,
        "batch_ms": round(1e3 * wall["batch"], 2),
        "step_ms": round(1e3 * wall["step"], 1),
        "share": round(wall["batch"] / wall["step"], 4),
        "share_cpu": round(cpu["batch"] / cpu["step"], 4),
    }


def main() -> None:
    """Measures every size and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", nargs="+", type=int, default=[32, 64, 128])
    parser.add_argument("--examples", type=int, default=4096)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--out", type=Path, default=None, help="file for the JSON")
    options = parser.parse_args()
    result = {
        "benchmark": "group_sampler",
        "backend": keras.backend.backend(),
        "processor": platform.processor() or platform.machine(),
        "groups_a_batch": options.batch_size,
        "images_a_group": 1 + len(SIZES),
        "sizes": [measure(side, options) for side in options.sides],
    }
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
