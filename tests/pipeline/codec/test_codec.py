"""The codec runs fixed batches; what a row gets does not depend on the rows beside it."""

from types import SimpleNamespace

import numpy as np
import pytest
from bundles import digits_bundle, digits_data
from keras import ops

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.bundle import load_bundle
from latentloom.model_zoo.scaling import PIXELS
from latentloom.pipeline.codec.batching import BATCH_SIZE
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(digits_bundle()))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return DatasetDir.open(digits_data()).read("train").observations


@pytest.mark.parametrize("count", [0, 1, BATCH_SIZE - 1, BATCH_SIZE, BATCH_SIZE + 1])
def test_any_number_of_rows_goes_in_and_comes_out(codec, images, count):
    latents = codec.encode(images[:count])
    rendered, probabilities = codec.render(latents)
    assert [block.shape for block in latents.values()] == [(count, 8), (count, 16)]
    assert rendered.shape == images[:count].shape
    assert rendered.dtype == np.uint8
    assert probabilities.shape == (count, 10)


def test_rows_do_not_depend_on_their_batch(codec, images):
    together = codec.encode(images[:150])
    alone = codec.encode(images[100:101])
    for name, block in alone.items():
        np.testing.assert_array_equal(block[0], together[name][100])


def test_encoding_equals_the_model_called_by_itself(codec, images):
    scaled = images[:BATCH_SIZE].astype(np.float32) / 127.5 - 1
    direct = codec.bundle.model.encode(scaled)
    for name, block in codec.encode(images[:BATCH_SIZE]).items():
        np.testing.assert_allclose(block, direct[name], atol=1e-5)


def test_the_judge_reads_the_pixels_that_are_written(codec, images):
    rendered, probabilities = codec.render(codec.encode(images[:70]))
    np.testing.assert_allclose(probabilities, codec.judge(rendered, "judge"), atol=1e-6)


def test_a_code_that_is_not_finite_has_no_probabilities(codec, images):
    latents = codec.encode(images[:3])
    latents["zu"][1] = np.nan
    _, probabilities = codec.render(latents)
    assert np.isnan(probabilities[1]).all()
    assert np.isfinite(probabilities[[0, 2]]).all()


def test_posterior_samples_follow_the_seed_and_scatter_around_the_mean(codec, images):
    mean = codec.encode(images[:200])["zu"]
    first, again, other = (codec.sample_posterior(images[:200], seed)["zu"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert 0 < np.std(first - mean) < 2
    assert abs(np.mean(first - mean)) < 0.1


def test_no_two_blocks_share_their_noise():
    model = SimpleNamespace(
        latent_spec={"a": {"dim": 3, "factors": []}, "b": {"dim": 3, "factors": []}},
        value_range=(0.0, 1.0),
        variables=[],
        posterior=lambda observations: {
            name: tfd.MultivariateNormalDiag(ops.zeros((BATCH_SIZE, 3)), ops.ones((3,)))
            for name in "ab"
        },
    )
    bundle = SimpleNamespace(
        model=model,
        observation_shape=(2, 2, 1),
        scaling=PIXELS,
        judge=SimpleNamespace(variables=[]),
        auditor=SimpleNamespace(variables=[]),
    )
    samples = Codec(bundle).sample_posterior(np.zeros((2 * BATCH_SIZE, 2, 2, 1), np.uint8), 0)
    drawn = np.stack([*np.split(samples["a"], 2), *np.split(samples["b"], 2)]).reshape(4, -1)
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.3


def test_moments_of_the_posterior_are_those_of_its_samples(codec, images):
    moments = codec.posterior_moments(images[:70])
    loc, scale = moments["zu"]
    assert loc.shape == scale.shape == (70, 16)
    np.testing.assert_allclose(loc, codec.encode(images[:70])["zu"], atol=1e-5)
    samples = np.stack([codec.sample_posterior(images[:70], seed)["zu"] for seed in range(200)])
    np.testing.assert_allclose(samples.mean(axis=0), loc, atol=5 * scale.max() / 200**0.5)
    np.testing.assert_allclose(samples.std(axis=0) / scale, 1, atol=0.3)


def test_draws_of_the_models_own_prior_follow_labels_and_seed(codec):
    labels = np.arange(500) % 10
    assert codec.has_prior
    first, again, other = (codec.sample_prior(labels, seed) for seed in (1, 1, 2))
    assert list(first) == ["zs"]
    np.testing.assert_array_equal(first["zs"], again["zs"])
    assert not np.allclose(first["zs"], other["zs"])
    mixture = codec.bundle.model.mixture
    means = np.stack([first["zs"][labels == label].mean(axis=0) for label in range(10)])
    np.testing.assert_allclose(means, np.asarray(mixture.loc.value), atol=1.5)


def test_the_models_class_is_that_of_its_highest_score(codec, images):
    latents = codec.encode(images[:70])
    scores = codec.class_scores(latents)
    assert scores.shape == (70, 10)
    np.testing.assert_array_equal(scores.argmax(axis=-1), codec.classify(latents))


def test_the_priors_come_from_the_bundle(codec, images):
    labels = DatasetDir.open(digits_data()).read("train").labels
    zs = codec.encode(images)["zs"]
    assert codec.spec.names == ("zs", "zu")
    assert codec.spec["zs"].factors == ("label",)
    assert codec.spec["zs"].prior.is_class_conditional
    assert not codec.spec["zu"].prior.is_class_conditional
    nearest = np.linalg.norm(zs[:, None] - codec.spec["zs"].prior.loc[None, :, 0], axis=-1)
    assert np.mean(np.argmin(nearest, axis=1) == labels) > 0.8
