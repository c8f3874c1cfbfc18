import keras
import numpy as np
import pytest
from keras import ops

from latentloom.model_zoo.networks.stiefel import LARGEST_DEFECT, stiefel_defect
from latentloom.model_zoo.networks.subspace import Subspace


@pytest.fixture
def features():
    """Correlated features around a mean that is not 0."""
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(8, 8)) * np.geomspace(3.0, 0.1, 8)
    return (generator.normal(size=(200, 8)) @ mixing + 5.0).astype(np.float32)


@pytest.fixture
def subspace():
    return Subspace(8, 3, seed=1)


def lifted(subspace, features):
    return np.asarray(subspace.lift(subspace(features)))


def test_settled_axes_are_decorrelated_and_sorted(subspace, features):
    subspace.settle([features])
    variance = np.asarray(subspace.variance)
    codes = np.asarray(subspace(features), np.float64)
    covariance = codes.T @ codes / len(codes)
    np.testing.assert_allclose(np.diag(covariance), variance, rtol=1e-4)
    assert (np.diff(variance) < 0).all()
    off = covariance - np.diag(np.diag(covariance))
    assert np.abs(off).max() < 1e-5 * variance[0]
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=1e-4)


def test_settling_turns_axes_within_the_subspace(subspace, features):
    subspace.loc.assign(features.mean(axis=0))
    before = lifted(subspace, features)
    subspace.settle([features])
    np.testing.assert_allclose(lifted(subspace, features), before, atol=1e-4)
    assert float(stiefel_defect(subspace.basis)) < 1e-5


def test_settling_again_changes_nothing(subspace, features):
    subspace.settle([features])
    basis = np.array(subspace.basis)
    subspace.settle([features])
    np.testing.assert_allclose(subspace.basis, basis, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_axes_beyond_the_examples_have_no_variance(subspace, features, count):
    subspace.settle([features[:count]])
    variance = np.asarray(subspace.variance)
    assert (variance[: count - 1] > 0).all()
    np.testing.assert_allclose(variance[count - 1 :], 0, atol=1e-9)
    assert float(stiefel_defect(subspace.basis)) < LARGEST_DEFECT


def test_constant_features_have_no_variance_and_codes_of_0(subspace):
    features = np.full((20, 8), 3.0, np.float32)
    subspace.settle([features])
    np.testing.assert_array_equal(subspace.variance, 0)
    np.testing.assert_allclose(subspace(features), 0, atol=1e-6)


def test_training_centres_on_the_batch_and_follows_its_mean(subspace, features):
    np.testing.assert_allclose(
        ops.mean(subspace.centre(features, training=True), axis=0), 0, atol=1e-5
    )
    np.testing.assert_allclose(subspace.loc, 0.01 * features.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(subspace.centre(features), features - np.asarray(subspace.loc))


def test_a_basis_that_left_the_manifold_is_not_loaded(subspace, tmp_path):
    model = keras.Sequential([keras.Input((8,)), subspace])
    subspace.basis.assign(1.5 * np.asarray(subspace.basis))
    model.save_weights(tmp_path / "x.weights.h5")
    fresh = keras.Sequential([keras.Input((8,)), Subspace(8, 3, name=subspace.name)])
    with pytest.raises(ValueError, match=r"left the Stiefel manifold.*Received: 2\.17"):
        fresh.load_weights(tmp_path / "x.weights.h5")


def test_a_subspace_larger_than_the_features_is_refused():
    with pytest.raises(ValueError, match="Lower the number of columns"):
        Subspace(3, 4)


def test_config_round_trip(subspace):
    assert Subspace.from_config(subspace.get_config()).get_config() == subspace.get_config()
