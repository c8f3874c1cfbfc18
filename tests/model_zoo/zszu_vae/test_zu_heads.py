import keras
import numpy as np
import pytest

from latentloom.model_zoo.networks.stiefel import stiefel_defect
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.model_zoo.zszu_vae import ZsZuVAE
from latentloom.model_zoo.zszu_vae.zu_heads import StiefelHead, diagonal_normal


def tiny(**args):
    sizes = {"zs_dim": 3, "zu_dim": 3, "zu_feature_dim": 6, "hidden_dim": 16}
    return ZsZuVAE((8, 8, 1), 10, **{**sizes, "zu_head": "stiefel"} | args)


@pytest.fixture
def encoded():
    generator = np.random.default_rng(0)
    return (generator.normal(size=(400, 6)) * np.geomspace(4, 0.2, 6)).astype(np.float32)


def test_divergence_is_that_from_the_gaussian_that_fits_the_codes(encoded):
    head = StiefelHead(3, 6)
    outputs = head.moments(encoded, training=True)
    codes = np.asarray(outputs["zu_loc"], np.float64)
    covariance = codes.T @ codes / len(codes) + np.eye(3)
    precision = np.linalg.inv(covariance)
    quadratic = np.einsum("ni,ij,nj->n", codes, precision, codes).mean()
    log_volume = np.linalg.slogdet(covariance)[1]
    expected = 0.5 * (np.trace(precision) + quadratic - 3 + log_volume)
    assert float(head.divergence(outputs)) == pytest.approx(expected, rel=1e-4)


def test_divergence_does_not_depend_on_the_basis(encoded):
    head = StiefelHead(3, 6)
    before = float(head.divergence(head.moments(encoded, training=True)))
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    head.subspace.basis.assign(np.asarray(head.subspace.basis) @ turn)
    after = float(head.divergence(head.moments(encoded, training=True)))
    assert after == pytest.approx(before, rel=1e-4)


def test_draws_have_the_covariance_of_noisy_codes(encoded):
    head, seed = StiefelHead(3, 6), keras.random.SeedGenerator(0)
    outputs = head.moments(encoded, training=True)
    draws = np.concatenate([np.asarray(head.draw(outputs, seed)) for _ in range(30)])
    codes = np.asarray(outputs["zu_loc"])
    expected = codes.T @ codes / len(codes) + np.eye(3)
    np.testing.assert_allclose(np.cov(draws.T), expected, atol=0.06 * expected.max())


def test_the_gaussian_head_diverges_from_a_standard_normal():
    head = tiny(zu_head="gaussian").head
    outputs = head.moments(np.array([[1.0, 0, 0, 0, 0, 0]], np.float32))
    assert float(head.divergence(outputs)) == pytest.approx(0.5)
    np.testing.assert_array_equal(head.scale(), np.ones(3))


def test_training_sorts_the_axes_of_zu_and_fits_their_prior(folds, tmp_path):
    model = tiny()
    fit(model, *folds, Schedule(epochs=2, batch_size=32), tmp_path)
    codes = np.asarray(model.encode(folds[0][0].astype(np.float32) / 127.5 - 1.0)["zu"])
    covariance = np.cov(codes.T, bias=True)
    assert (np.diff(np.diag(covariance)) < 0).all()
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3 * covariance[0, 0]
    assert float(stiefel_defect(model.head.subspace.basis)) < 1e-4
    latents = {"zs": np.zeros((10, 3), np.float32), "zu": codes[:10]}
    scale = model.fitted_priors(latents, np.arange(10))["zu"]["scale"][0, 0]
    np.testing.assert_allclose(scale, np.sqrt(np.diag(covariance) + 1), rtol=1e-3)
    np.testing.assert_allclose(model.prior()["zu"].stddev(), scale, rtol=1e-5)


def test_a_saved_model_decodes_the_same(folds, tmp_path):
    model = tiny()
    fit(model, *folds, Schedule(epochs=1, batch_size=32), tmp_path)
    model.save_weights(tmp_path / "model.weights.h5")
    restored = ZsZuVAE.from_config(model.get_config())
    restored.load_weights(tmp_path / "model.weights.h5")
    images = folds[0][0][:4].astype(np.float32) / 127.5 - 1.0
    np.testing.assert_allclose(
        restored.decode(restored.encode(images)), model.decode(model.encode(images)), atol=1e-6
    )


def test_standard_deviations_of_a_diagonal_normal_follow_the_log_variance():
    normal = diagonal_normal(np.zeros(2, np.float32), np.log([4.0, 9.0]).astype(np.float32))
    np.testing.assert_allclose(normal.stddev(), [2, 3], rtol=1e-6)


@pytest.mark.parametrize(
    ("args", "fix"),
    [
        ({"zu_head": "slack"}, "Set `model.args.zu_head`"),
        ({"zu_dim": 7}, "Raise `model.args.zu_feature_dim`"),
    ],
)
def test_impossible_heads_are_refused_with_the_fix(args, fix):
    with pytest.raises(ValueError, match=fix):
        tiny(**args)
