"""The facts of a report: refused where they contradict themselves."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import Report


def _report(**facts) -> Report:
    return Report.model_validate({"title": "A", "summary": ["B."]} | facts)


@pytest.mark.parametrize(
    ("value", "threshold", "better", "met"),
    [
        (0.9, 0.9, "higher", True),
        (0.8, 0.9, "higher", False),
        (0.8, 0.9, "lower", True),
        (1.0, 0.9, "lower", False),
        (None, 0.9, "higher", None),
        (0.9, None, "higher", None),
    ],
)
def test_threshold_is_read_in_the_better_direction(value, threshold, better, met):
    measure = Measure(name="m", value=value, threshold=threshold, better=better)
    assert measure.is_met is met


@pytest.mark.parametrize("field", ["value", "spread", "chance", "threshold"])
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_number_that_is_not_finite_is_refused(field, number):
    with pytest.raises(ValidationError, match="Measure 'm'.*Pass None and say why in the notes"):
        Measure(**({"name": "m", "value": 1.0} | {field: number}))


def test_totals_that_do_not_add_up_are_refused():
    totals = {"requested": 10, "written": 7, "rejected": 2, "dead": 0}
    with pytest.raises(ValidationError, match="do not add up.*Take them from the manifest"):
        _report(totals=totals)
    with pytest.raises(ValidationError, match="do not add up.*Take them from the manifest"):
        _report(totals={"written": 7})


@pytest.mark.parametrize(
    "facts",
    [
        {"counts_before": {"cow": 1}},
        {"counts_after": {"cow": 1}},
        {"rejections": {"cow": {"wrong_class": 1}}},
    ],
    ids=lambda facts: next(iter(facts)),
)
def test_class_that_is_not_listed_is_refused(facts):
    with pytest.raises(ValidationError, match="'cow'. Add it to class_names"):
        _report(class_names=["cat"], **facts)


def test_misspelt_field_is_refused():
    with pytest.raises(ValidationError, match="sumary"):
        _report(sumary=["B."])


def test_report_without_a_sentence_is_refused():
    with pytest.raises(ValidationError, match="summary"):
        _report(summary=[])


def test_reasons_are_sorted_by_frequency_and_counted_in_class_order():
    report = _report(
        class_names=["cat", "dog"],
        rejections={"dog": {"rare": 1, "often": 5, "never": 0}, "cat": {"often": 2}},
    )
    assert report.reasons == ["often", "rare"]
    assert report.rejections_by_reason() == {"often": [2, 5], "rare": [0, 1]}
