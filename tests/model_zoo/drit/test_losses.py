"""The terms of the loss: exact values, and who learns from which."""

import keras
import numpy as np
import pytest
from keras import ops

from latentloom.model_zoo.drit import Drit
from latentloom.model_zoo.drit.losses import (
    domain_loss,
    kl_loss,
    loss_terms,
    mode_loss,
    style_loss,
)
from latentloom.model_zoo.drit.networks import DritNetworks
from latentloom.model_zoo.drit.settings import DritSettings
from latentloom.model_zoo.drit.translations import other_image
from latentloom.model_zoo.losses.adversary import adversary_losses

SHAPE, CLASSES = (16, 16, 3), 4
SIZES = {"label": CLASSES, "site": 3}
TINY = {"width": 2, "content_channels": 3, "style_dim": 5, "hidden_dim": 8, "adversary_width": 4}
ALL = {"squared_weight": 1.0, "mode_weight": 1.0, "cir_weight": 1.0}


def build(**args):
    keras.utils.set_random_seed(0)
    return Drit(SHAPE, CLASSES, **{"factor_sizes": SIZES, **TINY, **args})


def batch_of(count=6):
    images = np.random.default_rng(0).uniform(-1, 1, (count, *SHAPE)).astype(np.float32)
    domains = np.arange(count, dtype=np.int32) % 3
    return images, {"domain": domains, "label": np.arange(count, dtype=np.int32) % CLASSES}


def terms_of(model, batch):
    model.noise.state.assign(np.zeros(model.noise.state.shape))
    return loss_terms(model.settings, model.networks, *batch)[0]


def numbers(model, batch):
    return {name: float(value) for name, value in terms_of(model, batch).items()}


def still(monkeypatch, scale=0.0):
    """Every draw of N(0, 1) is the same row, times a scale."""

    def draw(shape, **_):
        row = np.random.default_rng(1).normal(size=tuple(shape)[1:])
        return ops.convert_to_tensor(np.broadcast_to(scale * row, tuple(shape)).astype("float32"))

    monkeypatch.setattr(keras.random, "normal", draw)


# --- Exact values -----------------------------------------------------------------------------


def test_the_other_image_of_a_pair_is_its_neighbour_and_the_other_of_that_itself():
    rows = np.arange(12).reshape(6, 2)
    np.testing.assert_array_equal(np.asarray(other_image(rows))[:, 0], [2, 0, 6, 4, 10, 8])
    np.testing.assert_array_equal(other_image(other_image(rows)), rows)


def test_the_divergence_is_zero_at_the_prior_and_half_the_squared_mean_at_unit_variance():
    loc = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    zeros = np.zeros_like(loc)
    assert float(kl_loss(zeros, zeros)) == 0
    expected = 0.5 * np.square(loc).sum(axis=1).mean()
    assert float(kl_loss(loc, zeros)) == pytest.approx(expected, rel=1e-6)


def test_mode_seeking_falls_as_images_differ_more_and_is_bounded():
    rng = np.random.default_rng(0)
    images, styles = rng.normal(size=(6, 4)), np.abs(rng.normal(size=(6, 5)))
    once = float(mode_loss(images, styles))
    assert once == pytest.approx(2 * styles.mean() / np.abs(images).mean(), rel=1e-4)
    assert float(mode_loss(3 * images, styles)) == pytest.approx(once / 3, rel=1e-4)
    assert float(mode_loss(0 * images, styles)) == 50


def test_an_adversary_that_knows_nothing_costs_log_domains_on_both_sides():
    model = build()
    for weight in [layer for layer in model.adversary.layers if layer.weights][-1].weights:
        weight.assign(np.zeros(weight.shape))
    found = numbers(model, batch_of())
    assert found["confusion_loss"] == pytest.approx(np.log(3), abs=1e-6)
    assert found["adversary_loss"] == pytest.approx(np.log(3), abs=1e-6)
    weights = model.loss_weights
    assert (weights["confusion_loss"], weights["adversary_loss"]) == (2, 2)  # both halves


class Fixed(keras.Model):
    """Returns its inputs: an adversary of given logits."""

    def __init__(self):
        super().__init__()
        self.built = True

    def call(self, inputs, training=False):
        return inputs


def test_content_hides_the_domain_best_where_the_adversary_is_undecided():
    logits = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    for row in logits:
        loss, _ = adversary_losses(Fixed(), row[None], np.zeros(1, "i4"), [1 / 3] * 3)
        assert float(loss) > np.log(3)
    even, _ = adversary_losses(Fixed(), np.ones((1, 3), "f4"), np.zeros(1, "i4"), [1 / 3] * 3)
    assert float(even) == pytest.approx(np.log(3), abs=1e-6)


def test_of_two_domains_it_is_the_binary_cross_entropy_against_a_half():
    logits = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    found, _ = adversary_losses(Fixed(), logits, np.zeros(50, "i4"), [0.5, 0.5])
    binary = keras.losses.binary_crossentropy(
        np.full(50, 0.5, "f4"), logits[:, 1] - logits[:, 0], from_logits=True
    )
    assert float(found) == pytest.approx(float(ops.mean(binary)), abs=1e-6)


