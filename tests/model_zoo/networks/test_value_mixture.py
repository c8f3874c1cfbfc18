import numpy as np

from latentloom.model_zoo.networks.value_mixture import mixture_of_values


def test_each_value_gets_its_share_mean_and_spread():
    rng = np.random.default_rng(0)
    values = rng.choice([0, 2, 3], p=[0.5, 0.3, 0.2], size=6000)
    scale = np.array([0.1, 2.0])
    codes = rng.normal(values[:, None] * np.array([1.0, -1.0]), scale)
    prior = mixture_of_values(codes, values)
    np.testing.assert_allclose(prior["weights"], [[0.5, 0.3, 0.2]], atol=0.02)
    np.testing.assert_allclose(prior["loc"][0], [[0, 0], [2, -2], [3, -3]], atol=0.2)
    np.testing.assert_allclose(prior["scale"], np.tile(scale, (1, 3, 1)), rtol=0.07)
    assert {array.dtype for array in prior.values()} == {np.dtype(np.float32)}


def test_a_far_mean_costs_no_precision():
    codes = 1e4 + np.random.default_rng(0).normal(0, 0.01, (500, 1))
    np.testing.assert_allclose(
        mixture_of_values(codes, np.zeros(500, int))["scale"], 0.01, rtol=0.1
    )


def test_a_value_of_one_example_keeps_a_scale():
    prior = mixture_of_values(np.array([[0.0], [1.0], [2.0]]), np.array([0, 0, 1]))
    assert (prior["scale"] > 0).all()
    assert prior["scale"][0, 1, 0] < 0.01
