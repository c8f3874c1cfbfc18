"""Figures of decoded images against decoders whose figures are known."""

import numpy as np
import pytest
from known_codes import KnownCodec, known_examples

from latentloom.augment import identity_keys
from latentloom.pipeline.evaluation.decoded.prior_draws import measure_prior
from latentloom.pipeline.evaluation.decoded.reconstruction import cycle, measure_reconstruction
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples

RATIO = "Reconstruction error over that of the class mean"
SHUFFLED = "Error with zu shuffled over plain error"


def values(measure, codec: KnownCodec, **options) -> dict[str, float | None]:
    encoded = EncodedExamples.encode(codec, known_examples(**options), "test", 0)
    return {figure.name: figure.value for figure in measure(encoded)}


def test_a_cycle_gives_every_row_another_one_once():
    keys = identity_keys(0, "shuffle", [f"e{row}" for row in range(50)])
    rows = cycle(keys)
    np.testing.assert_array_equal(np.sort(rows), np.arange(50))
    assert (rows != np.arange(50)).all()
    mixed = np.random.default_rng(0).permutation(50)
    np.testing.assert_array_equal(mixed[cycle(keys[mixed])], rows[mixed])


def test_a_perfect_decoder_has_no_error_and_no_ratio_to_it():
    found = values(measure_reconstruction, KnownCodec())
    assert found["Reconstruction error"] == 0
    assert found[RATIO] == 0
    assert found[SHUFFLED] is None


def test_a_decoder_that_ignores_zu_is_as_good_as_the_class_mean():
    examples = known_examples(4000)
    found = values(measure_reconstruction, KnownCodec(shows_style=False), count=4000)
    style = examples.observations[:, 0, 1, 0].astype(float)
    assert found["Reconstruction error"] == pytest.approx(
        np.mean((style - 128) ** 2) / 2 / 127.5**2
    )
    assert found[RATIO] == pytest.approx(1, abs=0.01)
    assert found[SHUFFLED] == 1


def test_images_without_differences_leave_the_ratios_unmeasured():
    found = values(measure_reconstruction, KnownCodec(), style=0)
    assert found["Error of the class mean"] == 0
    assert found[RATIO] is None


def test_each_prior_is_decoded_and_audited_by_itself():
    found = values(measure_prior, KnownCodec(learnt_shift=1.0))
    assert found["Prior accuracy, zs refitted"] == 1
    assert found["Prior accuracy, zs at the class centre"] == 1
    assert found["Prior accuracy, zs learnt"] == 0
    assert values(measure_prior, KnownCodec())["Prior accuracy, zs learnt"] == 1


def test_a_model_without_a_prior_of_its_own_has_no_figure_for_it():
    codec = KnownCodec()
    codec.has_prior = False
    assert "Prior accuracy, zs learnt" not in values(measure_prior, codec)


def test_diversity_at_the_centre_is_a_ratio_of_variances():
    found = values(measure_prior, KnownCodec(), count=4000, style=10)
    assert found["Diversity at the class centre"] == pytest.approx(4, rel=0.1)
    flat = values(measure_prior, KnownCodec(shows_style=False), style=10)
    assert flat["Diversity at the class centre"] == 0
    assert values(measure_prior, KnownCodec(), style=0)["Diversity at the class centre"] is None
