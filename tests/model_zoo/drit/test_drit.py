"""Blocks, networks and priors: exact identities, and arguments that are refused."""

import functools

import keras
import numpy as np
import pytest

from latentloom.model_zoo.backend.probability import stateless_seed
from latentloom.model_zoo.drit import Drit
from latentloom.model_zoo.drit.layers import AdaptiveInstanceNorm, InstanceNorm
from latentloom.model_zoo.drit.networks import ADVERSARY_SIDE

SHAPE, CLASSES = (16, 16, 3), 4
SIZES = {"label": CLASSES, "site": 3}
SEED = np.array([0, 1], np.int32)
TINY = {"width": 2, "content_channels": 3, "style_dim": 5, "hidden_dim": 8, "adversary_width": 4}


@functools.cache
def build(observation_shape=SHAPE, **args):
    """Builds a small model, each once: no test trains one."""
    keras.utils.set_random_seed(0)
    return Drit(observation_shape, CLASSES, **{"factor_sizes": SIZES, **TINY, **args})


def images_of(count=6, shape=SHAPE):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype(np.float32)


def codes_of(model, images):
    return {name: np.array(code) for name, code in model.encode(images).items()}


# --- Blocks -----------------------------------------------------------------------------------


def test_content_carries_the_label_and_look_style_and_domain():
    assert build().latent_spec == {
        "content": {"dim": 4 * 4 * 3, "factors": ["label"]},
        "look": {"dim": 5 + 3, "factors": ["site"]},
    }
    assert build(domain="label").latent_spec == {
        "content": {"dim": 4 * 4 * 3, "factors": []},
        "look": {"dim": 5 + CLASSES, "factors": ["label"]},
    }


def test_the_last_entries_of_look_are_the_one_hot_of_the_domain_that_is_read():
    model, images = build(), images_of()
    look = codes_of(model, images)["look"]
    read = np.asarray(model.domain_head(images)).argmax(axis=1)
    np.testing.assert_array_equal(look[:, 5:], np.eye(3)[read])
    np.testing.assert_array_equal(look[:, :5], np.asarray(model.style_encoder(images))[:, :5])


def test_decoding_is_the_generator_on_content_mean_style_and_domain_bit_by_bit():
    model, images = build(), images_of()
    codes = codes_of(model, images)
    content = np.asarray(model.content_encoder(images))
    np.testing.assert_array_equal(codes["content"], content.reshape(6, -1))
    parts = [content, codes["look"][:, :5], codes["look"][:, 5:]]
    once, again = model.decode(codes), model.decode(codes)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(once, model.generator(parts))


def test_the_look_of_an_equal_image_changes_nothing_bit_by_bit():
    model, images = build(), images_of()
    codes, donors = codes_of(model, images), codes_of(model, images.copy())
    swapped = codes | {"look": donors["look"]}
    np.testing.assert_array_equal(model.decode(swapped), model.decode(codes))


def test_mixtures_of_domains_are_decoded():
    model, codes = build(), codes_of(build(), images_of())
    codes["look"][:, 5:] = [0.5, 0.25, 0.25]
    mixed = np.asarray(model.decode(codes))
    assert np.isfinite(mixed).all()
    codes["look"][:, 5:] = [1, 0, 0]
    assert not np.allclose(mixed, model.decode(codes))


def test_style_and_domain_reach_the_image():
    model, codes = build(), codes_of(build(), images_of())
    images = np.asarray(model.decode(codes))
    styled = codes | {"look": codes["look"] + np.eye(8, dtype=np.float32)[0]}
    assert not np.allclose(model.decode(styled), images)
    moved = codes | {"look": np.roll(codes["look"], 1, axis=1)}
    assert not np.allclose(model.decode(moved), images)


