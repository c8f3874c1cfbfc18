"""What the runs of a study found, in the order in which they are compared."""

from __future__ import annotations

from collections import defaultdict

from latentloom.pipeline.study.arms import REAL, UNTIED, Arm, Mixed
from latentloom.pipeline.study.comparisons import Estimate, estimate
from latentloom.pipeline.study.run_study import Results

LEAST_GAP = 0.01
"""Below this gap between tied and untied real examples no share of it is told."""


Scores = dict[Mixed, dict[int, float]]
"""Accuracy of every arm at its ratios, by seed."""


def by_size(results: Results) -> dict[int, Scores]:
    """Accuracies by the number of real examples of each class, 0 for all."""
    found: dict[int, Scores] = defaultdict(lambda: defaultdict(dict))
    for run, figures in results.runs.items():
        found[run.size or 0][run.mixed][run.seed] = figures["accuracy"]
    return {size: dict(scores) for size, scores in found.items()}


def rival_of(score: Mixed, rival: str, scores: Scores) -> Mixed | None:
    """The arm of a name that another is compared with: at the same ratio where it has one."""
    same = (m for m in scores if m.arm.name == rival and m.ratio in (0.0, score.ratio))
    found = next(same, None)
    return None if found == score else found


def gap_closed(score: Mixed, scores: Scores) -> Estimate | None:
    """Share of the gap between tied and untied real examples that an arm closes, if both were run.

    The ratio of means: a seed with a small gap of its own tells little about its share.
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
    """Share of generated examples off the ties that are read as intended, by size and pool."""
    found: dict[tuple[int, str], list[float]] = defaultdict(list)
    for reading, figures in results.readings.items():
        if figures["count"]:
            found[reading.size or 0, reading.pool].append(figures["read"])
    return {key: estimate(values) for key, values in found.items()}
