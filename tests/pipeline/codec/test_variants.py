"""From a plan to judged variants, with a codec whose codes are known."""

import numpy as np
import pytest
from known_codes import CLASSES, STEP, KnownCodec, known_examples

from latentloom.augment import Anchors, QualityGate, recombine
from latentloom.pipeline.codec.variants import judge_codes, make_variants, plan_attempt
from latentloom.pipeline.config.settings import GenerateConfig

SETTINGS = GenerateConfig(recipe="class_preserving")


@pytest.fixture
def examples():
    return known_examples(40)


def plan(codec, examples, attempt=0):
    anchors = Anchors(examples.ids, examples.factors, np.full(len(examples), 2))
    return plan_attempt(SETTINGS, anchors, codec.spec, None, {}, attempt)


def test_variants_are_the_decoded_codes_of_the_plan_in_its_order(examples):
    codec = KnownCodec()
    latents, planned = codec.encode(examples.observations), plan(codec, examples)
    made = make_variants(codec, latents, None, planned, QualityGate(0.9))
    images, probabilities = codec.render_factors(recombine(latents, None, planned))
    np.testing.assert_array_equal(made.observations, images)
    np.testing.assert_array_equal(made.probabilities["label"], probabilities["label"])
    np.testing.assert_array_equal(made.observations[:, 0, 0, 0] // STEP, planned.label)
    assert made.verdicts.accepted.all()


def test_a_variant_of_another_class_than_the_plan_says_is_rejected(examples):
    codec = KnownCodec()
    latents, planned = codec.encode(examples.observations), plan(codec, examples)
    latents["zs"] = (latents["zs"] + 1) % CLASSES
    made = make_variants(codec, latents, None, planned, QualityGate(0.9))
    assert made.verdicts.counts()["wrong_class"] == len(planned) == len(made.observations)
    kept = make_variants(codec, latents, None, planned, QualityGate(0.9, enabled=False))
    assert kept.verdicts.accepted.all()


def test_factors_that_the_judge_does_not_read_reject_nothing(examples):
    codec = KnownCodec()
    expected = examples.factors | {"colour": np.full(len(examples), 7)}
    made = judge_codes(codec, codec.encode(examples.observations), expected, QualityGate(0.9))
    np.testing.assert_array_equal(made.observations, examples.observations)
    assert made.verdicts.accepted.all()
    assert not made.verdicts.confidences


def test_another_attempt_draws_other_variants_of_the_same_anchors(examples):
    codec = KnownCodec()
    first, again, second = (plan(codec, examples, attempt) for attempt in (0, 0, 1))
    np.testing.assert_array_equal(first.keys, again.keys)
    np.testing.assert_array_equal(first.anchor, second.anchor)
    assert not (first.keys == second.keys).any()
