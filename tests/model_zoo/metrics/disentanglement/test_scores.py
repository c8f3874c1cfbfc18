import numpy as np
import pytest

from latentloom.model_zoo.metrics.disentanglement.dci import dci
from latentloom.model_zoo.metrics.disentanglement.mutual_information import mutual_information_gap
from latentloom.model_zoo.metrics.disentanglement.scores import disentanglement_scores

ERRORS = {"dci_forest_error", "dci_lasso_error"}


@pytest.fixture(scope="module")
def found(two_values, perfect):
    return disentanglement_scores(perfect(two_values), two_values)


def test_every_figure_of_perfect_codes_is_near_its_best(found):
    assert all(found.scores[name] < 0.05 for name in ERRORS)
    best = {name: 1.0 for name in found.scores if name not in ERRORS} | {"sap": 0.5}
    for name, value in best.items():
        assert found.scores[name] == pytest.approx(value, abs=0.06), name


def test_every_figure_of_noise_that_means_something_is_near_its_worst(two_values, noise):
    scores = disentanglement_scores(noise, two_values).scores
    assert all(scores[name] > 0.95 for name in ERRORS)
    worst = {"dci_forest_disentanglement": 0, "dci_forest_completeness": 0, "mig": 0, "sap": 0}
    worst |= {"explicitness": 0.5, "factor_vae": 0.25, "beta_vae": 0.25}
    for name, value in worst.items():
        assert scores[name] == pytest.approx(value, abs=0.15), name


def test_figures_are_those_of_the_functions(found, two_values, perfect):
    codes = perfect(two_values)
    alone = dci(codes, two_values, "lasso")
    np.testing.assert_array_equal(found.importance["lasso"], alone.importance)
    assert found.scores["dci_lasso_completeness"] == alone.completeness
    assert found.scores["mig"] == mutual_information_gap(codes, two_values)
    assert all(type(value) is float for value in found.scores.values())
    assert {weights.shape for weights in found.importance.values()} == {(4, 4)}


def test_names_of_factors_make_no_difference(found, two_values, perfect):
    named = dict(zip("dcba", two_values.T, strict=True))
    assert disentanglement_scores(perfect(two_values), named).scores == found.scores
