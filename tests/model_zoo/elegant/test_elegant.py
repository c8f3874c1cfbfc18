"""What the authors' code does: exact values of the losses, who learns from which, exact pixels."""

import keras
import numpy as np
import pytest

from latentloom.model_zoo.elegant import Elegant
from latentloom.model_zoo.elegant.losses import (
    back_loss,
    exchange,
    loss_terms,
    one_hots,
    restore_loss,
)
from latentloom.model_zoo.elegant.networks import UnitChannels, build_networks
from latentloom.model_zoo.elegant.settings import ElegantSettings

SHAPE = (8, 8, 3)
LARGE = (32, 32, 3)
SIZES = {"label": 4, "hat": 3, "bar": 2}
LN2 = np.log(2.0)
TINY = {"width": 2, "code_channels": 8, "back_weight": 5.0}


@pytest.fixture
def build():
    """Returns a function that builds a small model of two attributes."""

    def make(observation_shape=SHAPE, **args):
        keras.utils.set_random_seed(0)
        return Elegant(observation_shape, 4, **{"factor_sizes": SIZES, **TINY, **args})

    return make


def batch_of(shape=SHAPE, count=6):
    """Pairs of noise; every third pair has equal values of its attribute."""
    rng = np.random.default_rng(0)
    pairs = rng.uniform(-0.9, 0.9, (count, 2, *shape)).astype(np.float32)
    first = np.stack([np.arange(count) % size for size in SIZES.values()], axis=1)
    second = np.stack([(np.arange(count) // 2 + 1) % size for size in SIZES.values()], axis=1)
    answers = {"first": first, "second": second, "edge": np.arange(count) % 2}
    return pairs, {name: codes.astype(np.int32) for name, codes in answers.items()}


def terms_of(model, batch):
    model.noise.state.assign(np.zeros(model.noise.state.shape))
    return loss_terms(model.settings, model.networks, *batch)[0]


def numbers(model, batch):
    return {name: float(value) for name, value in terms_of(model, batch).items()}


def blocks_of(model, images):
    return {name: np.asarray(code) for name, code in model.encode(images).items()}


def exchanged(model, pairs, edge):
    """Images with the attribute of the other image of the pair: all first ones, then all second."""
    ours, theirs = blocks_of(model, pairs[:, 0]), blocks_of(model, pairs[:, 1])
    made = []
    for own, other in ((ours, theirs), (theirs, ours)):
        mixed = dict(own)
        for place, name in enumerate(model.settings.attributes):
            mixed[name] = np.where((edge == place)[:, None], other[name], own[name])
        made.append(np.asarray(model.decode(mixed)))
    return np.concatenate(made)


def restored(model, made, images, edge):
    """Made images with the block of the image itself of the attribute of the pair."""
    mixed, own = blocks_of(model, made), blocks_of(model, images)
    for place, name in enumerate(model.settings.attributes):
        mixed[name] = np.where((edge == place)[:, None], own[name], mixed[name])
    return np.asarray(model.decode(mixed))


def side_by_side(pairs):
    return np.concatenate([pairs[:, 0], pairs[:, 1]])


# --- The residual and the skips ---------------------------------------------------------------


def test_the_image_is_a_block_bit_by_bit(build):
    images = batch_of()[0][:, 0]
    source = np.asarray(build().encode(images)["source"])
    np.testing.assert_array_equal(source.reshape(images.shape), images)


def test_decoding_is_the_image_plus_the_residual_of_the_new_and_its_own_code(build):
    model, images = build((16, 16, 3)), batch_of((16, 16, 3))[0][:, 0]
    *skips, own = (np.asarray(stage) for stage in model.networks.stages(images))
    channels = np.arange(8).reshape(2, 4)
    new = own.copy()
    new[..., channels[1]] = np.roll(own, 1, axis=0)[..., channels[1]]
    residual = np.asarray(model.decoder([np.concatenate([new, own], -1), *skips[::-1]]))
    expected = np.clip(images + 2 * residual, -1, 1)
    latents = blocks_of(model, images)
    latents["bar"] = np.roll(latents["bar"], 1, axis=0)
    np.testing.assert_allclose(model.decode(latents), expected, atol=1e-6)


def test_a_decoder_that_adds_nothing_returns_the_image_bit_by_bit(build):
    model, batch = build(), batch_of()
    for weight in model.decoder.layers[-2].weights:
        weight.assign(np.zeros(weight.shape))
    latents = blocks_of(model, batch[0][:, 0])
    latents |= {"hat": latents["hat"] + 5, "bar": -latents["bar"]}
    np.testing.assert_array_equal(model.decode(latents), batch[0][:, 0])
    found = numbers(model, batch)
    assert found["reconstruction_loss"] == 0
    assert found["change_loss"] == 0
    assert found["back_loss"] == 0
    assert found["restore_loss"] == 0


def test_the_other_blocks_and_the_image_of_a_donor_change_nothing(build):
    model, pairs = build(), batch_of()[0]
    ours, donor = blocks_of(model, pairs[:, 0]), blocks_of(model, pairs[:, 1])
    expected = np.asarray(model.decode(ours | {"hat": donor["hat"]}))
    changed = np.asarray(model.decode(ours | {"hat": donor["hat"]} | {"bar": ours["bar"]}))
    np.testing.assert_array_equal(changed, expected)


def test_the_channels_of_a_position_have_unit_norm_whatever_their_scale():
    layer, values = UnitChannels(), np.random.default_rng(0).normal(size=(2, 3, 3, 7))
    found = np.asarray(layer(values.astype(np.float32)))
    np.testing.assert_allclose(np.sum(found**2, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(layer((9 * values).astype(np.float32)), found, atol=1e-6)
    layer.scale.assign(3.0)
    layer.shift.assign(0.5)
    np.testing.assert_allclose(layer(values.astype(np.float32)), 3 * found + 0.5, atol=1e-5)


def test_networks_have_the_sizes_of_the_authors():
    settings = ElegantSettings(
        width=64,
        code_channels=512,
        base_side=8,
        discriminator_stages=4,
        factor_sizes={"label": 2, "hat": 2},
    ).resolved(2)
    networks = build_networks(settings, (256, 256, 3), 2)
    assert networks.code_shape == (8, 8, 512)
    sizes = [round(n.count_params() / 1e6, 2) for n in (networks.encoder, networks.decoder)]
    assert sizes == [3.91, 6.27]
    assert [round(n.count_params() / 1e6, 2) for n in networks.discriminators] == [1.68, 1.58]


@pytest.mark.parametrize(
    ("side", "expected"), [(32, [93_254, 166_855, 118_038]), (64, [240_840, 388_169, 340_498])]
)
def test_small_images_have_small_networks(build, side, expected):
    sizes = {"label": 4, "hat": 2, "bar": 2}
    model = build((side, side, 3), width=32, code_channels=128, factor_sizes=sizes)
    critics = sum(network.count_params() for network in model.discriminators)
    found = [model.encoder.count_params(), model.decoder.count_params(), critics]
    assert found == pytest.approx(expected, abs=12)  # scalars of the normalisations


def test_sides_that_halvings_do_not_divide_are_cropped(build):
    model = build((28, 22, 1))
    images = np.zeros((2, 28, 22, 1), np.float32)
    assert model.decode(model.encode(images)).shape == images.shape


# --- Exchange ---------------------------------------------------------------------------------


def columns():
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=(8, 3)).astype(np.float32) for name in ("hat", "bar")}


def test_an_exchange_moves_one_attribute_between_the_images_of_a_pair():
    codes, edge = columns(), np.array([0, 1, 0, 1, 0, 1, 0, 1])
    moved = exchange(codes, edge)
    for place, name in enumerate(codes):
        other = np.concatenate([codes[name][4:], codes[name][:4]])
        expected = np.where((edge == place)[:, None], other, codes[name])
        np.testing.assert_array_equal(moved[name], expected)


def test_an_exchange_twice_is_none():
    codes, edge = columns(), np.array([0, 1, 1, 0] * 2)
    again = exchange(exchange(codes, edge), edge)
    for name, code in codes.items():
        np.testing.assert_array_equal(again[name], code)


def test_made_images_have_one_value_of_every_attribute_and_no_value_is_lost():
    settings = ElegantSettings(factor_sizes=SIZES).resolved(4)
    _, answers = batch_of()
    told = {
        name: np.concatenate([answers["first"][:, place], answers["second"][:, place]])
        for place, name in enumerate(SIZES)
        if name != "label"
    }
    edge = np.concatenate([answers["edge"]] * 2)
    real = np.asarray(one_hots(settings, told))
    fake = np.asarray(one_hots(settings, exchange(told, edge)))
    assert real.shape == (12, 5)
    for rows in (real, fake):
        np.testing.assert_array_equal(rows[:, :3].sum(1), 1)
        np.testing.assert_array_equal(rows[:, 3:].sum(1), 1)
    np.testing.assert_array_equal(fake[:6] + fake[6:], real[:6] + real[6:])


# --- Exact values of the losses ---------------------------------------------------------------


def softplus(values):
    return np.logaddexp(0, np.asarray(values, np.float64))


def test_discriminators_that_know_nothing_cost_what_the_sheet_of_chances_says(build):
    model = build(LARGE)
    assert len(model.discriminators) == 2
    for network in model.discriminators:
        for weight in network.layers[-2].weights:
            weight.assign(np.zeros(weight.shape))
    found = numbers(model, batch_of(LARGE))
    assert found["discriminator_loss"] == pytest.approx(1.5 * LN2, abs=1e-6)
    assert found["generator_loss"] == pytest.approx(3 * LN2, abs=1e-6)


def test_each_term_is_what_numpy_computes(build):
    model, (pairs, answers) = build(LARGE), batch_of(LARGE)
    images, edge = side_by_side(pairs), answers["edge"]
    made = exchanged(model, pairs, edge)
    values = {
        name: np.concatenate([answers["first"][:, place], answers["second"][:, place]])
        for place, name in enumerate(SIZES)
    }
    moved = {n: np.concatenate([v[6:], v[:6]]) for n, v in values.items()}
    both = np.concatenate([edge, edge])
    real = np.concatenate([np.eye(3)[values["hat"]], np.eye(2)[values["bar"]]], axis=1)
    fake = np.concatenate(
        [
            np.eye(3)[np.where(both == 0, moved["hat"], values["hat"])],
            np.eye(2)[np.where(both == 1, moved["bar"], values["bar"])],
        ],
        axis=1,
    )
    generator = discriminator = 0.0
    for weight, network in zip((1.0, 0.5), model.discriminators, strict=True):
        told, hidden = network([images, real]), network([made, fake])
        generator += 2 * weight * softplus(-np.asarray(hidden)).mean()
        found = softplus(-np.asarray(told)).mean() + softplus(hidden).mean()
        discriminator += 2 * weight * found / 4
    back = exchanged(model, np.stack([made[:6], made[6:]], axis=1), edge)
    own = np.asarray(model.decode(model.encode(images)))
    expected = {
        "reconstruction_loss": np.mean((own - images) ** 2),
        "generator_loss": generator,
        "discriminator_loss": discriminator,
        "change_loss": np.abs(made[:6] - images[:6]).mean() + np.abs(made[6:] - images[6:]).mean(),
        "back_loss": np.abs(back[:6] - images[:6]).mean() + np.abs(back[6:] - images[6:]).mean(),
        "restore_loss": 2 * np.abs(restored(model, made, images, both) - images).mean(),
    }
    found = numbers(model, (pairs, answers))
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name


def test_the_loss_is_the_weighted_sum_of_its_terms(build):
    model, batch = build(cir_weight=0.5, back_weight=3.0, reconstruction_weight=7.0), batch_of()
    terms = numbers(model, batch)
    model.noise.state.assign(np.zeros(model.noise.state.shape))
    weights = {"reconstruction_loss": 14, "change_loss": 10, "back_loss": 3, "restore_loss": 50}
    weights |= {"cir_loss": 0.5}
    total = sum(weights.get(name, 1.0) * value for name, value in terms.items())
    assert float(model.compute_loss(*batch)) == pytest.approx(total, rel=1e-5)


def test_without_adversarial_terms_there_is_no_discriminator(build):
    model = build(gan_weight=0.0, change_weight=0.0, back_weight=0.0, restore_weight=0.0)
    assert model.discriminators == []
    assert set(numbers(model, batch_of())) == {"reconstruction_loss", "mixture_loss"}
    assert list(model.relative_rates) == ["mixture"]


def test_images_under_32_pixels_have_one_discriminator(build):
    assert len(build((16, 16, 3)).discriminators) == 1


def test_an_exchange_back_costs_nothing_if_decoding_changes_nothing(build):
    model, (pairs, answers) = build(), batch_of()
    for weight in model.decoder.layers[-2].weights:
        weight.assign(np.zeros(weight.shape))
    images, edge = side_by_side(pairs), np.concatenate([answers["edge"]] * 2)
    assert float(back_loss(model.networks, images, images, edge)) == 0
    made = np.clip(images + 0.1, -1, 1)
    expected = np.abs(made[:6] - images[:6]).mean() + np.abs(made[6:] - images[6:]).mean()
    found = float(back_loss(model.networks, made, images, edge))
    assert found == pytest.approx(expected, rel=1e-4)


def test_the_image_that_an_attribute_is_put_back_on_learns_nothing(build, gradients_of):
    """Else it would hide what was taken from it."""
    model, (pairs, answers) = build(), batch_of()
    images, edge = side_by_side(pairs), np.concatenate([answers["edge"]] * 2)
    shown, codes = keras.Variable(0.9 * images), model.encode(images)
    networks = model.networks

    def restore():
        return restore_loss(networks, shown.value, images, codes, edge)

    assert are_zero(gradients_of(restore, [shown]))
    back = gradients_of(lambda: back_loss(networks, shown.value, images, edge), [shown])
    assert not are_zero(back)


# --- Who learns from what ---------------------------------------------------------------------


def generators(model):
    return [*model.encoder.trainable_variables, *model.decoder.trainable_variables]


def critics(model):
    return [v for network in model.discriminators for v in network.trainable_variables]


def are_zero(gradients):
    return all(not gradient.any() for gradient in gradients)


def test_each_side_learns_from_its_own_terms_alone(build, gradients_of):
    model, batch = build(LARGE, cir_weight=1.0), batch_of(LARGE, count=2)

    def gradients(name, variables):
        return gradients_of(lambda: terms_of(model, batch)[name], variables)

    assert are_zero(gradients("discriminator_loss", generators(model)))
    for name in {*model.loss_weights} - {"discriminator_loss", "mixture_loss"}:
        assert are_zero(gradients(name, critics(model))), name
        found = gradients(name, generators(model))
        assert all(np.isfinite(gradient).all() for gradient in found)
        assert not are_zero(found), name
    assert not are_zero(gradients("discriminator_loss", critics(model)))
    assert are_zero(gradients("mixture_loss", generators(model) + critics(model)))
    assert not are_zero(gradients("mixture_loss", model.mixture.trainable_variables))


def test_the_gradient_of_the_discriminators_is_that_of_their_loss(build, gradients_of):
    model, batch = build(LARGE), batch_of(LARGE, count=2)
    whole = gradients_of(lambda: model.compute_loss(*batch), critics(model))
    own = gradients_of(lambda: terms_of(model, batch)["discriminator_loss"], critics(model))
    for total, part in zip(whole, own, strict=True):
        np.testing.assert_allclose(total, part, atol=1e-6)


def test_gradients_of_the_whole_loss_are_finite_even_on_flat_images(build, gradients_of):
    model, (_, answers) = build(LARGE, cir_weight=1.0), batch_of(LARGE, count=2)
    pairs = np.ones((2, 2, *LARGE), np.float32)
    found = gradients_of(lambda: model.compute_loss(pairs, answers), model.trainable_variables)
    assert all(np.isfinite(gradient).all() for gradient in found)


# --- Interpolation ----------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_regulariser_compares_the_blocks_that_stay_of_the_finished_image(
    build, monkeypatch, share
):
    model, (pairs, answers) = build(cir_weight=1.0), batch_of()
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: np.full(shape, share, "f4"))
    codes = blocks_of(model, side_by_side(pairs))
    edge = np.concatenate([answers["edge"]] * 2)
    made = exchanged(model, pairs, answers["edge"]) if share else model.decode(codes)
    found = blocks_of(model, made)
    errors = {name: np.abs(found[name] - codes[name]).mean(1) for name in ("hat", "bar")}
    expected = np.where(edge == 0, errors["bar"], errors["hat"]).mean()
    assert numbers(model, (pairs, answers))["cir_loss"] == pytest.approx(expected, rel=1e-4)


# --- Contract ---------------------------------------------------------------------------------


def test_source_carries_the_label_and_what_is_not_exchanged(build):
    spec = build(attributes=["bar"], code_channels=8).latent_spec
    assert spec == {
        "bar": {"dim": 4 * 4 * 8, "factors": ["bar"]},
        "source": {"dim": 8 * 8 * 3, "factors": ["label", "hat"], "anchored": True},
    }


def test_priors_draw_training_images_of_the_class_and_codes_of_the_values(build):
    model, rng = build(), np.random.default_rng(0)
    images = rng.uniform(-1, 1, (40, *SHAPE)).astype(np.float32)
    factors = {"label": np.arange(40) % 4, "hat": np.arange(40) % 3, "bar": np.arange(40) // 20}
    codes = blocks_of(model, images)
    priors = model.fitted_priors(codes, factors)
    source = priors["source"]
    assert source["loc"].shape == (4, 16, 192)
    assert not source["scale"].any()
    for label in range(4):
        own = codes["source"][factors["label"] == label]
        assert all((own == row).all(axis=1).any() for row in source["loc"][label])
    assert priors["hat"]["weights"].shape == (1, 3)
    axes = priors["hat"]["directions"]
    assert axes.shape == (8, codes["hat"].shape[1])
    lengths = np.linalg.norm(axes, axis=1)
    assert (np.diff(lengths) <= 1e-6).all()
    variance = (codes["hat"] @ (axes / lengths[:, None]).T).std(axis=0)
    np.testing.assert_allclose(variance, lengths, rtol=1e-3)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"factor_sizes": {"label": 4}}, "no attribute to exchange.*another factor"),
        ({"attributes": []}, "no attribute to exchange"),
        ({"attributes": ["label"]}, "'label' cannot be an attribute.*stays with its image"),
        ({"attributes": ["hta"]}, "'hta' cannot.*Did you mean 'hat'"),
        ({"attributes": ["hat", "hat"]}, "'hat' cannot.*Correct `model.args.attributes`"),
        ({"factor_sizes": {"label": 4, "hat": 1, "bar": 2}}, "'hat' cannot.*two values or more"),
        ({"factor_sizes": {"label": 4, "source": 2}}, "no attribute to exchange"),
        ({"attributes": ["hat"], "cir_weight": 1.0}, "another attribute.*cir_weight` to 0"),
        ({"code_channels": 1}, "more attributes than channels.*Raise"),
        ({"cir_weight": 1.0, "cir_blocks": ["hot"]}, "`cir_blocks` is unknown.*Did you mean 'hat'"),
        ({"base_side": 8}, "halvings do not fit.*base_side"),
        ({"discriminator_stages": 3}, "halvings do not fit.*discriminator_stages"),
        ({"same_share": 1.0}, "`same_share` is wrong"),
    ],
)
def test_bad_arguments_are_refused_with_the_fix(build, args, message):
    with pytest.raises(ValueError, match=message):
        build(**args)


def test_vectors_have_no_attributes_to_exchange():
    with pytest.raises(ValueError, match=r"images.*\(5,\).*model\.name"):
        Elegant((5,), 4, factor_sizes=SIZES)
