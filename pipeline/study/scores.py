"""Groups the results of a study for comparison."""

from __future__ import annotations

from collections import defaultdict

from latentloom.pipeline.study.arms import REAL, UNTIED, Arm, Mixed
from latentloom.pipeline.study.comparisons import Estimate, estimate
from latentloom.pipeline.study.run_study import Results

LEAST_GAP = 0.01
"""Least gap between tied and untied real examples for which a share is reported."""


Scores = dict[Mixed, dict[int, float]]
"""Accuracy by arm with its ratio, then by seed."""


def by_size(results: Results) -> dict[int, Scores]:
    """Accuracies by number of real examples of each class; 0 stands for all."""
    found: dict[int, Scores] = defaultdict(lambda: defaultdict(dict))
    for run, figures in results.runs.items():
        found[run.size or 0][run.mixed][run.seed] = figures["accuracy"]
    return {size: dict(scores) for size, scores in found.items()}


def rival_of(score: Mixed, rival: str, scores: Scores) -> Mixed | None:
    """The arm named `rival` to compare `score` with, at the same ratio if it has one."""
    same = (m for m in scores if m.arm.name == rival and m.ratio in (0.0, score.ratio))
    found = next(same, None)
    return None if found == score else found


def gap_closed(score: Mixed, scores: Scores) -> Estimate | None:
    """Share of the gap between tied and untied real examples that an arm closes.

    Divides by the mean gap, since a share is unreliable for a seed with a small gap. None if one of
    the two was not run or the gap is below `LEAST_GAP`.
    """
    tied, untied = Mixed(Arm(REAL), 0.0), Mixed(Arm(UNTIED, untied=True), 0.0)
    if tied not in scores or untied not in scores or score in (tied, untied):
        return None
    seeds = sorted(scores[score].keys() & scores[tied].keys() & scores[untied].keys())
    gap = estimate([scores[untied][seed] - scores[tied][seed] for seed in seeds]).mean
    if gap < LEAST_GAP:
        return None
    return estimate([(scores[score][seed] - scores[tied][seed]) / gap for seed in seeds])


def readings_of(results: Results) -> dict[tuple[int, str], Estimate]:
    """Share of generated examples off the ties that the auditor classifies as planned.

    By size and pool; a size of 0 stands for all.
    """
    found: dict[tuple[int, str], list[float]] = defaultdict(list)
    for reading, figures in results.readings.items():
        if figures["count"]:
            found[reading.size or 0, reading.pool].append(figures["read"])
    return {key: estimate(values) for key, values in found.items()}
