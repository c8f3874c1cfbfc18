"""What the paper's model claims: exact values of its losses, and who learns from which."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from latentloom.augment import BlockPrior
from latentloom.model_zoo.backend.probability import stateless_seed
from latentloom.model_zoo.metrics.probes import probe_accuracy
from latentloom.model_zoo.scaling import PIXELS
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.model_zoo.zszu_vae import ZsZuVAE
from latentloom.model_zoo.zszu_vae.losses import loss_terms

NUM_CLASSES, ZS_DIM, ZU_DIM = 4, 3, 5
GROUPS = ("zs_encoder", "zu_encoder", "decoder", "adversary", "mixture", "discriminator")
LEARNS_FROM = {
    "reconstruction_weight": {"zs_encoder", "zu_encoder", "decoder"},
    "kl_weight": {"zu_encoder"},
    "likelihood_weight": {"zs_encoder", "mixture"},
    "code_weight": {"zs_encoder"},
    "adversary_weight": {"zu_encoder"},
    "mmd_weight": {"zu_encoder"},
    "tc_weight": {"zu_encoder"},
    "consistency_weight": {"decoder"},
    "gan_weight": {"decoder", "discriminator"},
    "cir_weight": {"zs_encoder", "zu_encoder", "decoder"},
}


def build(observation_shape=(8, 8, 1), **args):
    keras.utils.set_random_seed(0)
    sizes = {"zs_dim": ZS_DIM, "zu_dim": ZU_DIM, "hidden_dim": 16, "width": 2}
    return ZsZuVAE(observation_shape, NUM_CLASSES, **{**sizes, **args})


@pytest.fixture
def model():
    return build(gan_weight=1.0, cir_weight=1.0)


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)
    return images, np.arange(6, dtype=np.int32) % NUM_CLASSES


def figures(model, batch, **replaced):
    """Figures that the model tracks on one batch, some of its outputs replaced."""
    outputs = model(batch[0], training=True)
    model.reset_metrics()
    model.compute_loss(*batch, {**outputs, **replaced})
    return {name: float(tracker.result()) for name, tracker in model.trackers.items()}


@pytest.fixture
def gradients(gradients_of):
    """Returns a function that gives the gradient of the loss for each group, as one vector."""

    def differentiate(model, batch):
        model.noise.state.assign(np.zeros(model.noise.state.shape))
        variables = {group: getattr(model, group).trainable_variables for group in GROUPS}
        flat = iter(
            gradients_of(
                lambda: model.compute_loss(*batch, model(batch[0], training=True)),
                [variable for some in variables.values() for variable in some],
            )
        )
        return {
            group: np.concatenate([np.ravel(next(flat)) for _ in some])
            for group, some in variables.items()
        }

    return differentiate


def only(model, *weights):
    """Sets every weight of a loss term to zero, but these to 10."""
    values = {weight: 10.0 if weight in weights else 0.0 for weight in LEARNS_FROM}
    model.reconstruction_weight = values.pop("reconstruction_weight")
    model.settings = replace(model.settings, **values)


def silence(network, bias=0.0):
    """Makes the last layer of a network give `bias` whatever comes in."""
    kernel, last_bias = network.weights[-2:]
    kernel.assign(np.zeros(kernel.shape))
    last_bias.assign(np.broadcast_to(bias, last_bias.shape))


# --- Exact values -----------------------------------------------------------------------------


@pytest.mark.parametrize(("loc", "nats_a_dim"), [(0.0, 0.0), (1.0, 0.5)])
def test_kl_is_exact(model, batch, loc, nats_a_dim):
    zeros = np.zeros((6, ZU_DIM), np.float32)
    kl_zu = figures(model, batch, zu_loc=zeros + loc, zu_log_variance=zeros)["kl_zu"]
    assert kl_zu == pytest.approx(nats_a_dim * ZU_DIM, abs=1e-6)


def test_kl_is_the_closed_form(model, batch):
    rng = np.random.default_rng(1)
    loc, log_variance = rng.normal(size=(2, 6, ZU_DIM)).astype(np.float32)
    expected = 0.5 * (np.exp(log_variance) + loc**2 - 1 - log_variance).sum(axis=-1).mean()
    found = figures(model, batch, zu_loc=loc, zu_log_variance=log_variance)["kl_zu"]
    assert found == pytest.approx(expected, rel=1e-5)


def test_reconstruction_loss_is_the_mean_over_all_pixels(model, batch):
    found = figures(model, batch, reconstruction=batch[0] + 0.5)["reconstruction_loss"]
    assert found == pytest.approx(0.25, rel=1e-5)


def test_confusion_of_balanced_classes_is_at_least_that_of_guessing(model, batch):
    assert figures(model, batch)["confusion_loss"] > np.log(NUM_CLASSES)


def test_confusion_is_least_for_constant_logits(model, batch):
    silence(model.adversary, bias=3.0)
    found = figures(model, batch)
    assert found["confusion_loss"] == pytest.approx(np.log(NUM_CLASSES), abs=1e-6)
    assert found["adversary_loss"] == pytest.approx(np.log(NUM_CLASSES), abs=1e-6)


def test_confusion_of_unbalanced_classes_is_least_at_their_shares(batch):
    shares = np.array([0.7, 0.1, 0.1, 0.1])
    model = build(class_probabilities=shares.tolist())
    silence(model.adversary, bias=np.log(shares))
    entropy = -np.sum(shares * np.log(shares))
    assert figures(model, batch)["confusion_loss"] == pytest.approx(entropy, abs=1e-6)
    silence(model.adversary)
    assert figures(model, batch)["confusion_loss"] == pytest.approx(np.log(NUM_CLASSES), abs=1e-6)


@pytest.mark.parametrize("scale", [0.0, 100.0])
def test_total_correlation_is_what_zu_tells_of_the_class(batch, scale):
    model = build(tc_weight=1.0)
    centres = 100.0 * np.eye(NUM_CLASSES, ZS_DIM)
    model.mixture.loc.assign(centres)
    codes = scale * np.eye(NUM_CLASSES, ZU_DIM, dtype=np.float32)[batch[1]]
    zs, zeros = centres.astype(np.float32)[batch[1]], np.zeros((6, ZU_DIM), np.float32)
    shares = np.bincount(batch[1]) / 6
    expected = -np.sum(shares * np.log(shares)) if scale else 0.0
    found = figures(model, batch, zs=zs, zu_loc=codes, zu_log_variance=zeros)["tc_loss"]
    assert found == pytest.approx(expected, abs=1e-4)


def test_without_a_weight_no_total_correlation_is_estimated(batch):
    model = build(consistency_weight=0.0)
    outputs = model(batch[0], training=True)
    before = np.array(model.noise.state)
    model.compute_loss(*batch, outputs)
    assert float(model.trackers["tc_loss"].result()) == 0.0
    np.testing.assert_array_equal(model.noise.state, before)
    model.settings = replace(model.settings, tc_weight=1.0)
    model.compute_loss(*batch, outputs)
    assert not np.array_equal(model.noise.state, before)


def test_negative_elbo_is_the_weighted_sum(model, batch):
    model.settings = replace(model.settings, likelihood_weight=0.3, kl_weight=2.0)
    model.reconstruction_weight = 7.0
    found = figures(model, batch)
    expected = (
        found["class_loss"]
        + 0.3 * found["likelihood_loss"]
        + 7.0 * found["reconstruction_loss"]
        + 2.0 * found["kl_zu"] / ZU_DIM
    )
    assert found["negative_elbo"] == pytest.approx(expected, rel=1e-5)


def test_figures_are_means_over_examples_not_batches(model, batch):
    images, labels = batch
    whole = figures(model, batch)["class_loss"]
    model.reset_metrics()
    for rows in (slice(0, 5), slice(5, 6)):
        model.compute_loss(images[rows], labels[rows], model(images[rows]))
    assert float(model.trackers["class_loss"].result()) == pytest.approx(whole, rel=1e-5)


def test_accuracy_counts_the_classes_read_from_zs(model, batch):
    centres = model.mixture.loc.numpy()
    assert figures(model, batch, zs=centres[batch[1]])["zs_accuracy"] == 1.0
    assert figures(model, batch, zs=centres[(batch[1] + 1) % NUM_CLASSES])["zs_accuracy"] == 0.0


# --- Who learns from what ---------------------------------------------------------------------


def test_class_and_adversary_losses_are_always_on(model, gradients, batch):
    only(model)
    learning = {group for group, gradient in gradients(model, batch).items() if gradient.any()}
    assert learning == {"zs_encoder", "mixture", "adversary"}


@pytest.mark.parametrize("weight", LEARNS_FROM)
def test_each_term_reaches_its_own_groups_only(model, gradients, batch, weight):
    only(model)
    without = gradients(model, batch)
    only(model, weight)
    with_term = gradients(model, batch)
    changed = {group for group in GROUPS if not np.array_equal(without[group], with_term[group])}
    assert changed == LEARNS_FROM[weight]


def test_adversary_learns_from_its_classification_alone(model, gradients, batch):
    only(model)
    without = gradients(model, batch)
    only(model, *LEARNS_FROM)
    np.testing.assert_array_equal(gradients(model, batch)["adversary"], without["adversary"])


def test_the_adversary_does_not_train_the_encoder(model, gradients, batch):
    only(model)
    assert not gradients(model, batch)["zu_encoder"].any()


def test_a_gan_adds_its_own_terms_only(model, batch):
    plain = build(cir_weight=1.0)
    assert plain.discriminator is None
    assert set(model.loss_weights) - set(plain.loss_weights) == {
        "generator_loss",
        "discriminator_loss",
    }
    assert len(plain.trainable_variables) < len(model.trainable_variables)


def test_the_regulariser_adds_a_term_only_where_it_has_a_weight(model):
    assert set(model.loss_weights) - set(build(gan_weight=1.0).loss_weights) == {"cir_loss"}


@pytest.mark.parametrize("bad", [{"cir_weight": -1.0}, {"cir_blocks": ["zt"]}])
def test_a_bad_regulariser_is_refused(bad):
    with pytest.raises(ValueError, match="model.args.cir_"):
        build(**bad)


def test_a_discriminator_that_knows_nothing_has_a_loss_of_three(model, batch):
    for variable in model.discriminator.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    assert figures(model, batch)["discriminator_loss"] == 3.0


def test_more_steps_of_the_adversary_are_a_higher_rate_and_more_draws(batch):
    assert build().relative_rates == {}
    stepping = build(adversary_steps=3)
    assert stepping.relative_rates == {"adversary": (stepping.adversary, 3.0)}
    assert np.isfinite(figures(stepping, batch)["adversary_loss"])


def test_a_stride_of_variants_leaves_the_other_examples_out_of_the_consistency_loss(batch):
    def losses(stride, images, labels):
        model = build(variant_stride=stride)
        outputs = model(batch[0], training=False)
        model.noise.state.assign([0, 0])
        kept = {name: value[:: 6 // len(images)] for name, value in outputs.items()}
        return {
            name: float(value)
            for name, value in loss_terms(
                model.settings, model.networks, images, labels, kept
            ).items()
        }

    images, labels = batch
    strided, whole = losses(2, images, labels), losses(1, images, labels)
    half = losses(1, images[::2], labels[::2])
    assert strided["reconstruction_loss"] == whole["reconstruction_loss"]
    assert strided["consistency_loss"] == half["consistency_loss"] != whole["consistency_loss"]


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_noise_means_the_same_at_every_size(share):
    small, large = build(noise_variance=share), build((16, 16, 3), noise_variance=share)
    for model in (small, large):
        assert model.noise_scale**2 == pytest.approx(share)
        pixels = np.prod(model.observation_shape)
        assert model.reconstruction_weight == pytest.approx(pixels / (2 * share * ZU_DIM))


def test_a_fixed_precision_is_not_learnt(batch):
    fixed = build(precision="fixed")
    assert all(v is not fixed.mixture.raw_precision for v in fixed.trainable_variables)
    np.testing.assert_allclose(fixed.mixture.precision, 1.0, atol=1e-3)


def test_the_learnt_mixture_can_be_what_is_sampled(batch):
    model = build(sampled_prior="learnt")
    latents = {name: np.asarray(code) for name, code in model.encode(batch[0]).items()}
    prior = model.fitted_priors(latents, batch[1])["zs"]
    np.testing.assert_array_equal(prior["loc"][:, 0], model.mixture.loc)
    np.testing.assert_allclose(prior["scale"][:, 0] ** -2, model.mixture.precision, rtol=1e-5)


def test_a_fitted_prior_of_zu_has_the_moments_of_the_codes_of_every_class():
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, 2, 3], [4000, 4000, 1, 2])
    turn = np.linalg.qr(rng.normal(size=(ZU_DIM, ZU_DIM)))[0]
    scales = np.linspace(0.2, 2, ZU_DIM) * np.array([1.0, 1.5, 1.0, 1.0])[labels, None]
    codes = (rng.normal(size=(8003, ZU_DIM)) * scales) @ turn + labels[:, None]
    latents = {"zs": rng.normal(size=(8003, ZS_DIM)), "zu": codes}
    arrays = build(zu_prior="fitted").fitted_priors(latents, labels)["zu"]
    prior = BlockPrior(**arrays)
    for label in (0, 1):
        own = np.cov(codes[labels == label].T)
        fitted = prior.axes.T @ np.diag(prior.scale[label, 0] ** 2) @ prior.axes
        np.testing.assert_allclose(fitted, own, atol=0.05 * own.max())
        np.testing.assert_allclose(prior.loc[label, 0], codes[labels == label].mean(0), rtol=1e-4)
    assert (prior.scale[2] > 0.9 * prior.scale[0]).all()  # of one example: the variance of all


def test_the_prior_of_zu_stays_that_of_the_head_unless_it_is_fitted(model, batch):
    latents = {name: np.asarray(code) for name, code in model.encode(batch[0]).items()}
    prior = BlockPrior(**model.fitted_priors(latents, batch[1])["zu"])
    assert prior == BlockPrior.standard_normal(ZU_DIM)


@pytest.mark.parametrize(
    "bad",
    [
        {"precision": "free"},
        {"sampled_prior": "old"},
        {"zu_prior": "own"},
        {"noise_variance": 0.0},
    ],
)
def test_bad_arguments_are_refused_with_the_fix(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))}.*model.args"):
        build(**bad)


def test_without_a_weight_no_variants_are_decoded(model, batch):
    model.settings = replace(model.settings, consistency_weight=0.0)
    assert figures(model, batch)["consistency_loss"] == 0.0


@pytest.fixture
def leak(tmp_path):
    """Returns a function that trains on images of a class and a style, and probes zu for the class.

    Nothing but the weight that is given presses on zu.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, NUM_CLASSES, 400)
    patterns, styles = rng.uniform(size=(NUM_CLASSES, 8, 8, 1)), rng.uniform(size=(2, 8, 8, 1))
    blend = 0.5 * patterns[labels] + 0.25 * np.tensordot(rng.uniform(size=(400, 2)), styles, 1)
    images = (255 * blend).astype(np.uint8)
    folds = (images[:200], labels[:200]), (images[200:], labels[200:])

    def probe(**weights):
        args = {"zs_dim": 2, "zu_dim": 3, "noise_variance": 0.03}
        silent = {"adversary_weight": 0.0, "consistency_weight": 0.0}
        model = build(**args, **silent, **weights)
        schedule = Schedule(epochs=25, batch_size=50, learning_rate=5e-3)
        fit(model, *folds, schedule, tmp_path / str(weights))
        codes = [
            np.asarray(model(PIXELS.to_model(x.astype(np.float32), (-1, 1)))["zu"])
            for x, _ in folds
        ]
        return probe_accuracy("linear", codes[0], folds[0][1], codes[1], folds[1][1])

    return probe


