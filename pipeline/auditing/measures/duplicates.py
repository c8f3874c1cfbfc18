"""Copies: equal observations, and images that are alike but for encoding, noise or light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from latentloom.model_zoo.metrics.perceptual_hash import close_pairs
from latentloom.pipeline.auditing.schema import (
    MOST_LISTED,
    CopiedExample,
    DuplicateGroup,
    DuplicateTotals,
)
from latentloom.pipeline.auditing.survey import TRAIN, Survey

MOST_BITS = 6
"""Bits of 64 in which the hashes of near copies differ at most. JPEG of quality 75, noise of 8
levels and other light change at most as many in 99 % of MNIST."""
LEAST_WAVES, LEAST_PIXELS = 0.97, 0.99
"""Least correlation of the long waves of near copies, and then of their pixels. The most alike
digits of MNIST have 0.989, and a digit has 0.993 with its JPEG of quality 75."""
MOST_HUE, DARKNESS = 0.03, 16
"""Largest difference of the shares of a channel in the colour of near copies, and the levels that
are added first, since dark colours have no clear hue."""
MOST_COMPARED = 200_000
"""Most images among which near copies are searched: the time grows with their square."""
MOST_PAIRS = 500_000
"""Most pairs of images whose pixels are compared."""
PAIRS_AT_ONCE = 1 << 24
"""Values of the pixels of pairs that are held at a time."""


@dataclass(frozen=True)
class Copies:
    """Groups of copies, each of the rows of a survey, ascending, and whether all were searched."""

    exact: list[np.ndarray]
    near: list[np.ndarray]
    is_whole: bool = True


def find_copies(survey: Survey, advance: Callable[[int, int], None]) -> Copies:
    """Finds the groups of copies of all splits.

    A group of near copies holds images that are no exact copies of each other: of exact ones, the
    first. Images of one colour are no near copies.

    Args:
        survey: The survey.
        advance: Called with the number of images compared and of all.
    """
    _, group = np.unique(survey.digests, return_inverse=True)
    exact = groups_of(group)
    if not survey.is_of_images:
        return Copies(exact, [])
    firsts = np.unique(group, return_index=True)[1]
    rows = np.sort(firsts[~survey.constant[firsts]])
    compared = survey.sample(rows, MOST_COMPARED, "audit copies")
    pairs, is_whole = _similar_pairs(survey, compared, advance)
    pairs = pairs[_are_alike(survey, pairs)]
    shape = (len(survey.examples), len(survey.examples))
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
    near = groups_of(connected_components(graph, directed=False)[1])
    return Copies(exact, near, is_whole and len(compared) == len(rows))


def groups_of(numbers: np.ndarray) -> list[np.ndarray]:
    """Returns the rows of each number that occurs more than once."""
    order = np.argsort(numbers, kind="stable")
    counts = np.unique(numbers, return_counts=True)[1]
    parts = np.split(order, np.cumsum(counts)[:-1])
    return [parts[place] for place in np.flatnonzero(counts > 1)]


def _similar_pairs(
    survey: Survey, rows: np.ndarray, advance: Callable[[int, int], None]
) -> tuple[np.ndarray, bool]:
    """Pairs with like hashes and long waves, `(m, 2)`, and whether these are all."""
    found, total = [np.zeros((0, 2), np.int64)], 0
    for pairs in close_pairs(survey.hashes[rows], MOST_BITS):
        first, second = rows[pairs].T
        alike = np.einsum("nw,nw->n", survey.waves[first], survey.waves[second]) >= LEAST_WAVES
        alike &= _have_like_colours(survey, first, second)
        found.append(rows[pairs[alike]])
        total += int(alike.sum())
        advance(min(int(pairs[-1, 0]) + 1 if len(pairs) else 0, len(rows)), len(rows))
        if total > MOST_PAIRS:
            return np.concatenate(found)[:MOST_PAIRS], False
    advance(len(rows), len(rows))
    return np.concatenate(found), True


def _have_like_colours(survey: Survey, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether object and border of pairs have the same hue in any light, bool `(m,)`."""
    alike = np.ones(len(first), bool)
    for name in ("object_colour", "border_colour"):
        levels = survey.properties[name] + DARKNESS
        shares = levels / levels.sum(axis=1, keepdims=True)
        alike &= np.abs(shares[first] - shares[second]).max(axis=1) <= MOST_HUE
    return alike


