"""Mutual information, its gap and modularity against joint tables and known codes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from latentloom.model_zoo.metrics.disentanglement.mutual_information import (
    BINS,
    modularity,
    mutual_information,
    mutual_information_gap,
)

TABLE = np.array([[4, 1], [1, 2]])
"""Examples by code (0 or 1) and value of a factor."""


def counted(table):
    """Codes and values with these joint counts, `(n,)` each."""
    cells = np.repeat(np.arange(table.size), table.ravel())
    return cells // table.shape[1], cells % table.shape[1]


def crossed(first, second):
    """All pairs of rows: the two tables become independent."""
    left, right = np.divmod(np.arange(len(first) * len(second)), len(second))
    return np.c_[np.asarray(first)[left], np.asarray(second)[right]]


def known():
    """Two independent dimensions, each with one of two factors by `TABLE`."""
    code, value = counted(TABLE)
    return crossed(code, code).astype(float), crossed(value, value)


def entropy(*shares):
    return -sum(p * np.log(p) for p in shares)


INFORMATION = 2 * entropy(5 / 8, 3 / 8) - entropy(1 / 2, 1 / 8, 1 / 8, 1 / 4)


# --- Mutual information -----------------------------------------------------------------------


def test_mutual_information_is_that_of_the_joint_table():
    expected = np.diag([INFORMATION, INFORMATION])
    np.testing.assert_allclose(mutual_information(*known()), expected, atol=1e-12)


def test_mutual_information_of_binned_codes_is_that_of_scikit_learn(five_values, rotated):
    codes = rotated(five_values)
    edges = [np.histogram(column, BINS)[1][:-1] for column in codes.T]
    places = [np.digitize(column, edge) for column, edge in zip(codes.T, edges, strict=True)]
    expected = [[mutual_info_score(p, values) for values in five_values.T] for p in places]
    np.testing.assert_allclose(mutual_information(codes, five_values), expected, atol=1e-9)


def test_noise_has_the_known_bias(five_values, noise):
    used = np.array([len(np.unique(np.histogram_bin_edges(c, BINS))) - 1 for c in noise.T])
    found = mutual_information(noise, five_values)
    assert found.mean() == pytest.approx((used.mean() - 1) * 4 / (2 * 2000), rel=0.3)


def test_codes_on_the_edges_of_bins_are_not_told_apart_by_rounding(two_values):
    exact = two_values - 0.5
    signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    clean = mutual_information(exact @ signs, two_values)
    blurred = mutual_information(exact @ (signs / 3), two_values)
    np.testing.assert_allclose(blurred, clean, atol=1e-12)


# --- Gap --------------------------------------------------------------------------------------


def test_the_gap_is_relative_to_the_entropy_of_the_factor():
    assert mutual_information_gap(*known()) == pytest.approx(INFORMATION / entropy(5 / 8, 3 / 8))


def test_the_gap_is_to_the_second_dimension():
    codes, factors = known()
    rng = np.random.default_rng(0)
    weaker = np.where(rng.random(len(codes)) < 0.3, 1 - codes[:, 0], codes[:, 0])
    three = np.c_[codes, weaker]
    second = mutual_information(three, factors)[2]
    expected = (2 * INFORMATION - second[0] - second[1]) / 2 / entropy(5 / 8, 3 / 8)
    assert mutual_information_gap(three, factors) == pytest.approx(expected)


def test_the_gap_of_a_dimension_a_factor_is_all(five_values, perfect):
    assert mutual_information_gap(perfect(five_values), five_values) > 0.98


def test_a_rotation_closes_the_gap(five_values, rotated, evenly_mixed):
    assert mutual_information_gap(rotated(five_values), five_values) < 0.4
    assert mutual_information_gap(evenly_mixed(five_values), five_values) < 0.05


def test_noise_has_no_gap(five_values, noise):
    assert mutual_information_gap(noise, five_values) < 0.01


def test_two_dimensions_a_factor_have_no_gap_and_stay_modular(five_values, doubled):
    assert mutual_information_gap(doubled(five_values), five_values) < 0.02
    assert modularity(doubled(five_values), five_values) > 0.99


# --- Modularity -------------------------------------------------------------------------------


def test_modularity_is_one_less_the_share_of_other_factors():
    code, value = counted(TABLE)
    codes = crossed(value + 2 * code, code).astype(float)  # tells all of its factor, and TABLE
    factors = np.c_[crossed(value, value), crossed(code, code)[:, 0]]
    information = mutual_information(codes, factors)
    best, second = entropy(5 / 8, 3 / 8), entropy(5 / 8, 3 / 8)
    np.testing.assert_allclose(information[0], [best, 0, second], atol=1e-12)
    np.testing.assert_allclose(information[1], [0, INFORMATION, 0], atol=1e-12)
    expected = [1 - second**2 / (best**2 * 2), 1.0]
    assert modularity(codes, factors) == pytest.approx(np.mean(expected))


def test_a_dimension_a_factor_is_modular(five_values, perfect):
    assert modularity(perfect(five_values), five_values) > 0.99


def test_dimensions_of_all_factors_are_not_modular(five_values, evenly_mixed, noise):
    assert modularity(evenly_mixed(five_values), five_values) < 0.4
    assert modularity(noise, five_values) < 0.7  # not 0: it knows by chance of some factors more


def test_a_dimension_that_knows_nothing_counts_as_zero(five_values, perfect):
    constant = np.full((2000, 4), 0.1)
    assert modularity(constant, five_values) == 0
    both = np.c_[perfect(five_values), constant]
    assert modularity(both, five_values) == pytest.approx(0.5, abs=0.01)


# --- Invariance -------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.permutations(range(4)),
    st.lists(st.floats(1e-3, 1e3), min_size=4, max_size=4),
    st.lists(st.integers(-50, 50), min_size=4, max_size=4),
)
def test_order_scale_and_offset_make_no_difference(five_values, order, scales, offsets):
    codes = five_values @ np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [2, 0, 0, 1]])
    changed = codes[:, order] * scales + offsets
    for figure in (mutual_information_gap, modularity):
        assert figure(changed, five_values) == pytest.approx(figure(codes, five_values))
    found = mutual_information(changed, five_values)
    np.testing.assert_allclose(found, mutual_information(codes, five_values)[order], atol=1e-12)


def test_names_and_numbers_of_values_make_no_difference(five_values, rotated):
    codes, again = rotated(five_values), np.array([9, -4, 7, 1, 3])[five_values]
    for figure in (mutual_information_gap, modularity):
        assert figure(codes, again) == pytest.approx(figure(codes, five_values))
