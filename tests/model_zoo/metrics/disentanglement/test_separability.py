"""SAP score and explicitness against channels whose errors are known."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.disentanglement.separability import (
    READERS,
    explicitness,
    sap_score,
)


def flipped(bits, errors):
    """Bits of which a share is wrong, with a little noise that never hides them."""
    rng = np.random.default_rng(7)
    wrong = rng.random(bits.shape) < errors
    return np.where(wrong, 1 - bits, bits) + 0.01 * rng.normal(size=bits.shape)


# --- SAP --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["svm", "thresholds"])
def test_the_score_is_the_gap_of_accuracies(reader):
    factors = np.random.default_rng(0).integers(0, 2, (20_000, 2))
    codes = flipped(np.tile(factors, 2), [0.1, 0.05, 0.3, 0.15])
    expected = ((0.9 - 0.7) + (0.95 - 0.85)) / 2
    assert sap_score(codes, factors, reader=reader) == pytest.approx(expected, abs=0.015)


def test_the_score_of_quantities_is_the_gap_of_squared_correlations():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 9, (500, 2))
    codes = factors @ rng.normal(size=(2, 3)) + rng.normal(size=(500, 3))
    squares = np.corrcoef(codes.T, factors.T)[:3, 3:] ** 2
    ranked = np.sort(squares, axis=0)
    expected = np.mean(ranked[2] - ranked[1])
    assert sap_score(codes, factors, reader="correlation") == pytest.approx(expected)


def test_a_dimension_a_factor_scores_all_that_cannot_be_guessed(two_values, five_values, perfect):
    two, five = perfect(two_values), perfect(five_values)
    assert sap_score(two, two_values) == pytest.approx(0.5, abs=0.05)
    assert sap_score(two, two_values, reader="thresholds") == pytest.approx(0.5, abs=0.05)
    assert sap_score(five, five_values, reader="thresholds") == pytest.approx(0.8, abs=0.05)
    assert sap_score(five, five_values, reader="correlation") > 0.98


def test_the_middle_of_a_line_is_found_by_thresholds_rather_than_the_machine(five_values, perfect):
    codes = perfect(five_values)
    assert 0.2 < sap_score(codes, five_values) < 0.75
    exact = five_values.astype(float)
    assert 0.2 < sap_score(exact, five_values) < sap_score(exact, five_values, reader="thresholds")


@pytest.mark.parametrize("reader", READERS)
def test_a_rotation_costs_the_score(reader, two_values, perfect, rotated, evenly_mixed):
    best = sap_score(perfect(two_values), two_values, reader=reader)
    assert sap_score(rotated(two_values), two_values, reader=reader) < 0.6 * best
    assert sap_score(evenly_mixed(two_values), two_values, reader=reader) < 0.05


@pytest.mark.parametrize("reader", READERS)
def test_noise_and_two_dimensions_a_factor_have_no_gap(reader, two_values, noise, doubled):
    assert sap_score(noise, two_values, reader=reader) < 0.04
    assert sap_score(doubled(two_values), two_values, reader=reader) < 0.01


@pytest.mark.parametrize("reader", READERS)
def test_order_scale_and_offset_of_dimensions_make_no_difference(reader, five_values, rotated):
    codes = rotated(five_values)
    changed = (codes * [1e-3, -1, 7, 1e3] + [5, -3, 0, 100])[:, [2, 0, 3, 1]]
    found, same = (sap_score(c, five_values, reader=reader) for c in (codes, changed))
    assert found == pytest.approx(same, abs=0.01)


def test_an_unknown_reader_is_refused(noise, two_values):
    with pytest.raises(ValueError, match="one of svm, thresholds, correlation.*reader='mlp'"):
        sap_score(noise, two_values, reader="mlp")


# --- Explicitness -----------------------------------------------------------------------------


def test_the_area_of_a_binary_channel_is_the_share_of_what_is_right():
    factors = np.random.default_rng(0).integers(0, 2, (20_000, 2))
    rng = np.random.default_rng(7)
    codes = np.where(rng.random(factors.shape) < [0.1, 0.3], 1 - factors, factors)
    expected = (0.9 + 0.7) / 2
    assert explicitness(codes.astype(float), factors) == pytest.approx(expected, abs=0.01)


def test_what_a_line_separates_is_explicit_in_any_rotation(two_values, rotated, evenly_mixed):
    assert explicitness(rotated(two_values), two_values) > 0.999
    assert explicitness(evenly_mixed(two_values), two_values) > 0.999


def test_noise_is_guessed(five_values, noise):
    assert explicitness(noise, five_values) == pytest.approx(0.5, abs=0.04)


def test_the_middle_of_a_line_is_not_explicit_but_a_dimension_a_value_is(two_values):
    three = two_values[:, :2] + two_values[:, 2:]  # the middle value is as frequent as the others
    line, corners = three.astype(float), np.eye(3)[three].reshape(len(three), -1)
    assert explicitness(corners, three) == pytest.approx(1)
    assert explicitness(line, three) == pytest.approx((1 + 0.5 + 1) / 3, abs=0.05)


def test_scale_and_order_of_dimensions_are_not_read(five_values, rotated):
    codes = rotated(five_values)
    changed = (codes * [1e-3, -1, 7, 1e3] + [5, -3, 0, 100])[:, [2, 0, 3, 1]]
    found = explicitness(codes, five_values)
    assert explicitness(changed, five_values) == pytest.approx(found, abs=1e-3)


# --- Both -------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", [sap_score, explicitness])
def test_the_seed_decides_what_is_held_out(figure, five_values, rotated):
    codes, factors = rotated(five_values)[:200], five_values[:200]
    first, again, other = (figure(codes, factors, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize("figure", [sap_score, explicitness])
def test_a_value_of_one_example_does_no_harm(figure, two_values, perfect):
    factors = two_values.copy()
    factors[17, 0] = 2
    found = figure(perfect(two_values), factors)
    assert found == pytest.approx(figure(perfect(two_values), two_values), abs=0.02)


@pytest.mark.parametrize("figure", [sap_score, explicitness])
def test_values_that_are_too_rare_are_refused(figure, noise, two_values):
    factors = {"ink": two_values[:50, 0], "number": np.arange(50)}
    with pytest.raises(ValueError, match="values of factor 'number' are too rare.*Give more"):
        figure(noise[:50], factors)
