import keras
import numpy as np
import pytest
from keras import ops

from latentloom.model_zoo.networks.stiefel import orthonormalize, stiefel_defect
from latentloom.model_zoo.optimizers import CayleyAdam, Grouped
from latentloom.model_zoo.st_rkm import StRKM
from latentloom.model_zoo.st_rkm.losses import add_noise
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule, optimizer


def tiny(**args):
    return StRKM((8, 8, 1), 10, **{"dim": 3, "feature_dim": 6, "hidden_dim": 16} | args)


@pytest.fixture
def observations(digits):
    return digits[0][:20].astype(np.float32) / 127.5 - 1.0


def test_decoded_images_do_not_depend_on_the_choice_of_the_basis(observations):
    model = tiny()
    before = np.asarray(model.decode(model.encode(observations)))
    turn = np.asarray(orthonormalize(np.random.default_rng(0).normal(size=(3, 3))))
    model.subspace.basis.assign(np.asarray(model.subspace.basis) @ turn)
    np.testing.assert_allclose(model.decode(model.encode(observations)), before, atol=1e-5)


def test_pca_loss_is_the_variance_off_the_subspace():
    model = tiny()
    features = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    centred = model.subspace.centre(features, training=True)
    found = model.subspace.error(centred, model.subspace.project(centred))
    covariance, basis = np.cov(features.T, bias=True), np.asarray(model.subspace.basis)
    expected = np.trace(covariance) - np.trace(basis.T @ covariance @ basis)
    assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("every", [1, 4])
def test_losses_are_those_of_the_paper(observations, every):
    model = tiny(noise=0.3, loss="split", noisy_every=every)
    outputs = model(observations, training=True)
    model.compute_loss(observations, None, outputs)
    found = {name: float(tracker.result()) for name, tracker in model.trackers.items()}
    images, clean = (observations + 1) / 2, (np.asarray(outputs["reconstruction"]) + 1) / 2
    noisy = (np.asarray(outputs["noisy"]) + 1) / 2
    pairs = ((images, clean), (clean[::every], noisy))
    squares = [np.square(one - other).sum() / len(one) for one, other in pairs]
    assert len(noisy) == 20 // every
    assert found["reconstruction_loss"] == pytest.approx(squares[0], rel=1e-4)
    assert found["smoothness_loss"] == pytest.approx(squares[1], rel=1e-4)
    assert squares[1] > 0
    expected = 0.5 * sum(squares) + found["pca_loss"]
    assert found["objective"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("relative", [True, False])
def test_relative_noise_grows_with_the_codes(relative):
    model = tiny(noise=0.1, relative_noise=relative)
    codes = np.random.default_rng(0).normal(size=(4000, 3)).astype(np.float32)
    spread = [
        float(ops.std(add_noise(model.settings, model.noise_source, c) - c))
        for c in (codes, 10 * codes)
    ]
    assert spread[0] == pytest.approx(0.1, rel=0.05)
    assert spread[1] == pytest.approx(1.0 if relative else 0.1, rel=0.05)


@pytest.mark.parametrize("form", ["deterministic", "noisy", "split"])
def test_validation_sees_no_noise(form, observations):
    model = tiny(loss=form, noise=5.0, relative_noise=False, noisy_every=1)
    outputs = model(observations, training=False)
    expected = model.decode(model.encode(observations))
    np.testing.assert_allclose(outputs["reconstruction"], expected, atol=1e-6)


def test_the_basis_is_turned_by_cayley_adam_and_stays_orthonormal(folds, tmp_path):
    model, schedule = tiny(subspace_rate=50.0), Schedule(epochs=3, batch_size=32)
    before = np.array(model.subspace.basis)
    groups = optimizer(model, schedule, 10)
    assert isinstance(groups, Grouped)
    assert [type(each) for each in groups.optimizers][0] is CayleyAdam
    fit(model, *folds, schedule, tmp_path)
    assert float(stiefel_defect(model.subspace.basis)) < 1e-4
    span = np.linalg.svd(before.T @ np.asarray(model.subspace.basis), compute_uv=False)
    assert span.min() < 0.999


def test_training_leaves_axes_decorrelated_and_sorted(folds, tmp_path):
    model = tiny()
    fit(model, *folds, Schedule(epochs=2, batch_size=32), tmp_path)
    images = folds[0][0].astype(np.float32) / 127.5 - 1.0
    codes = np.asarray(model.encode(images)["h"], np.float64)
    covariance = np.cov(codes.T)
    assert (np.diff(np.diag(covariance)) < 0).all()
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-4 * covariance[0, 0]


def test_a_batch_that_is_not_finite_leaves_the_basis_on_the_manifold():
    variable = keras.Variable(np.eye(4, 2, dtype=np.float32))
    cayley = CayleyAdam(0.1)
    cayley.apply([ops.full((4, 2), float("nan"))], [variable])
    np.testing.assert_array_equal(variable, np.eye(4, 2))


@pytest.mark.parametrize(
    ("args", "fix"),
    [
        ({"dim": 7}, "Lower `model.args.dim`"),
        ({"loss": "slack"}, "Set `model.args.loss`"),
        ({"noise": 0.0}, "Raise `model.args.noise`"),
        ({"num_components": 0}, "Raise `model.args.num_components`"),
        ({"noisy_every": 0}, "Raise `model.args.noisy_every`"),
    ],
)
def test_impossible_arguments_are_refused_with_the_fix(args, fix):
    with pytest.raises(ValueError, match=fix):
        tiny(**args)
