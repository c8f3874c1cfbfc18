"""Bad news of a generation and what to change, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.report.advice import ADVICE, advise, bad_news
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.outcome import Outcome

LOST, UNSURE, FAR, INK, NAN = (
    {reason: 90}
    for reason in ("wrong_class", "low_confidence", "unlike_real", "wrong_ink", "not_finite")
)
UNLEARNT = Measure(name="Variance that reconstructions explain", value=0.1, threshold=0.3)


def outcome(refused: dict[str, int], generate: dict[str, Any] | None = None, **facts) -> Outcome:
    """10 of 100 variants of each of two classes; the first has these rejections."""
    given = {"requested": 100, "written": {"cup": 5, "car": 5}, "rejections": {"cup": refused}}
    settings = GenerateConfig.model_validate(generate or {})
    return Outcome(settings=settings, **{**given, **facts})


INTERPOLATED = {"recipe": "interpolate_zu"}
STEPPED = {"recipe": "class_preserving", "options": {"step": 0.8}}
CELLS = {"recipe": "recombine_factors"}
CASES = {
    "not learnt": (outcome({}, unlearnt=UNLEARNT), ["10%, expected 30%. Raise `train.steps`"]),
    "weak judge": (
        outcome(LOST, weak_judge=0.56),
        ["classifies only 56% of real examples correctly: take more real examples, raise `judge."],
    ),
    "unsure": (
        outcome(UNSURE),
        ["for too low a confidence: lower `generate.gate.min_confidence` (0.9)"],
    ),
    "class lost": (
        outcome(LOST),
        ["as of another one: raise `train.steps`", "=interpolate_zu` to"],
    ),
    "class lost by interpolation": (outcome(LOST, INTERPOLATED), ["`generate.options.high` to"]),
    "no detail": (
        outcome(FAR),
        ["realism rejects 90% of the cand", "=1` with `generate.recipe=interpolate_zu`."],
    ),
    "no detail, interpolated": (outcome(FAR, INTERPOLATED), ["set `generate.detail=1`."]),
    "class lost by steps": (outcome(LOST, STEPPED), ["`generate.options.step` (0.8) to"]),
    "no detail, stepped": (outcome(FAR, STEPPED), ["set `generate.detail=1`."]),
    "all the detail": (
        outcome(FAR, {"detail": 1.0}),
        ["raise `train.steps`", "or lower `generate.gate.false_refusals` (0.05)."],
    ),
    "words": (outcome(FAR, has_detail=False), ["or lower `generate.gate.false_refusals`"]),
    "unseen cells": (outcome(FAR, CELLS), ["set `generate.gate.realism=false`, or lower"]),
    "factor": (outcome(INK), ["another factor than the class", "`generate.gate.ignored`"]),
    "not finite": (outcome(NAN), ["not finite: lower `train.learning_rate`"]),
    "dead": (outcome({}, dead=90), ["90 variants have no readable anchor: run `latentloom verify"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_gives_the_one_advice_that_fits(case):
    found, said = CASES[case]
    (sentence,) = advise(found)
    for part in said:
        assert part in sentence


def test_every_advice_has_a_case():
    assert all(any(holds(found) for found, _ in CASES.values()) for holds, _ in ADVICE)


def test_bad_news_comes_before_advice_and_names_classes_with_their_counts():
    found = outcome(
        {"unlike_real": 60, "wrong_class": 1},
        {"gate": {"realism": True}},
        written={"cup": 0, "car": 10, "owl": 8},
        rejections={"cup": {"unlike_real": 60}, "car": {"unlike_real": 90}},
        passed=0.125,
    )
    assert bad_news(found) == [
        "Few variants pass: 18 of 100 asked for were written (18.0%), and 12.5% of the first "
        "attempts pass both gates. Fewest of car (10 of 100 candidates).",
        "No variant passes of 1 of 3 classes: cup (0 of 60 candidates).",
        "The gate for realism rejects 89% of the candidates that have their class, and "
        "generate.detail is 0: set `generate.detail=1` with `generate.recipe=interpolate_zu`.",
    ]


def test_a_class_without_any_is_bad_news_even_if_most_variants_pass():
    found = outcome(
        UNSURE, written={"cup": 0, "car": 90}, rejections={"cup": UNSURE, "car": {"wrong_class": 9}}
    )
    news = bad_news(found)
    assert news[0] == "No variant passes of 1 of 2 classes: cup (0 of 90 candidates)."
    assert "rejects 100% of the candidates" in news[1]  # of the class that is missing
    assert "too low a confidence" in news[1]


def test_of_many_classes_some_are_named():
    names = [f"c{number}" for number in range(8)]
    found = outcome({}, written={"ok": 90}, rejections=dict.fromkeys(names, LOST))
    assert bad_news(found)[0].endswith("c4 (0 of 90 candidates) and 3 more.")


def test_classes_with_few_are_named_in_order_the_fewest_first_however_many_there_are():
    names = [f"c{number}" for number in range(20_000)]
    written = dict.fromkeys(names, 2) | {"c7": 1}
    found = outcome({}, requested=10**6, written=written, rejections=dict.fromkeys(names, LOST))
    few = bad_news(found)[0].partition("Fewest of ")[2]
    assert few.startswith("c7 (1 of 91 candidates), c0 (2 of 92 candidates), c1 (2 of 92")
    assert few.endswith("c3 (2 of 92 candidates) and 19,995 more.")


def test_a_class_that_was_not_asked_for_is_not_missing():
    assert bad_news(outcome({}, written={"cup": 90, "car": 0}, rejections={})) == []


@pytest.mark.parametrize("passed", [1 / 3, 0.9, None])
def test_no_news_is_good_news(passed):
    assert bad_news(outcome(LOST, written={"cup": 60, "car": 30}, passed=passed)) == []


def test_few_first_attempts_are_bad_news_only_if_there_is_a_gate():
    facts = {"written": {"cup": 60, "car": 30}, "passed": 0.2}
    assert "20.0% of the first attempts pass the gate" in bad_news(outcome(LOST, **facts))[0]
    assert bad_news(outcome({}, {"gate": {"enabled": False}}, **facts)) == []


def test_realism_judges_what_has_its_class_and_may_be_the_larger_obstacle():
    found = outcome({"wrong_class": 60, "unlike_real": 40}, written={})
    (sentence,) = advise(found)
    assert "realism rejects 100% of the candidates that have their class" in sentence