def test_the_posterior_has_the_code_as_its_mean_and_varies_in_style_alone():
    model, images = build(), images_of()
    posterior, codes = model.posterior(images), codes_of(model, images)
    np.testing.assert_allclose(posterior["look"].mean(), codes["look"], atol=1e-6)
    np.testing.assert_array_equal(posterior["content"].mean(), codes["content"])
    drawn = np.asarray(posterior["look"].sample(2000, seed=stateless_seed(SEED)))
    _, log_variance = model.networks.style(images)
    np.testing.assert_allclose(drawn[..., :5].std(axis=0), np.exp(0.5 * log_variance), rtol=0.1)
    np.testing.assert_array_equal(
        drawn[..., 5:], np.broadcast_to(codes["look"][:, 5:], (2000, 6, 3))
    )


def test_training_assumes_standard_normal_styles_and_domains_as_likely():
    drawn = np.asarray(build().prior()["look"].sample(4000, seed=stateless_seed(SEED)))
    np.testing.assert_allclose(drawn.mean(axis=0), [0] * 5 + [1 / 3] * 3, atol=0.08)
    np.testing.assert_allclose(drawn[:, :5].std(axis=0), 1, atol=0.08)
    assert set(np.unique(drawn[:, 5:])) == {0, 1}


def test_the_class_is_read_from_content_or_where_it_is_the_domain_from_the_image():
    model, images = build(), images_of()
    codes = codes_of(model, images)
    other = codes | {"look": np.roll(codes["look"], 1, axis=0)}
    np.testing.assert_array_equal(model.class_scores(other), model.class_scores(codes))
    model = build(domain="label")
    codes = codes_of(model, images)
    told = keras.ops.log_softmax(model.domain_head(model.decode(codes)))
    np.testing.assert_allclose(model.class_scores(codes), told, atol=1e-6)


# --- Networks ---------------------------------------------------------------------------------


def test_instance_norm_ignores_scale_and_shift_of_a_channel():
    maps = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype(np.float32)
    found = np.asarray(InstanceNorm()(maps))
    np.testing.assert_allclose(found.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(1, 2)), 1, atol=1e-4)
    moved = maps * np.array([2, 3, 7], np.float32) + np.array([5, -1, 0], np.float32)
    np.testing.assert_allclose(InstanceNorm()(moved), found, atol=3e-5)


def test_adaptive_instance_norm_of_zeros_is_instance_norm():
    maps = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype(np.float32)
    layer, norm = AdaptiveInstanceNorm(), np.asarray(InstanceNorm()(maps))
    np.testing.assert_allclose(layer([maps, np.zeros((2, 6), np.float32)]), norm, atol=1e-5)
    modulation = np.tile(np.array([1, 2, 3, 4, 5, 6], np.float32), (2, 1))
    expected = norm * np.array([2, 3, 4]) + np.array([4, 5, 6])
    np.testing.assert_allclose(layer([maps, modulation]), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("width", "expected"),
    [(16, [173, 43, 273, 174, 47, 26]), (24, [388, 95, 523, 291, 47, 58])],
)
def test_networks_have_the_sizes_of_the_method_sheet(width, expected):
    model = Drit((32, 32, 3), 10, width=width, factor_sizes={"label": 10, "site": 2})
    names = ("content_encoder", "style_encoder", "generator", "critic", "adversary", "domain_head")
    found = [round(getattr(model, name).count_params() / 1000) for name in names]
    assert found == expected
    assert model.networks.content_shape == (8, 8, 16)


@pytest.mark.parametrize("shape", [(16, 16, 3), (32, 32, 1), (28, 22, 3), (64, 64, 3)])
def test_images_of_any_size_have_content_for_the_adversary_and_come_back(shape):
    model, images = build(shape), images_of(2, shape)
    assert model.decode(model.encode(images)).shape == images.shape
    (last,) = [layer for layer in model.adversary.layers if "flatten" in layer.name]
    sides = last.input.shape[1:3]
    assert 1 <= min(sides) <= max(sides) <= ADVERSARY_SIDE
    assert min(model.networks.content_shape[:2]) > min(sides)


def test_content_that_is_halved_once_has_finer_strokes():
    assert build(content_halvings=1).networks.content_shape == (8, 8, 3)
    images = images_of()
    model = build(content_halvings=1)
    assert model.decode(model.encode(images)).shape == images.shape


