"""CPU seconds of training `zszu_mnist.yaml` to its figures, by this build and by an earlier one.

Each build trains with the configuration that it comes with, both at the same time, on a thread
each, so that the ratio is of one time. Then this build is evaluated, and its figures are printed by
the short names of `arms.py`. What lies in the folder is not done again.

    python tests/benchmarks/compare_training.py [--seeds 0 1 2] [--folder build/compare_training]
        [--commit a8e6840] [--earlier build/earlier] [--mnist DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from arms import COLUMNS, ONE_THREAD
from builds import EARLIER, ROOT, earlier_python
from children import arguments, report, run_command

CONFIG = Path("configs", "zszu_mnist.yaml")


def train(
    build: str, python: str, config: Path, seed: int, options: argparse.Namespace
) -> dict[str, float]:
    """Trains with one build; returns CPU seconds and peak memory, for this build with figures."""
    folder = options.folder.resolve() / f"{build}_{seed}"
    data, bundle, done = folder.parent / f"{build}_data", folder / "bundle", folder / "costs.json"
    if not done.exists():
        words = [str(config), "--data", str(data), "--out", str(bundle), "--overwrite"]
        costs = run_command(python, "train", *words, "--set", f"train.seed={seed}")
        done.write_text(json.dumps(costs))
    figures = json.loads(done.read_text())
    if build == "new":
        figures |= evaluate(python, data, bundle, folder / "evaluation")
    print(build, seed, figures, file=sys.stderr, flush=True)
    return figures


def evaluate(python: str, data: Path, bundle: Path, out: Path) -> dict[str, float]:
    """Evaluates a bundle; returns its figures by the names of `COLUMNS`."""
    found = out / "evaluation.json"
    if not found.exists():
        words = ["--data", str(data), "--model", str(bundle), "--out", str(out)]
        run_command(python, "evaluate", *words)
    values = {n["key"]: n["value"] for n in json.loads(found.read_text())["numbers"]}
    return {name: values[key] for name, key in COLUMNS.items() if key in values}


def main() -> None:
    """Makes the earlier build and both data sets, trains, and prints figures and ratios."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "compare_training")
    parser.add_argument("--commit", default=EARLIER, help="commit of the earlier build")
    parser.add_argument("--earlier", type=Path, default=ROOT / "build" / "earlier")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    earlier = str(earlier_python(options.earlier, options.commit))
    builds = {
        "new": (options.python, ROOT / CONFIG),
        "earlier": (earlier, (options.earlier / "source" / CONFIG).resolve()),
    }
    for build, (python, _) in builds.items():
        data = options.folder.resolve() / f"{build}_data"
        if not data.exists():
            run_command(python, "import", f"idx:{Path(options.mnist).resolve()}", str(data))
    figures: dict[str, list[dict]] = {build: [] for build in builds}
    for seed in options.seeds:
        with ThreadPoolExecutor(len(builds)) as pool:
            runs = [pool.submit(train, name, *of, seed, options) for name, of in builds.items()]
            for name, run in zip(builds, runs, strict=True):
                figures[name].append(run.result())
    pairs = zip(figures["new"], figures["earlier"], strict=True)
    ratios = [round(new["cpu_seconds"] / old["cpu_seconds"], 3) for new, old in pairs]
    spread = {"ratios": ratios, "ratio": statistics.median(ratios)}
    report(options, {"seeds": options.seeds, **spread, **figures})


if __name__ == "__main__":
    main()
