"""Images a CPU-second of `generate` by two builds, run in turn: recipes by sizes of images.

Each build imports the same images for itself and stays one process, whose first run of a recipe
warms it up. Both run the bundle that the other interpreter trained for a minute or so, on one
thread. The gate is on and judges every candidate, and all pass: the judge prefers no class. So
costs do not depend on how well a short training went. Starting up is part of a run, so that few
images understate the ratio.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

RECIPES = ("class_preserving", "sample_class", "swap_zu")
EXAMPLES = {28: 60_000, 64: 4_000, 128: 1_500}
"""Sides of the images in pixels, and the number of examples of each."""
CLASSES, SHARDS = 10, 4
TRAINING = {"data.limit": 500, "train.epochs": 6, "train.batch_size": 32, "judge.epochs": 1}
MODEL = "model: {name: zszu_vae, args: {zu_dim: 16, noise_variance: 10.0, adversary_weight: 0.0}}"
"""Learns the classes of these images in seconds; a step of `generate` costs what it always does."""
GATE = {"generate.gate.enabled": "true", "generate.gate.min_confidence": 0.0}


class Worker:
    """A process of an interpreter that runs `generate` of the latentloom installed for it.

    Args:
        python: The interpreter.
        name: Name of the build.
    """

    def __init__(self, python: str, name: str):
        self.name = name
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("generate_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer.

        Raises:
            RuntimeError: The process ended.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(f"The worker of the {self.name} build has no pipes.")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise RuntimeError(f"The worker of the {self.name} build ended; see its errors above.")
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def class_images(folder: Path, side: int, count: int) -> Path:
    """Writes images of smooth noise with a bright field whose place tells the class."""
    rng, cell = np.random.default_rng(0), -(-side // 7)
    channels = 1 if side < 64 else 3
    labels = np.arange(count) % CLASSES
    coarse = rng.integers(0, 160, (count, 7, 7, channels), dtype=np.uint8)
    coarse[coarse < 100] = 0
    images = coarse.repeat(cell, axis=1).repeat(cell, axis=2)[:, :side, :side]
    for label in range(CLASSES):
        top, left = label // 5 * (side // 2), label % 5 * (side // 5)
        images[labels == label, top : top + side // 2, left : left + side // 5] |= 192
    np.savez(folder / "images.npz", images=images, label=labels)
    return folder / "images.npz"


def compare(
    other: str, sides: Sequence[int], recipes: Sequence[str], repeats: int, folder: Path
) -> list[dict[str, Any]]:
    """Runs both builds in turn.

    Args:
        other: The interpreter of the other build.
        sides: Sides of the images in pixels.
        recipes: Names of recipes.
        repeats: Number of turns, besides one that warms up.
        folder: An empty folder.

    Returns:
        A row per side and recipe.
    """
    workers = (Worker(other, "other"), Worker(sys.executable, "this"))
    try:
        return [
            _compare_runs(workers, place, recipe, repeats) | {"side": side}
            for side in sides
            for place in (_prepare(workers, folder / str(side), side),)
            for recipe in recipes
        ]
    finally:
        for worker in workers:
            worker.close()


def _prepare(workers: Sequence[Worker], folder: Path, side: int) -> Path:
    """Makes images, a data set of each build and the one bundle; returns the folder."""
    folder.mkdir()
    images = class_images(folder, side, EXAMPLES[side])
    config = folder / "config.yaml"
    config.write_text(MODEL)
    for worker in workers:
        worker.ask(
            do="prepare",
            images=str(images),
            data=str(folder / f"data_{worker.name}"),
            model=str(folder / "bundle"),
            config=str(config),
            settings=[f"{key}={value}" for key, value in TRAINING.items()],
            shards=SHARDS,
        )
    return folder


def _compare_runs(
    workers: Sequence[Worker], folder: Path, recipe: str, repeats: int
) -> dict[str, Any]:
    rates: dict[str, list[float]] = {worker.name: [] for worker in workers}
    totals: dict[str, Any] = {}
    for turn in range(repeats + 1):
        for worker in workers if turn % 2 else workers[::-1]:
            made = worker.ask(
                do="run",
                data=str(folder / f"data_{worker.name}"),
                model=str(folder / "bundle"),
                out=str(folder / "out"),
                config=str(folder / "config.yaml"),
                settings=[f"{k}={v}" for k, v in GATE.items()] + [f"generate.recipe={recipe}"],
            )
            shutil.rmtree(folder / "out")
            totals[worker.name] = (made["requested"], made["written"])
            if turn:  # the first one warms up
                rates[worker.name].append(made["written"] / made["cpu"])
    print(recipe, rates, file=sys.stderr)
    ratios = [this / other for this, other in zip(rates["this"], rates["other"], strict=True)]
    return {
        "recipe": recipe,
        "accepted": {name: round(made / asked, 3) for name, (asked, made) in totals.items()},
        "images_per_cpu_second": {n: round(statistics.median(r)) for n, r in rates.items()},
        "ratio": round(statistics.median(ratios), 3),
        "range": [round(min(ratios), 3), round(max(ratios), 3)],
    }