# --- Priors -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted():
    """A model, codes of images of unequally frequent domains, their factors, and priors."""
    model, images = build(), images_of(200)
    domains = np.repeat([0, 1, 2], [100, 60, 40])
    factors = {"label": np.arange(200) % CLASSES, "site": domains}
    codes = codes_of(model, images)
    return model, codes, factors, model.fitted_priors(codes, factors)


def test_content_is_drawn_from_training_codes_of_the_class(fitted):
    _, codes, factors, priors = fitted
    prior = priors["content"]
    assert prior["loc"].shape == (CLASSES, 32, 48)
    assert not prior["scale"].any()
    np.testing.assert_allclose(prior["weights"], 1 / 32)
    for label in range(CLASSES):
        own = codes["content"][factors["label"] == label]
        assert all((own == row).all(axis=1).any() for row in prior["loc"][label])


def test_looks_are_a_mixture_of_one_component_a_domain(fitted):
    _, codes, factors, priors = fitted
    prior = priors["look"]
    np.testing.assert_allclose(prior["weights"], [[0.5, 0.3, 0.2]])
    np.testing.assert_array_equal(prior["loc"][0, :, 5:], np.eye(3))
    assert not prior["scale"][0, :, 5:].any()
    for domain in range(3):
        styles = codes["look"][factors["site"] == domain, :5]
        np.testing.assert_allclose(prior["loc"][0, domain, :5], styles.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(prior["scale"][0, domain, :5], styles.std(axis=0), rtol=1e-3)


def test_directions_are_the_axes_of_style_as_long_as_styles_vary_within_domains(fitted):
    _, codes, factors, priors = fitted
    directions = priors["look"]["directions"]
    assert directions.shape == (5, 8)
    assert not directions[:, 5:].any()
    rest = codes["look"][:, :5].astype(np.float64)
    for domain in range(3):
        rows = factors["site"] == domain
        rest[rows] -= rest[rows].mean(axis=0)
    np.testing.assert_allclose(directions[:, :5], np.diag(rest.std(axis=0)), rtol=1e-3)


def test_content_of_any_class_is_drawn_where_classes_are_the_domains():
    model, images = build(domain="label"), images_of(80)
    codes = codes_of(model, images)
    priors = model.fitted_priors(codes, {"label": np.arange(80) % CLASSES})
    assert priors["content"]["loc"].shape == (1, 32, 48)
    assert priors["look"]["loc"].shape == (1, CLASSES, 5 + CLASSES)


# --- Arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"factor_sizes": {"label": 4}}, "domain is no factor.*domain=None. Set.*another factor"),
        ({"factor_sizes": {"label": 4, "a": 2, "b": 2}}, "one of label, a, b.*domain=None"),
        ({"domain": "sit"}, "domain is no factor.*Did you mean 'site'"),
        ({"factor_sizes": {"label": 4, "site": 1}}, "'site' has one domain.*two values or more"),
        ({"cir_weight": 1.0, "cir_blocks": ["style"]}, "`cir_blocks` is unknown.*content, look"),
        ({"width": 0}, "`width` is wrong.*Raise"),
        ({"kl_weight": -1.0}, "`kl_weight` is wrong.*Raise"),
        ({"content_halvings": 5}, "`content_halvings` is wrong.*Lower"),
        ({"width": 1024, "residual_blocks": 9}, "'content_encoder' is too large"),
        ({"observation_shape": (12, 16, 3)}, r"at least 16 pixels.*\(12, 16, 3\).*--image-size 32"),
        ({"observation_shape": (5,)}, r"translates images.*\(5,\).*model\.name"),
    ],
)
def test_bad_arguments_are_refused_with_the_fix(args, message):
    shape = args.pop("observation_shape", SHAPE)
    with pytest.raises(ValueError, match=message):
        Drit(shape, CLASSES, **{"factor_sizes": SIZES, **TINY, **args})


def test_the_only_factor_beside_the_label_is_the_domain_by_default():
    assert build().settings.domain == "site"
