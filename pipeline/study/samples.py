"""The real examples of one size and seed of a study, and what its arms mix with them."""

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
from latentloom.pipeline.study.subsets import draw_subset
from latentloom.pipeline.study.ties import draw_tied


@dataclass(frozen=True)
class StudyData:
    """What every sample of a study is drawn from.

    Args:
        config: The configuration.
        dataset: The data set.
        train: Its training split.
        test: The test examples that are scored on.
        given: `--generated` or `--model` with its path, or nothing.
        out: Directory of the study.
    """

    config: Config
    dataset: DatasetDir
    train: Examples
    test: Examples
    given: Mapping[str, Path]
    out: Path

    def draw_rows(self, size: int | None, seed: int) -> np.ndarray:
        """Rows of the real examples of a size and a seed, tied where the study says so."""
        ties = self.config.study.ties
        if ties and size is not None:
            return draw_tied(self.train, size, ties, self.dataset.manifest.factors, seed)
        return draw_subset(self.train, size, seed)

    def others(self, rows: np.ndarray) -> Examples:
        """The training examples that are not in these rows."""
        return self.train.take(np.setdiff1d(np.arange(len(self.train)), rows))


@dataclass(frozen=True)
class RealSample:
    """The real examples of one size and seed, and what is mixed with them, when it is needed.

    Args:
        data: What it is drawn from.
        size: Examples of each class, or none for all.
        seed: Seed of the draw, the generator and the classifiers.
        remark: Told what is being done.
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
        """Where data, bundle and pools lie."""
        return self.data.out / "generators" / self.name

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """Rows of the real examples in the training split."""
        return self.data.draw_rows(self.size, self.seed)

    @functools.cached_property
    def real(self) -> Examples:
        """The real examples, none of which is scored on."""
        real = self.data.train.take(self.rows)
        check_unseen(real, self.data.test)
        return real

    @functools.cached_property
    def untied(self) -> Examples:
        """As many real examples of each class whose label is tied to nothing."""
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
        """What a run mixes with the real examples."""
        if run.arm.pool is None:
            return None
        if run.arm.pool == REPEATED:
            return self.base(run.arm)
        if run.arm.pool != MORE_REAL:
            return self.pools[run.arm.pool]
        others = self.data.others(self.rows)
        return others.take(draw_subset(others, more_real(run), self.seed))


def more_real(run: Run) -> int:
    """Examples of each class that an oracle has more.

    Raises:
        ValueError: The study uses all real examples, so that there are no more.
    """
    if run.size is None:
        raise ValueError(
            "There are no more real examples. Expected: an oracle where a study uses some of "
            "them. Received: study.arms with 'oracle', and all. Drop it from `study.arms`."
        )
    return round(run.ratio * run.size)


def check_unseen(real: Examples, test: Examples) -> None:
    """Refuses test examples among those that generator, judge and classifier learn from."""
    both = set(real.ids) & set(test.ids)
    if both:
        raise ValueError(
            f"Example '{min(both)}' is among the training and the test examples. Expected: none of "
            f"both. Received: {len(both)} such examples. Import the data with splits of its own."
        )