def test_a_critic_that_knows_nothing_costs_one_and_one_a_kind_of_fakes():
    model = build()
    for weight in model.critic.trainable_variables:
        weight.assign(np.zeros(weight.shape))
    found = numbers(model, batch_of())
    assert found["discriminator_loss"] == 3
    assert found["generator_loss"] == 0


def test_each_term_is_what_numpy_computes(monkeypatch):
    """Without noise on content, with the same style drawn for every image."""
    still(monkeypatch, 1.0)
    model, (images, answers) = build(content_noise=0.0, **ALL), batch_of()
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: np.ones(tuple(shape), "f4"))
    one_hot = np.eye(3, dtype=np.float32)[answers["domain"]]
    other = [1, 0, 3, 2, 5, 4]

    def encoded(some):
        content, style = (np.asarray(n(some)) for n in (model.content_encoder, model.style_encoder))
        return content, style[:, :5], style[:, 5:]

    def made(content, style):
        return np.asarray(model.generator([content, style, one_hot]))

    drawn = np.asarray(model.networks.normal((6, 5)))
    content, loc, log_variance = encoded(images)
    style = loc + np.exp(0.5 * log_variance) * drawn
    own, guided, by_draw = (
        made(*each) for each in ((content, style), (content[other], style), (content[other], drawn))
    )
    content_u, loc_u, log_variance_u = encoded(guided)
    back = made(content_u[other], loc_u + np.exp(0.5 * log_variance_u) * drawn)
    content_r, loc_r, _ = encoded(by_draw)
    moved_style, moved_content = made(content, drawn), made(np.roll(content, 2, axis=0), loc)
    expected = {
        "reconstruction_loss": np.abs(own - images).mean(),
        "cross_cycle_loss": np.abs(back - images).mean(),
        "squared_loss": np.square(own - images).mean() + np.square(back - images).mean(),
        "content_penalty": np.square(content).mean(),
        "style_loss": np.abs(loc_r - drawn).mean(),
        "content_loss": np.abs(content_u - content[other]).mean()
        + np.abs(content_r - content[other]).mean(),
        "cir_loss": np.abs(encoded(moved_style)[0] - content).mean()
        + np.abs(encoded(moved_content)[1] - loc).mean(),
    }
    found = numbers(model, (images, answers))
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name


def test_the_loss_is_the_weighted_sum_of_its_terms():
    model, batch = build(content_weight=3.0, kl_weight=0.2, **ALL), batch_of()
    before = model.get_weights()
    terms = numbers(model, batch)
    weights = {
        **{"reconstruction_loss": 20, "cross_cycle_loss": 20, "squared_loss": 2, "kl_loss": 0.4},
        **{"content_penalty": 0.02, "style_loss": 20, "content_loss": 3, "mode_loss": 1},
        **{"generator_loss": 2, "discriminator_loss": 2, "confusion_loss": 2, "adversary_loss": 2},
        **{"domain_loss": 1, "cir_loss": 1, "mixture_loss": 1},
    }
    assert terms.keys() == weights.keys()
    total = sum(weight * terms[name] for name, weight in weights.items())
    model.set_weights(before)  # the critic has counted a step
    model.noise.state.assign(np.zeros(model.noise.state.shape))
    assert float(model.compute_loss(*batch)) == pytest.approx(total, rel=1e-5)


def test_terms_of_weight_0_need_no_network():
    model = build(gan_weight=0.0, adversary_weight=0.0, domain="label", factor_sizes={"label": 4})
    assert (model.critic, model.adversary, model.mixture) == (None, None, None)
    assert not model.relative_rates
    images, answers = batch_of()
    assert np.isfinite(float(model.compute_loss(images, answers | {"domain": answers["label"]})))


def test_rates_of_critic_and_adversary_are_relative_to_the_generator():
    rates = {name: rate for name, (_, rate) in build().relative_rates.items()}
    assert rates == {"critic": 0.4, "adversary": 0.6, "mixture": 10.0}


# --- Inverses ---------------------------------------------------------------------------------


class SecondPixel(keras.Model):
    """Reads the style of an image of two pixels: the second one, with almost no variance."""

    def __init__(self):
        super().__init__()
        self.built = True

    def call(self, images, training=False):
        pixel = images[:, 0, 1]
        return ops.concatenate([pixel, ops.full_like(pixel, -200.0)], axis=-1)