@pytest.mark.slow
def test_total_correlation_drives_the_class_out_of_zu(leak):
    without, pressed = leak(), leak(tc_weight=10.0)
    assert without > 0.7
    assert pressed < without - 0.2


# --- Probability model ------------------------------------------------------------------------


def test_codes_are_the_means_of_the_posterior(model, batch):
    latents, posterior = model.encode(batch[0]), model.posterior(batch[0])
    for name in ("zs", "zu"):
        np.testing.assert_array_equal(posterior[name].mean(), latents[name])


def test_training_decodes_draws_from_the_posterior(model, batch):
    images = np.repeat(batch[0][:1], 4000, axis=0)
    outputs = model(images, training=True)
    posterior = model.posterior(batch[0][:1])["zu"]
    draws = np.asarray(outputs["zu"])
    np.testing.assert_allclose(draws.mean(axis=0), posterior.mean()[0], atol=0.1)
    np.testing.assert_allclose(draws.std(axis=0), posterior.stddev()[0], rtol=0.06)
    expected = model.decode({"zs": outputs["zs"], "zu": outputs["zu"]})
    np.testing.assert_array_equal(outputs["reconstruction"], expected)


def test_prior_of_labels_is_the_mixture_component_and_a_standard_normal(model):
    prior = model.class_prior(np.array([1, 3]))
    np.testing.assert_array_equal(prior["zs"].mean(), model.mixture.loc.numpy()[[1, 3]])
    np.testing.assert_array_equal(prior["zu"].mean(), np.zeros(ZU_DIM))
    np.testing.assert_array_equal(prior["zu"].stddev(), np.ones(ZU_DIM))


