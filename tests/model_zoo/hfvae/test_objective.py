"""The objective against the special cases that the paper names, each computed independently."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import logsumexp, softmax

from latentloom.model_zoo.hfvae import HFVAE
from latentloom.model_zoo.losses.aggregate_posterior import stratified_log_weights
from latentloom.model_zoo.losses.divergences import BlockDensities, BlockProbabilities, kl_terms

SIZE = 64
WEIGHTS = ("mutual_information", "between", "within", "dimension_wise")


def build(blocks, weights=(1.0, 4.0, 3.0, 1.0), **args):
    keras.utils.set_random_seed(0)
    named = {f"{name}_weight": weight for name, weight in zip(WEIGHTS, weights, strict=True)}
    return HFVAE((8, 8, 1), 10, blocks=blocks, hidden_dim=16, **named, **args)


@pytest.fixture
def observations(digits):
    return digits[0][:SIZE].astype(np.float32) / 127.5 - 1.0


@pytest.fixture
def answers(digits):
    is_shown = (np.arange(SIZE) % 4 == 0).astype(np.int32)
    return {"label": digits[1][:SIZE].astype(np.int32), "is_shown": is_shown}


def figures(model, observations, answers=None, outputs=None, training=True):
    """What one batch logs."""
    outputs = model(observations, training=training) if outputs is None else outputs
    for tracker in model.trackers.values():
        tracker.reset_state()
    model.compute_loss(observations, answers, outputs, training=training)
    return {name: float(tracker.result()) for name, tracker in model.trackers.items()}


def log_q(outputs, block):
    """Log density of each dimension of every code under every posterior, in NumPy."""
    code, loc, log_variance = (
        np.asarray(outputs[key], np.float64)
        for key in (block, f"{block}/loc", f"{block}/log_variance")
    )
    return stats.norm.logpdf(code[:, None], loc, np.exp(log_variance / 2))


def cross_entropy(model, observations, latents):
    """Sum over pixels between black and white, from probabilities, in NumPy."""
    mean = (np.asarray(model.decode(latents), np.float64) + 1) / 2
    pixels = (observations + 1) / 2
    losses = -pixels * np.log(mean) - (1 - pixels) * np.log1p(-mean)
    return losses.sum(axis=(1, 2, 3)).mean()


def sampled_divergence(outputs, block):
    """Log density of the codes under their posterior less that under the prior, a mean."""
    own = np.einsum("iid->id", log_q(outputs, block))
    return (own - stats.norm.logpdf(np.asarray(outputs[block]))).sum(axis=-1).mean()


# --- Special cases ----------------------------------------------------------------------------


@pytest.mark.parametrize("num_examples", [None, 64, 60000])
@pytest.mark.parametrize("blocks", [{"z": {"dim": 5}}, {"a": {"dim": 2}, "b": {"dim": 3}}])
@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_all_weights_alike_make_a_beta_vae(observations, blocks, num_examples, beta):
    model = build(blocks, (beta,) * 4, num_examples=num_examples)
    outputs = model(observations, training=True)
    found = figures(model, observations, outputs=outputs)
    divergence = sum(sampled_divergence(outputs, name) for name in blocks)
    reconstruction = cross_entropy(model, observations, outputs)
    assert found["objective"] == pytest.approx(reconstruction + beta * divergence, rel=1e-5)
    assert found["negative_elbo"] == pytest.approx(reconstruction + divergence, rel=1e-5)


@pytest.mark.parametrize("num_examples", [64, 60000])
@pytest.mark.parametrize("values", [(3,), (3, 4), (20, 20)])
def test_with_categorical_blocks_all_weights_of_one_make_a_vae(observations, num_examples, values):
    """The last two have more combinations than are enumerated: the second value is drawn."""
    blocks = {f"c{k}": {"values": v} for k, v in enumerate(values)} | {"z": {"dim": 3}}
    model = build(blocks, (1.0,) * 4, num_examples=num_examples)
    outputs = model(observations, training=True)
    expected = cross_entropy(model, observations, outputs) + sampled_divergence(outputs, "z")
    for name, block in list(blocks.items())[:-1]:
        log_share = np.asarray(outputs[f"{name}/log_probabilities"], np.float64)
        own = np.exp(log_share) * (log_share + math.log(block["values"]))
        expected += own.sum(axis=-1).mean()
    found = figures(model, observations, outputs=outputs)
    assert found["objective"] == pytest.approx(expected, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("weight", [1.0, 6.0])
def test_one_block_makes_a_beta_tcvae_as_blocks_of_one_dimension_do(observations, weight):
    whole = build({"z": {"dim": 4}}, (1.0, 9.0, weight, 1.0), num_examples=5000)
    singles = build({f"z{d}": {"dim": 1} for d in range(4)}, (1.0, weight, 9.0, 1.0))
    singles.settings = replace(singles.settings, num_examples=5000)
    outputs = whole(observations, training=True)
    split = {
        f"z{d}{end}": outputs[f"z{end}"][:, d : d + 1]
        for d in range(4)
        for end in ("", "/loc", "/log_variance")
    }
    singles.decoder.set_weights(whole.decoder.get_weights())
    found = figures(whole, observations, outputs=outputs)
    again = figures(singles, observations, outputs=split)
    assert found["between_blocks"] == 0.0
    assert again["within_blocks"] == 0.0
    assert again["between_blocks"] == pytest.approx(found["within_blocks"], abs=1e-4)
    assert again["objective"] == pytest.approx(found["objective"], rel=1e-5)
    reconstruction = cross_entropy(whole, observations, outputs)
    divergence = beta_tcvae(log_q(outputs, "z"), np.asarray(outputs["z"]), 5000, weight)
    assert found["objective"] == pytest.approx(reconstruction + divergence, rel=1e-5)


def beta_tcvae(pairwise, codes, num_examples, weight):
    """Equation 4 of Chen et al., NeurIPS 2018, stratified: the three terms of the divergence."""
    size = len(codes)
    weights = np.full((size, size), (1 - 1 / num_examples) / (size - 1))
    np.fill_diagonal(weights, 1 / num_examples)
    joint = pairwise.sum(axis=-1)
    log_joint = logsumexp(joint + np.log(weights), axis=1)
    log_marginals = logsumexp(pairwise + np.log(weights)[..., None], axis=1)
    information = np.diag(joint) - log_joint
    correlation = log_joint - log_marginals.sum(axis=-1)
    rest = (log_marginals - stats.norm.logpdf(codes)).sum(axis=-1)
    return (information + weight * correlation + rest).mean()


# --- Exact sums over classes ------------------------------------------------------------------


def exact_terms(logits, gaussian, log_weights, num_values):
    """Terms of the divergence with categorical blocks, by brute force in float64.

    Args:
        logits: `(batch, values of all blocks)`.
        gaussian: `(batch, batch)` log densities of the block that was drawn.
        log_weights: `(batch, batch)`.
        num_values: Number of values of each categorical block.
    """
    shares = [softmax(part, axis=-1) for part in np.split(logits, np.cumsum(num_values)[:-1], 1)]
    joint = shares[0]
    for share in shares[1:]:
        joint = (joint[:, :, None] * share[:, None]).reshape(len(joint), -1)
    log_joint = logsumexp(
        gaussian[:, :, None] + np.log(joint)[None] + log_weights[:, :, None], axis=1
    )
    whole = logsumexp(gaussian + log_weights, axis=1)
    marginals = [logsumexp(np.log(s)[None] + log_weights[:, :, None], axis=1) for s in shares]
    expected = (joint * log_joint).sum(axis=-1)
    singles = [(s * m).sum(axis=-1) for s, m in zip(shares, marginals, strict=True)]
    own = np.diag(gaussian) + (joint * np.log(joint)).sum(axis=-1)
    priors = sum(-math.log(k) for k in num_values)
    return {
        "mutual_information": (own - expected).mean(),
        "between": (expected - whole - sum(singles)).mean(),
        "dimension_wise": (sum(singles) - priors).mean(),
    }


@pytest.fixture
def classes():
    """Logits, log densities of a block beside them, and log weights, of 24 examples."""
    rng = np.random.default_rng(3)
    loc, scale = rng.normal(size=24), 0.4
    codes = loc + scale * rng.normal(size=24)
    weights = np.full((24, 24), (1 - 1 / 500) / 23)
    np.fill_diagonal(weights, 1 / 500)
    pairwise = stats.norm.logpdf(codes[:, None], loc, scale)
    return 1.5 * rng.normal(size=(24, 7)), pairwise, np.log(weights)


def of_library(logits, gaussian, log_weights, num_values):
    """The same terms as the library has them."""
    starts = np.cumsum([0, *num_values])
    blocks = {
        str(k): BlockProbabilities(
            ops.log_softmax(logits[:, begin : begin + values]),
            ops.full((values,), -math.log(values)),
        )
        for k, (begin, values) in enumerate(zip(starts, num_values, strict=False))
    }
    nothing = ops.zeros((len(gaussian), 1))
    drawn = BlockDensities([ops.convert_to_tensor(gaussian.astype(np.float32))], nothing)
    terms = kl_terms(blocks | {"z": drawn}, log_weights, ops.ones((len(gaussian),)))
    return {
        "mutual_information": terms.mutual_information,
        "between": terms.between_blocks,
        "dimension_wise": sum(ops.sum(terms.dimension_wise[name]) for name in blocks),
    }


@pytest.mark.parametrize("num_values", [(7,), (3, 4)])
@pytest.mark.parametrize("term", ["mutual_information", "between", "dimension_wise"])
def test_class_terms_have_the_gradient_of_the_exact_sums(classes, term, num_values, gradients_of):
    logits, gaussian, log_weights = classes
    variable = keras.Variable(logits.astype(np.float32))
    weights = stratified_log_weights(ops.ones((24,)), 500)

    def loss():
        return of_library(variable.value, gaussian, weights, num_values)[term]

    assert float(loss()) == pytest.approx(
        exact_terms(logits, gaussian, log_weights, num_values)[term], abs=1e-5
    )
    (found,) = gradients_of(loss, [variable])
    expected, step = np.zeros_like(logits), 1e-5
    for place in np.ndindex(logits.shape):
        moved = np.zeros_like(logits)
        moved[place] = step
        ends = [
            exact_terms(logits + sign * moved, gaussian, log_weights, num_values)[term]
            for sign in (1, -1)
        ]
        expected[place] = (ends[0] - ends[1]) / (2 * step)
    norms = np.linalg.norm(found), np.linalg.norm(expected)
    assert np.sum(found * expected) / (norms[0] * norms[1]) >= 0.999
    assert 0.99 <= norms[0] / norms[1] <= 1.01


def test_certain_classes_are_finite(gradients_of):
    variable = keras.Variable(np.array([[200.0, 0.0], [0.0, 200.0], [200.0, 0.0]], np.float32))
    model = build({"c": {"values": 2}}, num_examples=1000)
    block = model.networks.blocks[0]

    def loss():
        densities = block.densities(block.moments(variable.value))
        terms = kl_terms({"c": densities}, stratified_log_weights(ops.ones((3,)), 1e6), ops.ones(3))
        return terms.mutual_information + ops.sum(terms.dimension_wise["c"])

    assert np.isfinite(float(loss()))
    assert np.isfinite(gradients_of(loss, [variable])[0]).all()


# --- The number of examples -------------------------------------------------------------------


def test_a_batch_of_all_examples_gives_the_full_sums(observations):
    model = build({"c": {"values": 3}, "z": {"dim": 2}}, num_examples=SIZE)
    outputs = model(observations, training=True)
    found = figures(model, observations, outputs=outputs)
    logits = np.asarray(outputs["c/log_probabilities"], np.float64)
    even = np.full((SIZE, SIZE), -math.log(SIZE))
    gaussian = log_q(outputs, "z")
    expected = exact_terms(logits, gaussian.sum(axis=-1), even, (3,))
    assert found["mutual_information"] == pytest.approx(expected["mutual_information"], abs=1e-4)
    assert found["between_blocks"] == pytest.approx(expected["between"], abs=1e-4)
    by_dim = logsumexp(gaussian + even[..., None], axis=1)
    within = logsumexp(gaussian.sum(axis=-1) + even, axis=1) - by_dim.sum(axis=-1)
    assert found["within_blocks"] == pytest.approx(within.mean(), abs=1e-4)


@pytest.mark.parametrize("num_examples", [None, 10, SIZE])
def test_fewer_examples_than_the_batch_count_as_the_batch(observations, num_examples):
    model = build({"z": {"dim": 2}}, num_examples=num_examples)
    outputs = model(observations, training=True)
    found = figures(model, observations, outputs=outputs)
    expected = figures(build({"z": {"dim": 2}}), observations, outputs=outputs)
    assert found["mutual_information"] == expected["mutual_information"]


def test_a_validation_batch_stands_for_itself(observations):
    model = build({"z": {"dim": 2}}, num_examples=60000)
    outputs = model(observations, training=False)
    while_training = figures(model, observations, outputs=outputs, training=True)
    afterwards = figures(model, observations, outputs=outputs, training=False)
    alone = figures(build({"z": {"dim": 2}}), observations, outputs=outputs)
    assert afterwards["mutual_information"] == alone["mutual_information"]
    assert while_training["mutual_information"] > afterwards["mutual_information"] + 0.001
    assert afterwards["negative_elbo"] == pytest.approx(while_training["negative_elbo"], abs=1e-3)


def test_a_batch_of_one_has_the_divergence_of_each_dimension_alone(observations):
    model = build({"c": {"values": 3}, "z": {"dim": 2}}, num_examples=60000)
    outputs = model(observations[:1], training=True)
    found = figures(model, observations[:1], outputs=outputs)
    for name in ("mutual_information", "between_blocks", "within_blocks"):
        assert found[name] == pytest.approx(0.0, abs=1e-5)
    assert np.isfinite(found["objective"])


# --- Labels -----------------------------------------------------------------------------------


def test_the_objective_with_labels_is_that_of_their_classes(observations, answers):
    """A shown label is decoded, and is the posterior of its block; its cross-entropy is added."""
    model = build({"digit": {"factor": "label"}, "z": {"dim": 2}}, (1.0,) * 4, label_share=0.25)
    outputs = model(observations, training=True)
    found = figures(model, observations, answers, outputs)
    label, is_shown = answers["label"], answers["is_shown"].astype(bool)
    log_share = np.asarray(outputs["digit/log_probabilities"], np.float64)
    one_hot = np.eye(10)[label]
    code = np.where(is_shown[:, None], one_hot, outputs["digit"])
    divergence = np.where(
        is_shown, math.log(10), (np.exp(log_share) * (log_share + math.log(10))).sum(axis=-1)
    )
    latents = {"digit": code.astype(np.float32), "z": outputs["z"]}
    elbo = cross_entropy(model, observations, latents) + sampled_divergence(outputs, "z")
    elbo += divergence.mean()
    assert found["negative_elbo"] == pytest.approx(elbo, rel=1e-5)
    crossed = -log_share[np.arange(SIZE), label][is_shown].mean()
    assert found["label_loss"] == pytest.approx(crossed, rel=1e-4)
    assert found["objective"] == pytest.approx(elbo + 10.0 * crossed, rel=1e-5)
    assert found["label_accuracy"] == pytest.approx((log_share.argmax(axis=-1) == label).mean())


def test_labels_that_are_not_shown_change_nothing(observations, answers):
    model = build({"digit": {"factor": "label"}, "z": {"dim": 2}}, label_share=0.25)
    outputs = model(observations, training=True)
    hidden = answers["is_shown"] == 0
    other = answers | {"label": np.where(hidden, (answers["label"] + 1) % 10, answers["label"])}
    found, again = (figures(model, observations, y, outputs) for y in (answers, other))
    assert found["objective"] == again["objective"]
    shown = answers | {"label": np.where(hidden, answers["label"], (answers["label"] + 1) % 10)}
    assert figures(model, observations, shown, outputs)["objective"] != found["objective"]
