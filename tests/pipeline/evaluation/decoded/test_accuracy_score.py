"""What variants teach a classifier: against variants whose worth is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from latentloom.model_zoo.scaling import PIXELS
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.decoded.accuracy_score import (
    draw,
    measure_accuracy_score,
    shared_numbers,
)
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.observations import KINDS

CLASSES = 3
STEPS = EvaluateConfig(accuracy_steps=60)


def squares(count: int, start: str = "x", *, shift: int = 0) -> Examples:
    """Images of noise with a bright row for each class; `shift` moves it to another class's row."""
    rng = np.random.default_rng(len(start))
    labels = np.arange(count) % CLASSES
    images = rng.integers(0, 90, (count, 6, 6, 1), dtype=np.uint8)
    images[np.arange(count), 2 * ((labels + shift) % CLASSES)] += 150
    return Examples(images, {"label": labels}, [f"{start}{row}" for row in range(count)])


def score(
    variants: Examples, real: Examples, test: Examples, settings: EvaluateConfig = STEPS, **more
) -> SectionResult:
    names = [f"c{label}" for label in range(CLASSES)]
    bundle = SimpleNamespace(class_names=names, scaling=PIXELS)
    codec = cast(Codec, SimpleNamespace(bundle=bundle, kind=KINDS["image"]))
    return measure_accuracy_score(codec, variants, real, test, settings, 0, **more)


def values(result: SectionResult) -> dict[str, float]:
    return {m.key.rpartition("/")[2]: m.value for m in result.measures if m.value is not None}


def test_variants_as_good_as_real_ones_teach_as_much():
    seen: list[tuple[int, int]] = []
    test = squares(60, "test")
    result = score(
        squares(90, "made"), squares(90, "real"), test, advance=lambda *at: seen.append(at)
    )
    found = values(result)
    assert found["made"] > 0.95
    assert found["ratio"] == pytest.approx(found["made"] / found["real"])
    assert f"a ratio of {found['ratio']:.2f}" in result.summary[0]
    assert seen[-1][0] == seen[-1][1]  # all steps of both trainings
    assert seen == sorted(seen)


def test_variants_of_another_class_teach_nothing_whatever_a_judge_says_of_them():
    result = score(squares(90, "made", shift=1), squares(90, "real"), squares(60, "test"))
    assert values(result)["made"] < 0.2
    assert values(result)["ratio"] < 0.2
    (table,) = result.tables
    assert sorted(row[0] for row in table.rows) == ["c0", "c1", "c2"]
    assert {row[1] for row in table.rows} == {"20"}


def test_a_ratio_above_one_is_told_to_come_from_too_few_steps():
    plain = squares(90, "real")
    noise = np.random.default_rng(0).integers(0, 256, plain.observations.shape, dtype=np.uint8)
    unlearnt = Examples(noise, plain.factors, plain.ids)
    result = score(squares(90, "made"), unlearnt, squares(60, "test"))
    assert values(result)["ratio"] > 1.1
    assert "60 steps do not teach them all. Raise `evaluate.accuracy_steps`" in result.summary[1]
    assert len(score(squares(90, "made"), plain, squares(60, "test")).summary) == 1


def test_the_figures_do_not_depend_on_the_order_of_the_examples():
    given = squares(48, "made"), squares(60, "real"), squares(30, "test")
    mixed = [some.take(np.random.default_rng(0).permutation(len(some))) for some in given]
    settings = EvaluateConfig(accuracy_steps=5, accuracy_examples=24)
    assert values(score(*given, settings)) == values(score(*mixed, settings))


def test_off_nothing_is_measured_and_nothing_is_said():
    off = EvaluateConfig(accuracy_steps=0)
    assert score(squares(9), squares(9), squares(9), off) == SectionResult()


def only(label: int, count: int = 9) -> Examples:
    some = squares(count)
    return some.take(some.labels == label)


@pytest.mark.parametrize(
    ("variants", "real", "test", "told"),
    [
        (squares(9), squares(9), squares(0), "there is no test split apart from the one"),
        (squares(9), squares(9), only(1), "the test split has one class"),
        (only(1), squares(9), squares(9), "no variant of c0, c2"),
        (squares(9), only(2), squares(9), "no real example of c0, c1"),
    ],
)
def test_where_it_cannot_be_measured_it_says_why(variants, real, test, told):
    result = score(variants, real, test)
    assert not result.measures
    assert not result.tables
    assert told in result.summary[0]


def test_both_classifiers_get_as_many_of_each_class():
    variants, real = np.repeat([0, 1, 2], [50, 5, 9]), np.repeat([0, 1, 2], [20, 30, 2])
    assert shared_numbers(variants, real, 3, 100).tolist() == [20, 5, 2]
    assert shared_numbers(variants, real, 3, 12).tolist() == [5, 5, 2]
    drawn = draw(squares(30), np.array([3, 0, 10]), seed=0)
    assert np.bincount(drawn.labels, minlength=3).tolist() == [3, 0, 10]