def _are_alike(survey: Survey, pairs: np.ndarray) -> np.ndarray:
    """Whether the pixels of pairs agree, in place or shifted by one pixel, bool `(m,)`."""
    observations = survey.examples.observations
    size = max(1, PAIRS_AT_ONCE // (18 * int(np.prod(observations.shape[1:]))))
    alike = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), size):
        rows, places = np.unique(pairs[start : start + size], return_inverse=True)
        images = observations[rows].astype(np.float32)
        first, second = (images[side] for side in places.reshape(-1, 2).T)
        best = np.full(len(first), -1.0)
        for down in (0, 1, -1):
            for right in (0, 1, -1):
                shifted = np.roll(second, (down, right), axis=(1, 2))
                best = np.maximum(best, _correlations(first, shifted))
        alike[start : start + size] = best >= LEAST_PIXELS
    return alike


def _correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation of the pixels of pairs of images but for a frame of one pixel, `(m,)`."""
    if min(first.shape[1:3]) > 4:
        first, second = first[:, 1:-1, 1:-1], second[:, 1:-1, 1:-1]
    first, second = (part.reshape(len(part), -1) for part in (first, second))
    first, second = (part - part.mean(axis=1, keepdims=True) for part in (first, second))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.einsum("np,np->n", first, second) / np.maximum(lengths, 1e-6)


def describe_copies(
    survey: Survey, copies: Copies, classes: Sequence[str]
) -> tuple[list[DuplicateGroup], dict[str, DuplicateTotals]]:
    """Describes the groups, those with several labels or splits first, and counts all of them."""
    described: list[DuplicateGroup] = []
    totals = {}
    for kind, groups in (("exact", copies.exact), ("near", copies.near)):
        described += [
            _describe(survey, kind, rows, classes) for rows in order_groups(survey, groups)
        ]
        totals[kind] = DuplicateTotals(
            groups=len(groups),
            surplus=sum(len(rows) - 1 for rows in groups),
            leaked=_leaked(survey, groups),
            conflicting=sum(_conflicts(survey, rows) for rows in groups),
        )
    return described, totals


def order_groups(survey: Survey, groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Returns the worst `MOST_LISTED` groups: several labels, then several splits, then large."""

    def badness(rows: np.ndarray) -> tuple:
        crosses = len(np.unique(survey.split_of[rows])) > 1
        return (-_conflicts(survey, rows), -crosses, -len(rows), int(rows[0]))

    return sorted(groups, key=badness)[:MOST_LISTED]


def _conflicts(survey: Survey, rows: np.ndarray) -> bool:
    return len(np.unique(survey.examples.labels[rows])) > 1


def _leaked(survey: Survey, groups: Sequence[np.ndarray]) -> dict[str, int]:
    """Number of examples of other splits with a copy in `train`, by split; none left out."""
    leaked = dict.fromkeys(sorted(set(survey.splits) - {TRAIN}), 0)
    for rows in groups:
        names = survey.split_of[rows]
        if TRAIN in names:
            for name in names[names != TRAIN]:
                leaked[str(name)] += 1
    return leaked


def _describe(
    survey: Survey, kind: str, rows: np.ndarray, classes: Sequence[str]
) -> DuplicateGroup:
    names, examples = survey.split_of[rows], survey.examples
    return DuplicateGroup(
        kind=kind,  # type: ignore[arg-type]
        size=len(rows),
        between_splits=len(np.unique(names)) > 1,
        conflicting=_conflicts(survey, rows),
        examples=[
            CopiedExample(
                example_id=examples.ids[row],
                split=str(survey.split_of[row]),
                label=classes[int(examples.labels[row])],
            )
            for row in rows[:MOST_LISTED].tolist()
        ],
    )
