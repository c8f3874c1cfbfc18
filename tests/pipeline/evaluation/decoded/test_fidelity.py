"""Figures of draws against decoders whose figures are known."""

import numpy as np
import pytest
from known_codes import KnownCodec, known_examples

from latentloom.pipeline.evaluation.decoded.fidelity import measure_accepted, measure_fidelity
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples


def values(codec: KnownCodec, count: int = 400, train: int = 400):
    encoded = EncodedExamples.encode(codec, known_examples(count), "test", 0)
    return {m.name: m.value for m in measure_fidelity(encoded, known_examples(train))}


def test_a_decoder_that_draws_what_is_real_is_close_precise_and_complete():
    found = values(KnownCodec())
    assert found["Frechet distance of draws"] < 20
    assert found["Precision of draws"] > 0.9
    assert found["Recall of draws"] > 0.9


def test_a_decoder_that_ignores_zu_is_precise_but_far_and_incomplete():
    found, real = values(KnownCodec(shows_style=False)), values(KnownCodec())
    distance = "Frechet distance of draws"
    assert found[distance] > 10 * real[distance]
    assert found["Precision of draws"] > 0.9
    assert found["Recall of draws"] < 0.2


def test_training_images_are_told_as_the_best_to_hope_for():
    encoded = EncodedExamples.encode(KnownCodec(), known_examples(60), "test", 0)
    figures = {m.name: m for m in measure_fidelity(encoded, known_examples(60))}
    assert "for 60 training images: " in figures["Frechet distance of draws"].meaning
    assert "For 60 training images: 1.000." in figures["Precision of draws"].meaning


@pytest.mark.parametrize(("count", "train"), [(5, 400), (400, 5)])
def test_too_few_images_for_neighbourhoods_are_not_measured(count, train):
    assert values(KnownCodec(), count, train) == {}


@pytest.mark.parametrize("shows_style", [True, False])
def test_accepted_variants_that_are_all_alike_are_precise_and_incomplete(shows_style):
    codec = KnownCodec(shows_style=shows_style)
    encoded = EncodedExamples.encode(codec, known_examples(200), "test", 0)
    images, anchors = encoded.decode(encoded.latents), np.arange(200)
    found = measure_accepted(codec, images, anchors, encoded.examples.observations)
    precision, recall = (measure.value for measure in found.measures)
    assert precision > 0.9
    assert recall > 0.9 if shows_style else recall < 0.2
    assert f"is {precision:.2f}" in found.summary[0]
    assert (
        "200 accepted first attempts of 200 anchors and 200 real test images"
        in found.measures[0].meaning
    )


@pytest.mark.parametrize(("accepted", "real"), [(9, 40), (40, 9), (0, 0)])
def test_of_too_few_accepted_variants_only_their_number_is_told(accepted, real):
    images = known_examples(40).observations
    found = measure_accepted(KnownCodec(), images[:accepted], np.arange(accepted), images[:real])
    assert [(m.key, m.value) for m in found.measures] == [
        ("variants/precision", None),
        ("variants/recall", None),
    ]
    told = f"not measured on {accepted} accepted first attempts of {accepted} anchors and {real}"
    assert told in found.summary[0]