def test_prior_without_labels_covers_all_classes(model):
    assert model.prior()["zs"].sample(3, seed=stateless_seed(np.array([0, 1], np.int32))).shape == (
        3,
        ZS_DIM,
    )


def test_noise_scale_makes_the_loss_an_evidence_bound(batch):
    model = build(noise_variance=0.7, kl_weight=0.5)
    latents = model.encode(batch[0])
    errors = np.mean((np.asarray(model.decode(latents)) - batch[0]) ** 2, axis=(1, 2, 3))
    log_prob = np.asarray(model.likelihood(latents).log_prob(batch[0]), np.float64)
    nats_a_loss = model.settings.zu_dim / model.settings.kl_weight
    expected = -nats_a_loss * model.reconstruction_weight * (errors - errors[0])
    np.testing.assert_allclose(log_prob - log_prob[0], expected, atol=2e-3)


def test_fitted_prior_of_zs_is_the_spread_of_each_class(model):
    rng = np.random.default_rng(0)
    labels = np.arange(4000) % NUM_CLASSES
    zs = rng.normal(labels[:, None], 0.25, (4000, ZS_DIM)).astype(np.float32)
    priors = model.fitted_priors({"zs": zs, "zu": np.zeros((4000, ZU_DIM), np.float32)}, labels)
    centres = np.repeat(np.arange(NUM_CLASSES)[:, None, None], ZS_DIM, axis=2)
    np.testing.assert_allclose(priors["zs"]["loc"], centres, atol=0.05)
    np.testing.assert_allclose(priors["zs"]["scale"], 0.25, atol=0.03)


def test_fitted_prior_of_zu_stays_standard_normal(model):
    codes = {"zs": np.ones((8, ZS_DIM)), "zu": np.full((8, ZU_DIM), 7.0)}
    prior = model.fitted_priors(codes, np.arange(8) % NUM_CLASSES)["zu"]
    np.testing.assert_array_equal(prior["loc"], np.zeros((1, 1, ZU_DIM)))
    np.testing.assert_array_equal(prior["scale"], np.ones((1, 1, ZU_DIM)))


# --- Images of every size ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "observation_shape",
    [
        (8, 8, 1),
        (28, 28, 1),
        (32, 32, 3),
        (48, 48, 1),
        (64, 64, 3),
        (128, 128, 1),
        (20, 33, 3),
        (50, 17, 1),
    ],
)
def test_decoded_images_have_the_exact_shape(observation_shape):
    model = build(observation_shape)
    images = np.zeros((2, *observation_shape), np.float32)
    assert model.decode(model.encode(images)).shape == images.shape


def test_convolutions_on_eight_pixels_are_refused():
    with pytest.raises(ValueError, match="Set `model.args.network` to dense"):
        build((8, 8, 1), network="conv")
