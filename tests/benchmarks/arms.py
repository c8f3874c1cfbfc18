"""Trains and evaluates arms of one configuration, and tables and draws what they trade off.

An arm is the configuration with some settings changed. Each runs in processes of its own on one
thread, several at a time, and is skipped if it is finished, so that a killed run can be started
again. Arms are named in a YAML file: `{name: {setting: value}}`, beside `shared`, settings that
all arms have, `seeds`, and `columns`, the keys of the figures to table by a short name (those of
the zs/zu model if left out).

    python tests/benchmarks/arms.py ARMS.yaml --data DIR --out DIR [--jobs 2] [--plot FILE.png]

It writes `arms.json` under `--out` and prints a table: the mean over seeds of every figure, and
the largest distance of a seed from it. With several seeds a second table follows: the differences
of every arm from the first, of the same seed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
COLUMNS = {
    "zs acc": "model/accuracy/label",
    "MI": "information/class",
    "lin zu": "probe/linear/sampled/zu",
    "MLP zu": "probe/mlp/sampled/zu",
    "swap zs": "swap/own",
    "swap zu": "swap/other",
    "KL": "kl/zu",
    "active": "active_units/zu",
    "MSE": "reconstruction/ratio",
    "shuffled": "reconstruction/shuffled",
    "refitted": "prior/refitted",
    "centre": "prior/centre",
    "learnt": "prior/learnt",
    "kept": "variants/kept/label/before",
    "diversity": "variants/diversity",
    "Frechet": "fidelity/frechet",
    "precision": "fidelity/precision",
    "recall": "fidelity/recall",
    "CPU-s": "cpu_seconds",
}


def run_arm(config: Path, data: Path, folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of one arm with one seed; trains and evaluates it unless that was done."""
    done = folder / "evaluation" / "evaluation.json"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        changes = [part for k, v in settings.items() for part in ("--set", f"{k}={json.dumps(v)}")]
        places = ["--data", str(data), "--out", str(folder / "bundle")]
        costs = _latentloom(folder, "train", str(config), *places, *changes, "--resume")
        (folder / "costs.json").write_text(json.dumps(costs) + "\n")
        places = ["--data", str(data), "--model", str(folder / "bundle")]
        _latentloom(folder, "evaluate", *places, "--out", str(folder / "evaluation"))
    numbers = {n["key"]: n["value"] for n in json.loads(done.read_text())["numbers"]}
    return numbers | json.loads((folder / "costs.json").read_text())


def _latentloom(folder: Path, *arguments: str) -> dict[str, float]:
    """Runs a verb on one thread; returns its seconds and CPU seconds."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "latentloom.pipeline.command", *arguments]
    with open(folder / "log.txt", "ab") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | ONE_THREAD)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return {
        "seconds": round(time.monotonic() - begin),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime),
    }


def run_arms(plan: Mapping[str, Any], data: Path, out: Path, jobs: int) -> dict[str, list[dict]]:
    """The figures of every arm, one dictionary a seed."""
    config, seeds = Path(plan["config"]), plan.get("seeds", [0])

    def run(case: tuple[str, int]) -> dict[str, Any]:
        name, seed = case
        settings = plan.get("shared", {}) | (plan["arms"][name] or {}) | {"train.seed": seed}
        figures = run_arm(config, data, out / f"{name}_{seed}", settings)
        costs = f"{figures['seconds']:.0f} s, {figures['cpu_seconds']:.0f} CPU-s"
        print(f"{name}, seed {seed}: {costs} to train", file=sys.stderr, flush=True)
        return figures

    cases = [(name, seed) for seed in seeds for name in plan["arms"]]
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(run, cases))
    return {
        name: [r for r, case in zip(results, cases, strict=True) if case[0] == name]
        for name in plan["arms"]
    }


def table(results: Mapping[str, Sequence[Mapping[str, Any]]], columns: Mapping[str, str]) -> dict:
    """The figures of every arm by column, one row a seed, `(seeds, columns)`; NaN for none."""
    return {
        name: np.array([[run.get(figure) for figure in columns.values()] for run in runs], float)
        for name, runs in results.items()
    }


def print_table(figures: Mapping[str, np.ndarray], columns: Mapping[str, str], title: str) -> None:
    """One line an arm: mean over seeds and, beyond one seed, the largest distance from it."""
    width = max(len(title), *map(len, figures))
    print(f"{title:<{width}}", *(f"{column:>14}" for column in columns))
    for name, values in figures.items():
        means = values.mean(axis=0)
        spreads = np.abs(values - means).max(axis=0)
        cells = [
            f"{mean:.3f}" + (f"±{spread:.3f}" if len(values) > 1 else "")
            for mean, spread in zip(means, spreads, strict=True)
        ]
        print(f"{name:<{width}}", *(f"{cell:>14}" for cell in cells))


def print_arms(
    results: Mapping[str, Sequence[Mapping[str, Any]]], columns: Mapping[str, str]
) -> None:
    """Tables all arms and, beyond one seed, their differences from the first."""
    figures = table(results, columns)
    print_table(figures, columns, "")
    first, *others = figures
    if others and len(figures[first]) > 1:
        differences = {name: figures[name] - figures[first] for name in others}
        print_table(differences, columns, f"less {first}")


def draw(results: Mapping[str, Sequence[Mapping[str, Any]]], path: Path, title: str) -> None:
    """The trade-off: how much of the class leaks into zu, and what zu does to the variants."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    panels = {
        "diversity": "Diversity of class-preserving variants",
        "kept": "Class kept by variants, before the gate",
        "swap zs": "Swap: class follows zs",
    }
    figure = Figure(figsize=(4.2 * len(panels) + 2.6, 4.6), layout="constrained")
    leak = {name: np.mean([r[COLUMNS["MLP zu"]] for r in runs]) for name, runs in results.items()}
    colours = colormaps["tab20"].colors
    for axes, (column, label) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for number, (name, runs) in enumerate(results.items(), start=1):
            value = np.mean([run[COLUMNS[column]] for run in runs])
            marker = {"marker": "*", "s": 420} if number == 1 else {"marker": "o", "s": 130}
            colour = colours[(number - 1) % len(colours)]
            label_of = {"label": f"{number}  {name}"} if axes is figure.axes[0] else {}
            axes.scatter(value, leak[name], color=colour, alpha=0.8, **marker, **label_of)
            axes.annotate(f"{number}", (value, leak[name]), ha="center", va="center", fontsize=7)
        axes.axhline(0.2, color="0.6", lw=0.8, ls="--")
        axes.set(xlabel=label, ylabel="Class read from sampled zu by an MLP")
    figure.legend(loc="outside right center", frameon=False, fontsize=8, markerscale=0.6)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Runs the arms of a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("arms", type=Path, help="YAML: config, arms, shared, seeds, columns, title")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--plot", type=Path, help="PNG of what zs/zu arms trade off")
    arguments = parser.parse_args()
    plan = yaml.safe_load(arguments.arms.read_text())
    results = run_arms(plan, arguments.data, arguments.out, arguments.jobs)
    (arguments.out / "arms.json").write_text(json.dumps(results, indent=1) + "\n")
    print_arms(results, plan.get("columns", COLUMNS))
    if arguments.plot:
        draw(results, arguments.plot, plan.get("title", arguments.arms.stem))


if __name__ == "__main__":
    main()
