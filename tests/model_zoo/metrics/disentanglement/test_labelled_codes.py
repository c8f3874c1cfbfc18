"""What codes and factors are refused, in any figure, and how values are numbered."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.disentanglement.dci import dci
from latentloom.model_zoo.metrics.disentanglement.fixed_factors import (
    beta_vae_score,
    factor_vae_score,
)
from latentloom.model_zoo.metrics.disentanglement.labelled_codes import LabelledCodes, standardised
from latentloom.model_zoo.metrics.disentanglement.mutual_information import (
    modularity,
    mutual_information,
    mutual_information_gap,
)
from latentloom.model_zoo.metrics.disentanglement.separability import explicitness, sap_score

FIGURES = [
    *(dci, mutual_information, mutual_information_gap, modularity),
    *(sap_score, explicitness, factor_vae_score, beta_vae_score),
]


def test_values_are_numbered_in_their_order():
    columns = {"shape": np.array([7, 3, 3, 9]), "mirrored": np.array([True, False, True, True])}
    table = LabelledCodes.check(np.eye(4), columns)
    assert table.names == ("shape", "mirrored")
    np.testing.assert_array_equal(table.values, [[1, 1], [0, 0], [0, 1], [2, 1]])


def test_an_array_is_a_mapping_without_names(two_values, noise):
    array = LabelledCodes.check(noise, two_values)
    mapping = LabelledCodes.check(noise, dict(zip("0123", two_values.T, strict=True)))
    assert array.names == mapping.names
    np.testing.assert_array_equal(array.values, mapping.values)


def test_columns_are_standardised_by_the_rows_that_are_given(noise):
    columns = standardised(3 * noise + 7, slice(1000))
    np.testing.assert_allclose(columns[:1000].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(columns[:1000].std(axis=0), 1)
    assert np.abs(columns.std(axis=0) - 1).max() > 1e-6


def test_a_column_that_is_constant_becomes_zeros():
    constant = np.full((10, 2), 0.1)
    np.testing.assert_array_equal(standardised(constant), 0)
    constant[-1] = 5
    np.testing.assert_array_equal(standardised(constant, slice(9)), 0)


@pytest.mark.parametrize("figure", FIGURES)
def test_a_factor_that_does_not_vary_is_refused(figure, noise, two_values):
    factors = {"ink": two_values[:, 0], "paper": np.full(2000, 3)}
    with pytest.raises(ValueError, match=r"Factor 'paper' does not vary.*\[3\].*Leave the factor"):
        figure(noise, factors)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_codes_that_are_not_finite_are_refused(figure, bad, noise, two_values):
    codes = noise.copy()
    codes[5, 1] = bad
    with pytest.raises(ValueError, match=r"Expected: finite.*shape=\(2000, 4\), finite=False"):
        figure(codes, two_values)


@pytest.mark.parametrize("figure", FIGURES)
def test_one_dimension_or_one_factor_is_refused(figure, noise, two_values):
    with pytest.raises(ValueError, match="dim >= 2.*Give codes of a trained model"):
        figure(noise[:, :1], two_values)
    for factors in (two_values[:, :1], two_values[:, 0], {"ink": two_values[:, 0]}):
        with pytest.raises(ValueError, match="One factor cannot be entangled.*Give another factor"):
            figure(noise, factors)


@pytest.mark.parametrize("figure", FIGURES)
def test_too_few_examples_are_refused(figure, noise, two_values):
    with pytest.raises(ValueError, match=r"too few codes.*Received: 3\. Give more examples"):
        figure(noise[:3], two_values[:3])


def test_factors_that_do_not_fit_the_codes_are_refused(noise, two_values):
    with pytest.raises(TypeError, match=r"Factor '0' has no discrete values.*dtype=float64"):
        LabelledCodes.check(noise, two_values.astype(float))
    with pytest.raises(ValueError, match=r"shape=\(2000,\).*shape=\(1999,\).*Align codes"):
        LabelledCodes.check(noise, two_values[1:])
