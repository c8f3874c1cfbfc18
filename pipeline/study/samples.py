"""The real examples of one size and seed of a study, and the examples that its arms mix in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.study.arms import MORE_REAL, REPEATED, Arm, Run
from latentloom.pipeline.study.generators import given_pools, make_pools
from latentloom.pipeline.study.own_files import GENERATORS
from latentloom.pipeline.study.subsets import draw_subset
from latentloom.pipeline.study.ties import draw_tied


@dataclass(frozen=True)
class StudyData:
    """The data from which all samples of a study are drawn.

    Args:
        config: The configuration.
        dataset: The data set.
        train: Its training split.
        test: The test examples to score on.
        given: `--generated` or `--model` with its path, or empty.
        out: Directory of the study.
    """

    config: Config
    dataset: DatasetDir
    train: Examples
    test: Examples
    given: Mapping[str, Path]
    out: Path

    def draw_rows(self, size: int | None, seed: int) -> np.ndarray:
        """Rows of the real examples of a size and a seed, tied if the study has ties and a size."""
        ties = self.config.study.ties
        if ties and size is not None:
            return draw_tied(self.train, size, ties, self.dataset.manifest.factors, seed)
        return draw_subset(self.train, size, seed)

    def others(self, rows: np.ndarray) -> Examples:
        """The training examples that are not in these rows."""
        return self.train.take(np.setdiff1d(np.arange(len(self.train)), rows))


@dataclass(frozen=True)
class RealSample:
    """The real examples of one size and seed and the examples to mix in, computed on first use.

    Args:
        data: The data to draw from.
        size: Examples of each class; None for all.
        seed: Seed of the draw, the generator and the classifiers.
        remark: Called with the name of every step.
    """

    data: StudyData
    size: int | None
    seed: int
    remark: Callable[[str], None]

    @property
    def name(self) -> str:
        """Size and seed as part of a path."""
        return f"{self.size or 'all'}_{self.seed}"

    @property
    def folder(self) -> Path:
        """Folder of data, bundle and pools."""
        return self.data.out / GENERATORS / self.name

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """Rows of the real examples in the training split."""
        return self.data.draw_rows(self.size, self.seed)

    @functools.cached_property
    def real(self) -> Examples:
        """The real examples; raises `ValueError` if a test example is among them."""
        real = self.data.train.take(self.rows)
        check_unseen(real, self.data.test)
        return real

    @functools.cached_property
    def untied(self) -> Examples:
        """Equally many real examples of each class, whose label is not tied."""
        return self.data.train.take(draw_subset(self.data.train, self.size, self.seed))

    @functools.cached_property
    def pools(self) -> Mapping[str, Examples]:
        """Generated examples by pool."""
        config, dataset = self.data.config, self.data.dataset
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.data.given:
            return given_pools(config, dataset, self.folder, self.data.given, self.remark)
        return make_pools(config, dataset, self.real, self.seed, self.folder, self.remark)

    def base(self, arm: Arm) -> Examples:
        """The real examples of an arm."""
        return self.untied if arm.untied else self.real

    def mixed(self, run: Run) -> Examples | None:
        """The examples that a run mixes with the real ones, or None."""
        if run.arm.pool is None:
            return None
        if run.arm.pool == REPEATED:
            return self.base(run.arm)
        if run.arm.pool != MORE_REAL:
            return self.pools[run.arm.pool]
        others = self.data.others(self.rows)
        return others.take(draw_subset(others, more_real(run), self.seed))


def more_real(run: Run) -> int:
    """Number of further real examples of each class for the arm `oracle`.

    Raises:
        ValueError: The study uses all real examples, so none are left.
    """
    if run.size is None:
        raise ValueError(
            "No real examples are left for 'oracle'. Expected: 'oracle' only if a study uses some "
            "of them. Received: study.arms with 'oracle', and all. Drop it from `study.arms`."
        )
    return round(run.ratio * run.size)


def check_unseen(real: Examples, test: Examples) -> None:
    """Rejects training examples that are also test examples."""
    both = set(real.ids) & set(test.ids)
    if both:
        raise ValueError(
            f"Example '{min(both)}' is a training and a test example. Expected: disjoint splits. "
            f"Received: {len(both)} shared examples. Import the data with disjoint splits."
        )
