"""The codec runs fixed batches; what a row gets does not depend on the rows beside it."""

import numpy as np
import pytest
from bundles import digits_bundle, digits_data

from model_zoo.bundle import load_bundle
from pipeline.codec import BATCH_SIZE, Codec
from pipeline.dataset_dir import DatasetDir


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(digits_bundle()))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return DatasetDir.open(digits_data()).read("train").images


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


def test_the_priors_come_from_the_bundle(codec, images):
    labels = DatasetDir.open(digits_data()).read("train").labels
    zs = codec.encode(images)["zs"]
    assert codec.spec.names == ("zs", "zu")
    assert codec.spec["zs"].factors == ("label",)
    assert codec.spec["zs"].prior.is_class_conditional
    assert not codec.spec["zu"].prior.is_class_conditional
    nearest = np.linalg.norm(zs[:, None] - codec.spec["zs"].prior.loc[None, :, 0], axis=-1)
    assert np.mean(np.argmin(nearest, axis=1) == labels) > 0.8
