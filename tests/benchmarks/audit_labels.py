"""Precision and recall of the label suspects of `audit` on MNIST with wrong labels.

    python tests/benchmarks/audit_labels.py DIR [--images 2000] [--wrong 0.05] [--seeds 3]

DIR has the four idx files of MNIST, or of Fashion-MNIST.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from latentloom.pipeline.auditing.measures.label_suspects import find_suspects
from latentloom.pipeline.auditing.survey import Survey
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.importing.import_dataset import import_dataset


def with_wrong_labels(examples: Examples, share: float, seed: int) -> Examples:
    """The same examples, a share of them with another label, drawn evenly."""
    rng = np.random.default_rng(seed)
    labels, classes = examples.labels.copy(), int(examples.labels.max()) + 1
    wrong = rng.choice(len(labels), round(share * len(labels)), replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, classes, len(wrong))) % classes
    return Examples(examples.observations, {"label": labels}, examples.ids)


def measure(train: Examples, share: float, seed: int) -> str:
    """Says how many of the suspects are wrong, and how many of the wrong labels are suspects."""
    given, started, none = with_wrong_labels(train, share, seed), time.monotonic(), np.zeros(0)
    splits = {"train": slice(0, len(given))}
    survey = Survey(given, splits, none, none, none, none, {}, seed)
    suspects = find_suspects(survey, "image", [], lambda done, total: None)
    wrong = given.labels != train.labels
    right, accuracies = wrong[suspects.rows], suspects.accuracies
    return (
        f"seed {seed}: {len(right)} suspects, precision {right.mean():.3f}, recall "
        f"{right.sum() / wrong.sum():.3f}, accuracies {accuracies[0]:.3f} and {accuracies[1]:.3f}, "
        f"{time.monotonic() - started:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--wrong", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole = import_dataset(f"idx:{given.data}", Path(folder, "data")).read("train")
        for seed in range(given.seeds):
            train = choose(whole, given.images, seed, "audit labels").loaded()
            print(measure(train, given.wrong, seed), flush=True)


if __name__ == "__main__":
    main()
