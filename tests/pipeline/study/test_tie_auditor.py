"""The auditor reads what is there, off the ties alone."""

import dataclasses

import numpy as np
import pytest
from bars import INKS, bars

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.study.tie_auditor import Auditor

FACTORS = {"label": ["top", "middle", "bottom"], "ink": list(INKS)}


def examples(count: int, seed: int) -> Examples:
    arrays = bars(count, seed)
    codes = {
        name: np.array([values.index(value) for value in arrays[name]])
        for name, values in FACTORS.items()
    }
    return Examples(arrays["images"], codes, [f"{seed}/{row}" for row in range(count)])


@pytest.fixture(scope="module")
def auditor() -> Auditor:
    return Auditor(examples(720, 0), FACTORS, {"ink": 0.9}, steps=120)


def test_it_reads_real_examples_off_the_ties(auditor):
    figures = auditor.figures(examples(90, 1))
    assert figures["count"] == 60  # a third of all cells follow the tie
    assert figures["read"] > 0.95


def test_it_does_not_read_another_class_or_another_ink(auditor):
    real = examples(90, 1)
    for name in FACTORS:
        wrong = real.factors | {name: (real.factors[name] + 1) % 3}
        pretended = dataclasses.replace(real, factors=wrong)
        assert auditor.figures(pretended)["read"] < 0.05


def test_half_of_what_is_wrong_is_half(auditor):
    real = examples(90, 1)
    images = real.observations.copy()
    images[::2] = images[::2, ::-1]  # the middle stays the middle
    figures = auditor.figures(dataclasses.replace(real, observations=images))
    moved = (np.arange(90) % 2 == 0) & (real.labels != 1)
    off = real.labels != real.factors["ink"]
    assert figures["read"] == pytest.approx(1 - (moved & off).sum() / off.sum(), abs=0.05)


def test_a_pool_without_any_off_the_ties_counts_none(auditor):
    real = examples(90, 1)
    tied = real.take(real.labels == real.factors["ink"])
    assert auditor.figures(tied) == {"count": 0, "read": 0.0}
