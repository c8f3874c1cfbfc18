"""Blocks, labels, priors and arguments of the hierarchically factorised VAE."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from latentloom.model_zoo.backend.probability import stateless_seed
from latentloom.model_zoo.hfvae import HFVAE
from latentloom.model_zoo.hfvae.labels import LabelBatches, shown_labels
from latentloom.model_zoo.training.batches import Batches

TIED = {"digit": {"factor": "label"}, "style": {"dim": 3}, "kind": {"values": 2}}
FREE = {"style": {"dim": 3}, "kind": {"values": 4}}


def tiny(blocks=None, shape=(8, 8, 1), **args):
    return HFVAE(shape, 10, blocks=blocks, **{"hidden_dim": 16} | args)


@pytest.fixture
def observations(digits):
    return digits[0][:200].astype(np.float32) / 127.5 - 1.0


def encoded(model, observations):
    return {name: np.asarray(code) for name, code in model.encode(observations).items()}


# --- Blocks -----------------------------------------------------------------------------------


def test_one_gaussian_block_is_the_default():
    assert tiny().latent_spec == {"z": {"dim": 10, "factors": ["label"]}}


def test_the_block_that_is_tied_to_the_label_carries_it_alone():
    assert tiny(TIED).latent_spec == {
        "digit": {"dim": 10, "factors": ["label"]},
        "style": {"dim": 3, "factors": []},
        "kind": {"dim": 2, "factors": []},
    }
    assert [block["factors"] for block in tiny(FREE).latent_spec.values()] == [["label"]] * 2


def test_categorical_codes_are_probabilities_and_any_point_of_the_simplex_decodes(observations):
    model = tiny(TIED)
    latents = encoded(model, observations)
    np.testing.assert_allclose(latents["digit"].sum(axis=-1), 1.0, rtol=1e-5)
    assert latents["digit"].min() > 0
    for code in (np.eye(10, dtype=np.float32)[np.arange(200) % 10], np.full((200, 10), 0.1)):
        images = np.asarray(model.decode(latents | {"digit": code.astype(np.float32)}))
        assert images.shape == observations.shape
        assert np.isfinite(images).all()


def test_the_largest_entry_of_a_relaxed_code_is_drawn_from_the_posterior():
    block, seed = tiny({"c": {"values": 3}}).networks.blocks[0], keras.random.SeedGenerator(0)
    share = np.array([0.1, 0.3, 0.6], np.float32)
    moments = {"c/log_probabilities": ops.log(ops.convert_to_tensor(np.tile(share, (6000, 1))))}
    codes = np.asarray(block.draw(moments, seed))
    np.testing.assert_allclose(codes.sum(axis=-1), 1.0, rtol=1e-5)
    found = np.bincount(codes.argmax(axis=-1), minlength=3) / 6000
    np.testing.assert_allclose(found, share, atol=0.03)


def test_log_variances_are_bounded_and_keep_their_gradient(gradients_of):
    block = tiny({"z": {"dim": 1}}).networks.blocks[0]
    raw = keras.Variable(np.array([[0.0, -30.0], [0.0, 0.0], [0.0, 12.0]], np.float32))
    moments = block.moments(raw.value)
    assert np.asarray(moments["z/log_variance"]).min() >= -12
    assert np.asarray(moments["z/log_variance"]).max() <= 4
    (found,) = gradients_of(lambda: ops.sum(block.moments(raw.value)["z/log_variance"]), [raw])
    assert (found[:, 1] > 0).all()


def test_the_first_blocks_whose_combinations_are_few_enough_are_enumerated():
    blocks = {"a": {"values": 10}, "b": {"values": 30}, "c": {"values": 20}}
    model = tiny(blocks, max_joint_classes=256)
    assert [block.is_enumerated for block in model.networks.blocks] == [True, False, True]
    few = tiny(blocks, max_joint_classes=1)
    assert not any(block.is_enumerated for block in few.networks.blocks)


# --- Probability model ------------------------------------------------------------------------


def test_samples_of_the_posterior_are_float32_and_one_hot_where_categorical(observations):
    posterior = tiny(TIED).posterior(observations)
    for name, dim in (("digit", 10), ("style", 3), ("kind", 2)):
        sample = posterior[name].sample(seed=stateless_seed(np.array([3, 1], np.int32)))
        assert keras.backend.standardize_dtype(sample.dtype) == "float32"
        assert sample.shape == (200, dim)
        if name != "style":
            assert set(np.unique(np.asarray(sample))) == {0.0, 1.0}


def test_priors_of_classes_are_corners_where_the_label_has_a_block(observations, digits):
    model = tiny(TIED)
    priors = model.fitted_priors(encoded(model, observations), digits[1][:200])
    np.testing.assert_array_equal(priors["digit"]["loc"][:, 0], np.eye(10))
    np.testing.assert_array_equal(priors["digit"]["weights"], np.ones((10, 1)))
    np.testing.assert_array_equal(priors["digit"]["scale"], 0.0)
    np.testing.assert_array_equal(priors["style"]["loc"], np.zeros((1, 1, 3)))
    np.testing.assert_array_equal(priors["style"]["scale"], np.ones((1, 1, 3)))
    np.testing.assert_array_equal(priors["kind"]["loc"], np.eye(2)[None])
    np.testing.assert_array_equal(priors["kind"]["weights"], [[0.5, 0.5]])


def test_scores_of_a_block_for_the_label_are_its_log_probabilities(observations):
    model = tiny(TIED)
    latents = encoded(model, observations)
    scores = np.asarray(model.class_scores(latents))
    np.testing.assert_allclose(scores, np.log(latents["digit"]), atol=1e-4)
    assert np.isfinite(np.asarray(model.class_scores(latents | {"digit": np.eye(10)[[3] * 200]})))[
        :, 4
    ].all()


def test_without_a_block_for_the_label_scores_are_densities_fitted_to_each_class(digits):
    model, labels = tiny(FREE, num_components=1), digits[1][:300]
    rng = np.random.default_rng(0)
    style = (rng.normal(size=(300, 3)) + labels[:, None]).astype(np.float32)
    kind = np.eye(4, dtype=np.float32)[labels % 4]
    priors = model.fitted_priors({"style": style, "kind": kind}, {"label": labels})
    np.testing.assert_allclose(priors["kind"]["weights"][5], [0, 1, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(priors["kind"]["loc"][5], np.eye(4))
    scores = np.asarray(model.class_scores({"style": style, "kind": kind}))
    members = style[labels == 7]
    expected = stats.norm.logpdf(style, members.mean(axis=0), members.std(axis=0)).sum(axis=-1)
    of_class = labels % 4 == 3
    np.testing.assert_allclose(scores[of_class, 7], expected[of_class], rtol=1e-3, atol=1e-3)
    assert (scores.argmax(axis=-1) == labels).mean() > 0.8


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_reconstruction_loss_is_minus_the_log_likelihood(observations, likelihood):
    model = tiny({"z": {"dim": 2}}, likelihood=likelihood, noise_variance=0.3)
    latents = {"z": np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)}
    black_and_white = np.where(observations > 0, 1.0, -1.0).astype(np.float32)
    decoded = model.decoder(latents["z"])
    found = np.asarray(model.networks.likelihood.reconstruction_loss(black_and_white, decoded))
    seen = (black_and_white + 1) / 2 if likelihood == "bernoulli" else black_and_white
    np.testing.assert_allclose(found, -np.asarray(model.likelihood(latents).log_prob(seen)), 1e-4)
    if likelihood == "gaussian":
        mean = np.asarray(model.decode(latents))
        expected = stats.norm.logpdf(black_and_white, mean, 0.3**0.5).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(found, -expected, rtol=1e-4)


def test_vectors_have_a_gaussian_likelihood_and_no_bounds():
    model = tiny({"z": {"dim": 2}}, shape=(3,))
    assert model.get_config()["likelihood"] == "gaussian"
    assert np.abs(model.decode({"z": np.full((1, 2), 1e3, np.float32)})).max() > 1


def test_hidden_layers_have_the_sizes_that_are_listed():
    model = tiny({"z": {"dim": 2}}, hidden_dim=[40, 20])
    assert [w.shape for w in model.encoder.weights[::2]] == [(64, 40), (40, 20), (20, 4)]
    assert [w.shape for w in model.decoder.weights[::2]] == [(2, 20), (20, 40), (40, 64)]


# --- Labels -----------------------------------------------------------------------------------


def test_a_share_of_each_class_shows_its_label_and_at_least_one():
    labels = np.repeat([0, 1, 2], [100, 40, 1])
    is_shown = shown_labels(labels, 0.1, 0)
    np.testing.assert_array_equal(np.bincount(labels[is_shown]), [10, 4, 1])
    assert shown_labels(labels, 1.0, 0).all()
    assert (shown_labels(labels, 0.1, 1) != is_shown).any()


def test_the_same_labels_are_shown_in_every_epoch(digits):
    images, labels = digits[0][:90], digits[1][:90]
    sampler = tiny(TIED, label_share=0.3).sampler(images, labels)
    settings = {"batch_size": 40, "value_range": (-1.0, 1.0), "seed": 5, "epochs": range(3)}
    batches = sampler(images, {"label": labels}, **settings)
    assert isinstance(batches, LabelBatches)
    seen = []
    for epoch in range(3):
        some = [batches[3 * epoch + step] for step in range(3)]
        pixels = np.concatenate([x for x, _ in some]).reshape(90, -1)
        shown = np.concatenate([y["is_shown"] for _, y in some])
        seen.append({tuple(row) for row, known in zip(pixels, shown, strict=True) if known})
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == shown_labels(labels, 0.3, 0).sum() < 40


def test_without_a_block_for_the_label_batches_are_plain(digits):
    images, labels = digits[0][:90], digits[1][:90]
    batches = tiny(FREE).sampler(images, labels)(
        images, labels, batch_size=40, value_range=(-1.0, 1.0)
    )
    assert type(batches) is Batches


# --- Arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"blocks": {}}, "has no blocks.*Set `model.args.blocks`"),
        ({"blocks": {"z": {"dim": 0}}}, "'z' is out of range.*leave the block out"),
        ({"blocks": {"c": {"values": 1}}}, "'c' is out of range.*at least 2"),
        ({"blocks": {"z": {"dim": 2.5}}}, "'z' is out of range"),
        ({"blocks": {"z": {}}}, "'z' has no kind.*Describe it"),
        ({"blocks": {"z": 3}}, "'z' has no kind"),
        ({"blocks": {"z": {"dims": 3}}}, "unknown key.*Did you mean 'dim'"),
        ({"blocks": {"z": {"dim": 3, "values": 4}}}, "two kinds.*Drop one"),
        ({"blocks": {"a/b": {"dim": 3}}}, "without '/'.*Rename it"),
        ({"blocks": {"c": {"factor": "ink"}}}, "Expected: label"),
        ({"blocks": {"c": {"factor": "label", "values": 9}}}, "does not fit the label"),
        ({"blocks": {n: {"factor": "label"} for n in "ab"}}, "Two blocks.*all but one"),
        ({"label_share": 0.0}, "`label_share`.*`values` in place of `factor`"),
        ({"label_share": 1.5}, "Change `model.args.label_share`"),
        ({"within_weight": -1.0}, "Raise `model.args.within_weight`"),
        ({"temperature": 0.0}, "Raise `model.args.temperature`"),
        ({"likelihood": "bernouli"}, "Did you mean 'bernoulli'"),
        ({"likelihood": "bernoulli", "shape": (3,)}, "Set `model.args.likelihood` to gaussian"),
        ({"num_examples": 0}, "no training examples"),
    ],
)
def test_impossible_arguments_are_refused_with_the_fix(args, message):
    with pytest.raises(ValueError, match=message):
        tiny(**args)