def test_encoders_and_generator_that_invert_each_other_lose_nothing():
    """The first of two pixels is content, the second style."""
    networks = DritNetworks(
        content_encoder=lambda images: images[:, :, :1],
        style_encoder=SecondPixel(),
        domain_head=lambda images: ops.zeros((images.shape[0], 2)),
        generator=lambda parts: ops.concatenate([parts[0], parts[1][:, None, None]], axis=2),
        critic=None,
        adversary=None,
        mixture=None,
        noise=keras.random.SeedGenerator(0),
        content_shape=(1, 1, 1),
        style_dim=1,
    )
    settings = DritSettings(
        factor_sizes={"label": 2}, domain="label", content_noise=0.0, cir_weight=1.0
    )
    images = np.random.default_rng(0).uniform(-1, 1, (8, 1, 2, 1)).astype(np.float32)
    domains = np.arange(8, dtype=np.int32) % 2
    terms, _ = loss_terms(settings, networks, images, {"label": domains, "domain": domains})
    for name in ("reconstruction_loss", "cross_cycle_loss", "style_loss", "content_loss"):
        assert float(terms[name]) == pytest.approx(0, abs=1e-6), name
    assert float(terms["cir_loss"]) == pytest.approx(0, abs=1e-6)


# --- Who learns from what ---------------------------------------------------------------------

MAKERS = ("content_encoder", "style_encoder", "generator")
NETWORKS = (*MAKERS, "critic", "adversary", "domain_head", "mixture")
LEARNERS = {
    "reconstruction_loss": MAKERS,
    "cross_cycle_loss": MAKERS,
    "squared_loss": MAKERS,
    "kl_loss": ("style_encoder",),
    "content_penalty": ("content_encoder",),
    "style_loss": ("content_encoder", "generator"),
    "content_loss": MAKERS,
    "mode_loss": ("content_encoder", "generator"),
    "generator_loss": MAKERS,
    "discriminator_loss": ("critic",),
    "confusion_loss": ("content_encoder",),
    "adversary_loss": ("adversary",),
    "domain_loss": ("domain_head",),
    "cir_loss": MAKERS,
    "mixture_loss": ("mixture",),
}


def test_each_network_learns_from_its_own_terms_alone(gradients_of):
    model, batch = build(**ALL), batch_of(2)
    variables = {name: getattr(model, name).trainable_variables for name in NETWORKS}
    everything = [variable for some in variables.values() for variable in some]
    assert LEARNERS.keys() == model.loss_weights.keys()
    for term, learners in LEARNERS.items():
        found = iter(gradients_of(lambda t=term: terms_of(model, batch)[t], everything))
        learnt = []
        for name, some in variables.items():
            gradients = [next(found) for _ in some]
            assert all(np.isfinite(gradient).all() for gradient in gradients), (term, name)
            learnt += [name] if any(gradient.any() for gradient in gradients) else []
        assert tuple(learnt) == learners, term


def test_the_style_encoder_does_not_learn_from_drawn_styles(gradients_of):
    model, (images, _) = build(), batch_of(2)
    shown, styles = keras.Variable(images), np.ones((2, 5), np.float32)
    encoder = model.style_encoder.trainable_variables
    found = gradients_of(lambda: style_loss(model.networks, shown.value, styles), [*encoder, shown])
    assert not any(gradient.any() for gradient in found[:-1])
    assert found[-1].any()


def test_gradients_are_finite_even_on_flat_images(gradients_of):
    model, (_, answers) = build(**ALL), batch_of(2)
    images = np.ones((2, *SHAPE), np.float32)
    found = gradients_of(lambda: model.compute_loss(images, answers), model.trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in found)


# --- Interpolation ----------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_moving_style_compares_content_from_the_reconstruction_to_a_drawn_style(monkeypatch, share):
    still(monkeypatch, 1.0)
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: np.full(shape, share, "f4"))
    model, batch = build(cir_weight=1.0, cir_blocks=["look"]), batch_of()
    networks, one_hot = model.networks, np.eye(3, dtype=np.float32)[batch[1]["domain"]]
    content = np.asarray(networks.content_encoder(batch[0]))
    style = np.asarray(networks.normal((6, 5)) if share else networks.style(batch[0])[0])
    found = networks.content_encoder(networks.generator([content, style, one_hot]))
    expected = np.abs(np.asarray(found) - content).mean()
    assert numbers(model, batch)["cir_loss"] == pytest.approx(expected, rel=1e-5)


def test_moving_content_may_weigh_less(monkeypatch):
    still(monkeypatch)
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: np.full(shape, 0.5, "f4"))
    batch = batch_of()
    found = {
        name: numbers(build(cir_weight=1.0, **args), batch)["cir_loss"]
        for name, args in {
            "look": {"cir_blocks": ["look"]},
            "content": {"cir_blocks": ["content"]},
            "tenth": {"cir_content_weight": 0.1},
        }.items()
    }
    assert found["tenth"] == pytest.approx(found["look"] + 0.1 * found["content"], rel=1e-5)


def test_the_domain_head_learns_from_real_images():
    model, (images, answers) = build(), batch_of()
    logits = np.asarray(model.domain_head(images), np.float64)
    own = np.take_along_axis(logits, answers["domain"][:, None], axis=1)[:, 0]
    expected = (np.log(np.exp(logits).sum(axis=1)) - own).mean()
    assert float(domain_loss(model.networks, images, answers["domain"])) == pytest.approx(expected)
