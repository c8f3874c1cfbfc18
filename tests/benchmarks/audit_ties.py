"""How often `audit` finds a tie that is there, and claims one that is not.

    python tests/benchmarks/audit_ties.py [--mnist DIR] [--draws 100] [--images 600]

Draws data sets of letters (`builtin:letters`) and of digits in ten inks (MNIST, or the embedded
digits without --mnist): tied to the ink in 90 % or 95 % of the images, or not tied at all; with the
ink as a factor, or left out, so that the properties of the images must show it.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from latentloom.pipeline.auditing.measures.ties import measure_ties
from latentloom.pipeline.auditing.survey import Survey, survey_examples
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples, Factors
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.inks import COLOURS
from latentloom.pipeline.study.subsets import draw_subset
from latentloom.pipeline.study.ties import draw_tied

TIED = "ink"

Draw = Callable[[float, int], Examples]
"""Draws examples with a tie of a share, 0 for none, by a seed."""


def draw_letters(train: Examples, factors: Factors, size: int) -> Draw:
    """Draws letters that have the ink; other inks of a class are evenly frequent."""

    def draw(share: float, seed: int) -> Examples:
        if share:
            return train.take(draw_tied(train, size, {TIED: share}, factors, seed))
        return train.take(draw_subset(train, size, seed))

    return draw


def draw_digits(train: Examples, size: int) -> Draw:
    """Draws grey digits and colours them, each with the ink of its class or another."""
    palette = np.array(list(COLOURS.values())) / 255

    def draw(share: float, seed: int) -> Examples:
        digits, rng = train.take(draw_subset(train, size, seed)), np.random.default_rng(seed)
        others = (digits.labels + rng.integers(1, len(palette), len(digits))) % len(palette)
        inks = np.where(
            rng.random(len(digits)) < (share or 1 / len(palette)), digits.labels, others
        )
        images = np.rint(digits.observations * palette[inks][:, None, None]).astype(np.uint8)
        return Examples(images, {"label": digits.labels, TIED: inks}, digits.ids)

    return draw


def surveyed(examples: Examples, seed: int) -> Survey:
    """The survey of drawn examples."""
    splits = {"train": slice(0, len(examples))}
    return survey_examples(examples, splits, "image", seed, lambda done, total: None)


def measure(name: str, draw: Draw, factors: Factors, draws: int) -> None:
    """Prints a row for every kind of data set."""
    for share, is_named in itertools.product((0.9, 0.95, 0.0), (True, False)):
        kept = {name: values for name, values in factors.items() if is_named or name != TIED}
        started, claimed, strengths, found = time.monotonic(), Counter(), [1.0], 0
        for seed in range(draws):
            ties = measure_ties(surveyed(draw(share, seed), seed), kept, [])
            claims = {tie.factor: tie.strength for tie in ties if tie.found}
            claimed.update(claims.keys())
            if share and is_named:
                found += TIED in claims
                strengths.append(claims.get(TIED, 0.0))
            else:
                found += bool(claims)
                strengths.append(max(claims.values(), default=0.0))
        what = f"tie of {share:g}" if share else "no tie"
        print(
            f"{name:8}{what:12}{'named' if is_named else 'hidden':8}claimed in {found} of {draws}, "
            f"least strength {min(strengths):.2f}, {(time.monotonic() - started) / draws:.2f} s "
            f"each; {', '.join(f'{factor} {count}' for factor, count in claimed.items())}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--images", type=int, default=600)
    given = parser.parse_args()
    size = given.images // 10
    with tempfile.TemporaryDirectory() as folder:
        source = f"idx:{given.mnist}" if given.mnist else "builtin:digits"
        digits: DatasetDir = import_dataset(source, Path(folder, "digits"))
        letters: DatasetDir = import_dataset("builtin:letters", Path(folder, "letters"))
        inked = digits.manifest.factors | {TIED: list(COLOURS)}
        measure("digits", draw_digits(digits.read("train"), size), inked, given.draws)
        of_letters = letters.manifest.factors
        draw = draw_letters(letters.read("train"), of_letters, size)
        measure("letters", draw, of_letters, given.draws)


if __name__ == "__main__":
    main()
