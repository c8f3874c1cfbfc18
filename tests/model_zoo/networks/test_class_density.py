import numpy as np
import pytest
from scipy.stats import multivariate_normal

from latentloom.model_zoo.networks.class_density import ClassDensity, fit_density


@pytest.fixture
def clusters():
    """Two classes of two clusters each, far apart, as codes, labels and centres."""
    generator = np.random.default_rng(0)
    centres = np.array([[[0.0, 0.0], [8.0, 0.0]], [[0.0, 8.0], [8.0, 8.0]]])
    labels = np.repeat([0, 1], 300)
    which = np.tile([0, 0, 1], 200)
    codes = centres[labels, which] + generator.normal(size=(600, 2)) * [0.5, 1.0]
    return codes, labels, centres


def test_fit_finds_the_clusters_of_every_class(clusters):
    codes, labels, centres = clusters
    density = fit_density(codes, labels, 2, 2)
    order = np.argsort(density["weights"], axis=1)[:, ::-1]
    np.testing.assert_allclose(np.sort(density["weights"], axis=1), [[1 / 3, 2 / 3]] * 2, atol=0.02)
    for label in range(2):
        np.testing.assert_allclose(density["loc"][label, order[label]], centres[label], atol=0.25)
    np.testing.assert_allclose(density["scale"], np.broadcast_to([0.5, 1.0], (2, 2, 2)), rtol=0.15)


def test_one_component_is_mean_and_deviation(clusters):
    codes, labels, _ = clusters
    density = fit_density(codes, np.zeros_like(labels), 1, 1)
    np.testing.assert_allclose(density["loc"][0, 0], codes.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(density["scale"][0, 0], codes.std(axis=0), rtol=1e-3)


def test_a_class_of_few_examples_has_as_many_components(clusters):
    codes, labels, _ = clusters
    codes, labels = np.append(codes, [[30.0, 30.0]], axis=0), np.append(labels, 2)
    density = fit_density(codes, labels, 3, 4)
    np.testing.assert_array_equal(density["weights"][2], [1, 0, 0, 0])
    np.testing.assert_allclose(density["loc"][2, 0], 30)
    assert (density["scale"] > 0).all()


def test_codes_without_variance_have_a_finite_density():
    density = fit_density(np.zeros((10, 3)), np.repeat([0, 1], 5), 2, 2)
    assert all(np.isfinite(array).all() for array in density.values())
    assert (density["scale"] > 0).all()


def test_held_density_agrees_with_scipy(clusters):
    codes, labels, _ = clusters
    found = fit_density(codes, labels, 2, 2)
    layer = ClassDensity(2, 2, 2)
    layer.hold(found)
    expected = sum(
        found["weights"][1, k]
        * multivariate_normal(found["loc"][1, k], np.diag(found["scale"][1, k] ** 2)).pdf(codes[:5])
        for k in range(2)
    )
    scores = np.asarray(layer.classes().log_prob(codes[:5, None].astype(np.float32)))
    assert scores.shape == (5, 2)
    np.testing.assert_allclose(scores[:, 1], np.log(expected), rtol=1e-3)
    both = np.asarray(layer.all_classes().log_prob(codes[:5].astype(np.float32)))
    np.testing.assert_allclose(both, np.logaddexp(*scores.T) - np.log(2), rtol=1e-4)
