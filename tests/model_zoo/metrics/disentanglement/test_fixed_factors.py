"""Scores of batches with one factor fixed, against codes whose votes are known."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.disentanglement import fixed_factors
from latentloom.model_zoo.metrics.disentanglement.fixed_factors import (
    beta_vae_score,
    factor_vae_score,
)

SCORES = [factor_vae_score, beta_vae_score]


@pytest.mark.parametrize("score", SCORES)
def test_a_dimension_a_factor_is_always_recognised(score, two_values, five_values, perfect):
    assert score(perfect(five_values), five_values) > 0.99
    assert score(perfect(two_values), two_values) > 0.99


@pytest.mark.parametrize("score", SCORES)
def test_noise_is_guessed(score, five_values, noise):
    assert score(noise, five_values) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("score", SCORES)
def test_factors_that_are_spread_evenly_are_guessed(score, two_values, evenly_mixed):
    assert score(evenly_mixed(two_values), two_values) < 0.4


def test_the_majority_forgives_less_of_a_rotation_than_a_linear_classifier(two_values, rotated):
    codes = rotated(two_values)
    assert factor_vae_score(codes, two_values) < 0.85
    assert factor_vae_score(codes, two_values) < beta_vae_score(codes, two_values)


@pytest.mark.parametrize("score", SCORES)
def test_two_dimensions_a_factor_cost_nothing(score, five_values, doubled):
    assert score(doubled(five_values), five_values) > 0.99


@pytest.mark.parametrize(("score", "expected"), [(factor_vae_score, 0.5), (beta_vae_score, 0.75)])
def test_a_factor_that_no_dimension_knows_is_guessed(score, expected, five_values, perfect):
    # The first two are recognised. A vote for the others falls on a dimension of the first two;
    # the classifier sees that none of these was fixed, and guesses which of the others was.
    found = score(perfect(five_values)[:, :2], five_values)
    assert found == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("score", SCORES)
def test_order_scale_and_offset_of_dimensions_make_no_difference(score, five_values, rotated):
    codes = rotated(five_values)
    changed = (codes * [0.5, -1, 2, 4] + [5, -3, 0, 100])[:, [2, 0, 3, 1]]
    assert score(changed, five_values) == pytest.approx(score(codes, five_values), abs=2e-3)
    assert score(1e-3 * codes, five_values) == pytest.approx(score(codes, five_values), abs=2e-3)


def test_a_dimension_that_hardly_varies_has_no_vote(five_values, perfect):
    codes = perfect(five_values)
    hints = np.repeat(codes[:, :1], 4, axis=1) + 0.01 * codes  # would all vote for the first factor
    only = hints * [1, 0.04, 0.04, 0.04]
    assert factor_vae_score(only, five_values) == factor_vae_score(only * [1, 0, 0, 0], five_values)


def test_a_dimension_that_is_constant_does_no_harm(five_values, perfect):
    codes = np.c_[np.full(2000, 0.1), perfect(five_values)]
    assert factor_vae_score(codes, five_values) > 0.99
    assert beta_vae_score(codes, five_values) > 0.99


def test_codes_that_are_all_equal_tell_nothing(five_values):
    constant = np.full((2000, 3), 0.1)
    assert factor_vae_score(constant, five_values) == 0
    assert beta_vae_score(constant, five_values) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("score", SCORES)
def test_the_seed_decides_the_batches(score, two_values, rotated):
    codes = rotated(two_values)
    first, again, other = (score(codes, two_values, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_blocks_make_no_difference(monkeypatch, two_values, rotated):
    sizes = {"num_train": 500, "num_test": 500}
    whole = beta_vae_score(rotated(two_values), two_values, **sizes)
    monkeypatch.setattr(fixed_factors, "BLOCK", 7)
    assert beta_vae_score(rotated(two_values), two_values, **sizes) == whole


def test_pairs_are_two_examples_even_if_a_value_has_no_more():
    factors = np.stack([np.arange(400) // 2, np.arange(400) % 2], axis=1)
    noise = np.random.default_rng(0).normal(size=(400, 3))
    sizes = {"num_train": 2000, "num_test": 2000}
    # An example paired with itself would halve differences and so tell the first factor.
    assert beta_vae_score(noise, factors, **sizes) < 0.7


@pytest.mark.parametrize("score", SCORES)
def test_a_factor_whose_values_are_all_different_is_refused(score, noise, two_values):
    factors = {"ink": two_values[:50, 0], "number": np.arange(50)}
    with pytest.raises(ValueError, match="one value of factor 'number'.*Give more examples"):
        score(noise[:50], factors)
