"""Arms are compared with the right rivals, and the closed share of a gap is that of the means."""

import pytest

from latentloom.pipeline.study.arms import Run, parse_arm
from latentloom.pipeline.study.run_study import Reading, Results
from latentloom.pipeline.study.scores import by_size, gap_closed, readings_of, rival_of

POOLS = ("variants",)


def results(**accuracies: list[float]) -> Results:
    """Runs of one size by the name of the arm, `_x2` for a ratio of 2."""
    runs = {}
    for key, values in accuracies.items():
        name, _, ratio = key.partition("_x")
        arm = parse_arm(name, POOLS)
        for seed, value in enumerate(values):
            run = Run(arm, 10, float(ratio or (1 if arm.pool else 0)), seed)
            runs[run] = {"accuracy": value}
    return Results(runs)


def test_the_rival_has_the_same_ratio():
    (scores,) = by_size(
        results(real=[0.5], repeated_x2=[0.6], repeated_x4=[0.7], variants_x4=[0.8])
    ).values()
    variants = list(scores)[-1]
    assert variants.name == "variants x4"
    assert rival_of(variants, "repeated", scores).name == "repeated x4"
    assert rival_of(variants, "real", scores).name == "real"
    assert rival_of(variants, "variants", scores) is None
    assert rival_of(variants, "classical", scores) is None


def test_the_share_of_a_gap_is_over_the_mean_gap():
    found = results(real=[0.5, 0.7], untied=[0.9, 0.9], variants=[0.6, 0.85])
    (scores,) = by_size(found).values()
    real, untied, variants = scores
    closed = gap_closed(variants, scores)
    assert closed.mean == pytest.approx((0.1 + 0.15) / 2 / 0.3)
    assert gap_closed(real, scores) is None
    assert gap_closed(untied, scores) is None


def test_without_a_gap_no_share_is_told():
    (scores,) = by_size(results(real=[0.9], untied=[0.905], variants=[0.95])).values()
    assert gap_closed(list(scores)[-1], scores) is None


def test_readings_of_pools_without_such_examples_are_left_out():
    readings = {
        Reading("variants", 10, 0): {"count": 50, "read": 0.8},
        Reading("variants", 10, 1): {"count": 50, "read": 0.9},
        Reading("variants", 50, 0): {"count": 0, "read": 0.0},
    }
    found = readings_of(Results(readings=readings))
    assert list(found) == [(10, "variants")]
    assert found[10, "variants"].mean == pytest.approx(0.85)
