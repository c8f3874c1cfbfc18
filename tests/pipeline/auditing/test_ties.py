"""Ties are found where they are, and not claimed where they are not."""

import numpy as np
import pytest
from inked import INKS, NAMES, SHAPES, inked_arrays, shapes

from latentloom.pipeline.auditing.measures.colours import find_colours
from latentloom.pipeline.auditing.measures.ties import measure_ties
from latentloom.pipeline.auditing.survey import survey_examples
from latentloom.pipeline.dataset.examples import Examples

FACTORS = {"label": list(SHAPES), "ink": list(NAMES)}


def survey_of(images, **factors):
    ids = [f"shapes/train/{row}" for row in range(len(images))]
    codes = {name: np.asarray(values, np.int64) for name, values in factors.items()}
    examples = Examples(images.astype(np.uint8), codes, ids)
    return survey_examples(examples, {"train": slice(0, len(images))}, "image", 0, lambda *a: None)


def inked(tie, seed, count=240):
    arrays = inked_arrays(count, tie, seed)
    label = [list(SHAPES).index(name) for name in arrays["label"]]
    return arrays["images"], label, [list(NAMES).index(name) for name in arrays["ink"]]


def found(survey, factors=FACTORS, measured=()):
    return {tie.factor: tie for tie in measure_ties(survey, factors, measured) if tie.found}


@pytest.mark.parametrize("seed", range(5))
def test_a_tie_to_a_named_ink_is_found(seed):
    images, label, ink = inked(0.9, seed)
    tie = found(survey_of(images, label=label, ink=ink))["ink"]
    assert tie.kind == "factor"
    assert tie.strength == tie.cramers_v == pytest.approx(0.87, abs=0.08)
    assert tie.accuracy == pytest.approx(0.9, abs=0.06)
    assert (tie.chance, tie.complete) == (0.25, False)
    assert tie.p_value <= 0.05


@pytest.mark.parametrize("seed", range(5))
def test_a_tie_to_an_ink_without_a_name_is_found_in_the_images(seed):
    images, label, _ = inked(0.9, seed)
    ties = found(survey_of(images, label=label), {"label": FACTORS["label"]})
    assert {"colour_cast", "object_colour"} <= set(ties)
    assert ties["colour_cast"].accuracy > 0.8


@pytest.mark.parametrize("named", [True, False])
def test_no_tie_is_claimed_without_one(named):
    for seed in range(10):
        images, label, ink = inked(0.25, seed)
        codes = {"label": label} | ({"ink": ink} if named else {})
        factors = {name: FACTORS[name] for name in codes}
        assert not found(survey_of(images, **codes), factors)


def test_one_class_from_another_scanner_is_named():
    rng = np.random.default_rng(0)
    label = np.arange(240) % 4
    images = shapes(label, rng)[..., None]
    images[label == 2] = images[label == 2] * 0.85 + 20
    tie = found(survey_of(images, label=label), {"label": FACTORS["label"]})["border_colour"]
    assert tie.classes == ["ell"]
    assert tie.largest_correlation == pytest.approx(1)


def test_what_images_show_is_no_tie_but_a_difference():
    label = np.arange(200) % 2
    images = shapes(label, np.random.default_rng(0))[..., None]
    images[label == 1, 4:6, 4:6] *= 0.5  # the box is a little darker, in its middle
    ties = measure_ties(survey_of(images, label=label), {"label": ["bar", "box"]}, [])
    brightness = next(tie for tie in ties if tie.factor == "brightness")
    assert brightness.p_value <= 0.05
    assert not {tie.factor for tie in ties if tie.found} & {"border_colour", "colour_cast"}


@pytest.mark.parametrize(
    ("ink", "is_label"), [(lambda label: label, True), (lambda label: label % 2, False)]
)
def test_a_tie_without_exception_is_complete(ink, is_label):
    label = np.arange(120) % 4
    images = shapes(label, np.random.default_rng(0))[..., None]
    tie = found(survey_of(images, label=label, ink=ink(label)))["ink"]
    assert (tie.complete, tie.is_label) == (True, is_label)


def test_a_factor_with_a_value_for_every_example_is_no_tie():
    label = np.arange(60) % 4
    images = shapes(label, np.random.default_rng(0))[..., None]
    factors = {"label": FACTORS["label"], "number": [str(number) for number in range(60)]}
    ties = found(survey_of(images, label=label, number=np.arange(60)), factors)
    assert "number" not in ties


def test_p_values_hold_with_many_factors():
    images, label, ink = inked(0.9, 0)
    noise = np.random.default_rng(1).integers(0, 3, (40, len(label)))
    many = {f"noise_{row}": codes for row, codes in enumerate(noise)}
    factors = FACTORS | {name: ["a", "b", "c"] for name in many}
    ties = found(survey_of(images, label=label, ink=ink, **many), factors)
    assert "ink" in ties
    assert not set(many) & set(ties)


def test_colours_are_told_from_shapes():
    images, label, ink = inked(0.25, 0)
    survey = survey_of(images, label=label, ink=ink)
    assert find_colours(survey, ["label", "ink"]) == ["ink"]
    assert len(INKS) == len(NAMES)
