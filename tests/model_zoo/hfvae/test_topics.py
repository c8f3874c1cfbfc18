"""The likelihood of words, and the two decoders whose weights are topics."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax, softmax

from latentloom.model_zoo.hfvae import HFVAE
from latentloom.model_zoo.hfvae.losses import loss_terms
from latentloom.model_zoo.registry import MODELS, build_model, takes_counts
from latentloom.model_zoo.scaling import Counts
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule

RNG = np.random.default_rng(0)
BLOCKS = {"first": {"dim": 2}, "second": {"dim": 3}}
WEIGHTS = ("mutual_information_weight", "between_weight", "within_weight")
COUNTS = RNG.poisson(1.5, (40, 12)).astype(np.float32) + np.eye(40, 12, dtype=np.float32)


def words_model(**args) -> HFVAE:
    keras.utils.set_random_seed(0)
    args = {"blocks": BLOCKS, "hidden_dim": [16], **args}
    return HFVAE((12,), 3, observation="counts", **args)


@pytest.fixture(params=["nvdm", "prodlda"])
def model(request) -> HFVAE:
    return words_model(topic_model=request.param)


def test_the_loss_is_minus_the_log_probability_of_the_words_in_their_order(model):
    logits = RNG.normal(size=(40, 12)).astype(np.float32)
    found = model.networks.likelihood.reconstruction_loss(ops.convert_to_tensor(COUNTS), logits)
    expected = -(COUNTS * log_softmax(logits, axis=-1)).sum(axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5)


def test_the_distribution_counts_as_many_words_as_the_document_is_long(model):
    latents = model.encode(COUNTS)
    distribution = model.likelihood(latents)
    np.testing.assert_allclose(distribution.total_count, COUNTS.sum(axis=1))
    np.testing.assert_allclose(distribution.mean(), model.decode(latents), rtol=1e-4)
    assert np.isfinite(np.asarray(distribution.log_prob(COUNTS))).all()


def test_the_length_is_a_block_that_no_network_reads(model):
    latents = {name: np.asarray(code) for name, code in model.encode(COUNTS).items()}
    assert list(latents) == list(model.latent_spec) == ["first", "second", "length"]
    np.testing.assert_allclose(latents["length"][:, 0], np.log(COUNTS.sum(axis=1)), rtol=1e-6)
    short, long = (
        np.asarray(model.decode(latents | {"length": np.full((40, 1), length, np.float32)}))
        for length in (0.0, np.log(50.0))
    )
    np.testing.assert_allclose(short.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(long, 50 * short, rtol=1e-4)


def test_nvdm_is_a_linear_map_of_the_code_to_logits():
    model = words_model(topic_model="nvdm")
    code = RNG.normal(size=(4, 5)).astype(np.float32)
    kernel, bias = model.decoder.get_layer("topics").get_weights()
    np.testing.assert_allclose(model.decoder(code), code @ kernel + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(model.topic_weights()), kernel)


def test_prodlda_mixes_the_logits_of_topics_by_shares():
    model = words_model(topic_model="prodlda")
    code = RNG.normal(size=(4, 5)).astype(np.float32)
    (beta,) = model.decoder.get_layer("topics").get_weights()
    expected = softmax(code, axis=-1) @ beta / np.sqrt(1 + 1e-3)  # moments as they begin
    np.testing.assert_allclose(model.decoder(code, training=False), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(model.topic_weights()), beta)


def test_training_of_prodlda_normalises_by_the_batch_and_encoding_does_not():
    model = words_model(topic_model="prodlda")
    before = [np.array(v) for v in model.decoder.non_trainable_variables]
    outputs = model(COUNTS, training=True)
    loss_terms(model.settings, model.networks, COUNTS, None, outputs, training=False)
    model.decode(model.encode(COUNTS))
    for old, new in zip(before, model.decoder.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, np.array(new))
    loss_terms(model.settings, model.networks, COUNTS, None, outputs, training=True)
    after = [np.array(v) for v in model.decoder.non_trainable_variables]
    assert any(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_the_bound_is_in_expectation_minus_the_loss_of_a_plain_vae(model):
    bounds = [
        np.asarray(model.evidence_bound(COUNTS, np.array([0, draw], np.int32))).mean()
        for draw in range(20)
    ]
    losses = [
        float(
            sum(
                value
                for name, value in loss_terms(
                    model.settings, model.networks, COUNTS, None, model(COUNTS), training=False
                ).items()
                if name != "label_loss"
            )
        )
        for _ in range(20)
    ]
    spread = np.hypot(np.std(bounds), np.std(losses)) / np.sqrt(20)
    assert np.mean(bounds) == pytest.approx(-np.mean(losses), abs=4 * spread + 1e-3)


def test_priors_have_a_length_for_each_class_or_one_where_the_label_has_a_block():
    labels = np.arange(40) % 3
    model = words_model()
    latents = {name: np.asarray(code) for name, code in model.encode(COUNTS).items()}
    prior = model.fitted_priors(latents, labels)["length"]
    assert {name: array.shape for name, array in prior.items()} == {
        "weights": (3, 1),
        "loc": (3, 1, 1),
        "scale": (3, 1, 1),
    }
    expected = [latents["length"][labels == label].mean() for label in range(3)]
    np.testing.assert_allclose(prior["loc"][:, 0, 0], expected, rtol=1e-3)
    tied = words_model(blocks={"group": {"factor": "label"}, "z": {"dim": 2}})
    assert tied.latent_spec["length"]["factors"] == []
    latents = {name: np.asarray(code) for name, code in tied.encode(COUNTS).items()}
    prior = tied.fitted_priors(latents, labels)["length"]
    np.testing.assert_allclose(prior["loc"], latents["length"].mean().reshape(1, 1, 1), rtol=1e-5)
    np.testing.assert_allclose(prior["scale"], latents["length"].std().reshape(1, 1, 1), rtol=1e-4)


@pytest.mark.slow
def test_topics_that_are_in_the_data_are_found(tmp_path):
    shares = np.repeat(np.eye(3), 4, axis=1) * 0.225 + 0.1 / 12
    labels = np.arange(600) % 3
    counts = RNG.multinomial(30, shares[labels]).astype(np.int32)
    args = {"topic_model": "prodlda", "blocks": {"z": {"dim": 3}}, **dict.fromkeys(WEIGHTS, 1.0)}
    model = words_model(**args)
    schedule = Schedule(epochs=30, batch_size=60, learning_rate=2e-2)
    folds = (counts[:540], labels[:540]), (counts[540:], labels[540:])
    history = fit(model, *folds, schedule, tmp_path, scaling=Counts())
    assert history[-1]["val_negative_elbo"] < history[0]["val_negative_elbo"]
    top = np.argsort(-np.asarray(model.topic_weights()), axis=1)[:, :4] // 4
    assert sorted(np.unique(top[:, 0]).tolist()) == [0, 1, 2]
    assert (top == top[:, :1]).all()


def test_a_model_is_rebuilt_from_its_config(model):
    again = HFVAE.from_config(model.get_config()).settings
    assert (again.observation, again.topic_model) == ("counts", model.settings.topic_model)
    assert again.likelihood == "multinomial"


def test_only_models_that_ask_for_the_kind_take_bags_of_words():
    assert [name for name in MODELS if takes_counts(name)] == ["hfvae"]
    with pytest.raises(ValueError, match="bags of words.*Set `model.name` to hfvae"):
        build_model("zszu_vae", {}, (12,), 3, observation="counts")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"observation": "counts", "likelihood": "gaussian"}, "multinomial for bags of words"),
        ({"observation": "vector", "likelihood": "multinomial"}, "of kind 'vector'.*to auto"),
        ({"likelihood": "multinomial"}, "of kind 'image or vector'"),
        ({"topic_model": "plda"}, "topic model is unknown.*Did you mean 'prodlda'"),
        (
            {"observation": "counts", "blocks": {"length": {"dim": 2}}},
            "'length' has the name of a measured block.*Rename it",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        HFVAE((12,), 3, **given)


def test_without_words_there_are_no_topics():
    assert HFVAE((12,), 3, blocks=BLOCKS, hidden_dim=8).topic_weights() is None
