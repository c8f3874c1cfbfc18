"""What a data set lacks, as far as generation can fill it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.auditing.measures.cells import LEAST_EXPECTED
from latentloom.pipeline.auditing.measures.colours import find_colours
from latentloom.pipeline.auditing.schema import CellGrid, Tie
from latentloom.pipeline.auditing.survey import TRAIN, Survey
from latentloom.pipeline.dataset.examples import Factors

UNEQUAL = 1.5
"""Largest class over the smallest from which classes are unequal."""
MOST_CELLS = 20_000
"""Most cells of the grid that is filled."""


@dataclass(frozen=True)
class Missing:
    """What the data lack, as far as generation can fill it.

    Attributes:
        tied: Factors that the label is tied to, with some examples off the tie.
        sparse: Factors that have empty or rare cells with the label.
        colours: Those of the factors that are colours.
        apart: Factors of two values or more that vary apart from the label and one another.
        ratio: Largest class of split `train` over the smallest that has any example.
    """

    tied: list[str]
    sparse: list[str]
    colours: list[str]
    apart: list[str]
    ratio: float

    @property
    def recombined(self) -> list[str]:
        """The factors whose cells with the label are filled."""
        return list(dict.fromkeys([*self.tied, *self.sparse]))

    @property
    def is_unequal(self) -> bool:
        """Whether the classes are of unequal size."""
        return self.ratio >= UNEQUAL


def find_missing(
    survey: Survey,
    factors: Factors,
    ties: Sequence[Tie],
    cells: Sequence[CellGrid],
    imbalance: Mapping[str, float],
) -> Missing:
    """Finds what generation can fill; a tie without any example off it is none of that."""
    apart = vary_apart(survey, factors)
    tied = [tie.factor for tie in ties if tie.found and not tie.complete and tie.factor in apart]
    closed = {tie.factor for tie in ties if tie.complete}
    sparse = [name for name in sparse_factors(cells) if name in apart and name not in closed]
    recombined, room = [], MOST_CELLS // len(factors["label"])
    for name in dict.fromkeys([*tied, *sparse]):
        if math.prod(len(factors[each]) for each in (*recombined, name)) <= room:
            recombined.append(name)
    return Missing(
        tied=[name for name in tied if name in recombined],
        sparse=[name for name in sparse if name in recombined and name not in tied],
        colours=find_colours(survey, apart) if recombined else [],
        apart=apart,
        ratio=imbalance[TRAIN],
    )


def sparse_factors(cells: Sequence[CellGrid]) -> list[str]:
    """Returns the factors that have cells with the label that lack examples not by chance."""
    return [
        grid.factors[1]
        for grid in cells
        if grid.factors[0] == "label"
        and (grid.num_rare or any(cell.expected >= LEAST_EXPECTED for cell in grid.empty))
    ]


def vary_apart(survey: Survey, factors: Factors) -> list[str]:
    """Returns the factors that have two values or more and vary apart from all before them."""
    columns = {name: survey.examples.factors[name][survey.train] for name in factors}
    kept = ["label"]
    for name in list(factors)[1:]:
        sizes = [len(np.unique(columns[name]))]
        pairs = [np.stack([columns[name], columns[other]]) for other in kept]
        sizes += [len(np.unique(columns[other])) for other in kept]
        joint = [len(np.unique(pair, axis=1).T) for pair in pairs]
        is_same = any(both == sizes[0] == size for both, size in zip(joint, sizes[1:], strict=True))
        if sizes[0] > 1 and not is_same:
            kept.append(name)
    return kept[1:]
