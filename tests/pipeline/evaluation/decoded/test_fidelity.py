"""Figures of draws against decoders whose figures are known."""

import pytest
from known_codes import KnownCodec, known_examples

from latentloom.pipeline.evaluation.decoded.fidelity import measure_fidelity
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
