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
from pathlib import Path

from latentloom.pipeline.auditing.measures.ties import measure_ties
from latentloom.pipeline.auditing.schema import Tie
from latentloom.pipeline.auditing.survey import Survey, survey_examples
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples, Factors
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.study.subsets import draw_subset
from latentloom.pipeline.study.ties import draw_tied

TIED = "ink"


def whole_survey(dataset: DatasetDir) -> Survey:
    """The survey of all training images; draws select its rows."""
    train = dataset.read("train").loaded()
    return survey_examples(
        train, {"train": slice(0, len(train))}, "image", 0, lambda done, total: None
    )


def drawn(whole: Survey, factors: Factors, share: float, size: int, seed: int) -> Survey:
    """The survey of a draw with a tie of this share; 0 for none."""
    rows = (
        draw_tied(whole.examples, size, {TIED: share}, factors, seed)
        if share
        else draw_subset(whole.examples, size, seed)
    )
    known = Examples(
        rows,
        {n: c[rows] for n, c in whole.examples.factors.items()},
        [whole.examples.ids[row] for row in rows],
    )
    properties = {name: column[rows] for name, column in whole.properties.items()}
    columns = (whole.digests[rows], whole.constant[rows], whole.hashes[rows], whole.waves[rows])
    return Survey(known, {"train": slice(0, len(rows))}, *columns, properties, seed)


def measured(of_draw: Survey, factors: Factors, named: bool) -> list[Tie]:
    """The ties of a draw, with or without the name of the ink."""
    kept = {name: values for name, values in factors.items() if named or name != TIED}
    return measure_ties(of_draw, kept, [])


def measure(name: str, dataset: DatasetDir, draws: int, images: int) -> None:
    """Prints a row for every kind of data set."""
    whole, factors = whole_survey(dataset), dataset.manifest.factors
    size = images // len(factors["label"])
    for share, named in itertools.product((0.9, 0.95, 0.0), (True, False)):
        started, found, strengths, claimed = time.monotonic(), 0, [], {}
        for seed in range(draws):
            ties = measured(drawn(whole, factors, share, size, seed), factors, named)
            of_ink = [tie for tie in ties if tie.factor == TIED or (not named and tie.found)]
            found += any(tie.found for tie in (of_ink if share else ties))
            strengths.append(max((tie.strength for tie in of_ink), default=0.0))
            for tie in ties:
                claimed[tie.factor] = claimed.get(tie.factor, 0) + tie.found
        what = f"tie of {share:g}" if share else "no tie"
        claims = ", ".join(f"{factor} {count}" for factor, count in claimed.items() if count)
        print(
            f"{name:8}{what:12}{'named' if named else 'hidden':8}found in {found} of {draws}, "
            f"least strength {min(strengths):.2f}, {(time.monotonic() - started) / draws:.2f} s "
            f"each; {claims}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--images", type=int, default=600)
    given = parser.parse_args()
    digits = f"idx:{given.mnist}" if given.mnist else "builtin:digits"
    with tempfile.TemporaryDirectory() as folder:
        sources = {"digits": (digits, {"inks": 10}), "letters": ("builtin:letters", {})}
        for name, (source, options) in sources.items():
            dataset = import_dataset(source, Path(folder, name), **options)
            measure(name, dataset, given.draws, given.images)


if __name__ == "__main__":
    main()
