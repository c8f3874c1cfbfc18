"""What is interpolated, what has to stay, and through what gradients flow."""

import keras
import numpy as np
import pytest

from latentloom.model_zoo.losses.interpolation import (
    ALPHAS,
    DISTANCES,
    InterpolationSettings,
    check_cir,
    cir_loss,
    interpolation_loss,
)

DIMS = {"letter": 2, "ink": 3, "style": 1}


@pytest.fixture
def latents():
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(6, dim)).astype(np.float32) for name, dim in DIMS.items()}


def seed():
    return keras.random.SeedGenerator(3)


def same(latents):
    return latents


def loss(latents, encode=same, decode=same, **settings):
    return float(interpolation_loss(encode, decode, latents, seed(), **settings))


def interpolated(latents, **settings):
    """The blocks that are decoded."""
    seen = []

    def decode(codes):
        seen.append({name: np.asarray(code) for name, code in codes.items()})
        return codes

    loss(latents, decode=decode, **settings)
    return seen[0]


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_code_that_comes_back_as_it_went_has_no_loss(latents, distance, alpha):
    assert loss(latents, distance=distance, alpha=alpha) == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize(("distance", "expected"), [("mse", 4.0), ("mae", 2.0)])
def test_the_loss_is_the_mean_over_the_dimensions_of_the_other_blocks(latents, distance, expected):
    def encode(codes):
        return {name: code + 2.0 for name, code in codes.items()}

    assert loss(latents, encode, distance=distance) == pytest.approx(expected, rel=1e-5)

    def encode_letter(codes):
        return codes | {"letter": codes["letter"] + 2.0}

    found = loss(latents, encode_letter, blocks=["ink"], distance=distance)
    assert found == pytest.approx(expected * 2 / 3, rel=1e-5)


def test_nothing_is_asked_of_the_block_that_moves(latents):
    def encode(codes):
        return codes | {"ink": codes["ink"] * 100.0}

    assert loss(latents, encode, blocks=["ink"]) == pytest.approx(0.0, abs=1e-10)
    assert loss(latents, encode, blocks=["letter"]) > 1.0


def test_only_the_chosen_block_moves_and_towards_another_example(latents):
    moved = interpolated(latents, blocks=["ink"])
    for name in ("letter", "style"):
        np.testing.assert_array_equal(moved[name], latents[name])
    assert not np.isclose(moved["ink"], latents["ink"]).all(axis=1).any()


@pytest.mark.parametrize("alpha", ALPHAS)
def test_shares_are_one_a_dimension_or_one_an_example(alpha):
    ends = {
        "ink": np.array([[0, 0, 0], [1, 1, 1]], np.float32),
        "style": np.zeros((2, 1), np.float32),
    }
    moved = interpolated(ends, blocks=["ink"], alpha=alpha)["ink"]
    assert ((moved >= 0) & (moved <= 1)).all()
    assert np.allclose(np.ptp(moved, axis=1), 0) == (alpha == "example")


def test_the_partner_is_the_example_before(latents):
    ends = {"ink": np.eye(8, dtype=np.float32), "style": np.zeros((8, 1), np.float32)}
    source, partners = seed(), [set() for _ in range(8)]

    def decode(codes):
        for row, code in enumerate(np.asarray(codes["ink"])):
            partners[row] |= set(np.flatnonzero(code)) - {row}
        return codes

    for _ in range(100):
        interpolation_loss(same, decode, ends, source, blocks=["ink"], alpha="example")
    assert partners == [{(row - 1) % 8} for row in range(8)]


def test_of_several_blocks_each_example_has_one_that_moves():
    codes = {name: np.tile(np.arange(64, dtype=np.float32)[:, None], 2) for name in "abc"}
    moved = interpolated(codes, blocks=["a", "c"])
    has_moved = {name: (moved[name] != codes[name]).any(axis=1) for name in codes}
    assert not has_moved["b"].any()
    assert (has_moved["a"] ^ has_moved["c"]).all()
    assert 10 < has_moved["a"].sum() < 54


def test_a_batch_of_one_moves_nowhere(latents):
    alone = {name: code[:1] for name, code in latents.items()}
    np.testing.assert_array_equal(interpolated(alone)["ink"], alone["ink"])


def test_a_scaled_distance_knows_no_units(latents):
    def encode(codes):
        return {name: code * 1.5 for name, code in codes.items()}

    large = {name: code * 10 for name, code in latents.items()}
    for distance, factor in (("mse", 100.0), ("mae", 10.0), ("scaled_mse", 1.0)):
        settings = {"blocks": ["ink"], "distance": distance}
        expected = factor * loss(latents, encode, **settings)
        assert loss(large, encode, **settings) == pytest.approx(expected, rel=1e-3)


@pytest.fixture
def gradient(gradients_of, latents):
    """Returns a function that differentiates the loss by the block that stays.

    The loss is its mean square, or that over its variance: the code comes back as zeros.
    """

    def differentiate(**settings):
        stays = keras.Variable(latents["letter"])

        def encode(codes):
            return {name: keras.ops.zeros_like(code) for name, code in codes.items()}

        def value():
            codes = {"letter": stays.value, "ink": keras.ops.convert_to_tensor(latents["ink"])}
            return interpolation_loss(encode, same, codes, seed(), blocks=["ink"], **settings)

        return gradients_of(value, [stays])[0]

    return differentiate


def test_gradients_flow_through_the_target_unless_it_is_held(gradient, latents):
    expected = 2 * latents["letter"] / latents["letter"].size
    np.testing.assert_allclose(gradient(), expected, rtol=1e-5)
    assert not gradient(stop_gradient=True).any()


def test_the_variance_is_held_unless_asked(gradient, latents):
    letter = latents["letter"]
    held = 2 * letter / letter.size / letter.var(axis=0)
    np.testing.assert_allclose(gradient(distance="scaled_mse"), held, rtol=1e-4)
    assert not np.allclose(gradient(distance="unheld_scaled_mse"), held, rtol=0.1)


# --- As settings of a model -------------------------------------------------------------------


def check(blocks=tuple(DIMS), **settings):
    check_cir(InterpolationSettings(**{"cir_weight": 1.0} | settings), blocks)


def test_the_settings_of_a_model_reach_the_loss(latents):
    def encode(codes):
        return {name: code + 2.0 for name, code in codes.items()}

    for distance, expected in (("mse", 4.0), ("mae", 2.0)):
        settings = InterpolationSettings(cir_weight=1.0, cir_distance=distance)
        found = cir_loss(settings, encode, same, latents, seed())
        assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "bad",
    [
        {"cir_alpha": "dimensions"},
        {"cir_distance": "l2"},
        {"cir_blocks": ["inc"]},
        {"cir_weight": -1.0},
        {"blocks": ["all"]},
    ],
)
def test_bad_settings_are_refused_with_the_fix(bad):
    with pytest.raises(ValueError, match=r"Expected: .*Received: .*model\.args\.cir_"):
        check(**bad)


def test_the_nearest_block_is_named():
    with pytest.raises(ValueError, match="one of letter, ink, style.*Did you mean 'ink'"):
        check(cir_blocks=["letter", "inc"])


def test_a_single_block_is_fine_without_the_regulariser():
    check(["all"], cir_weight=0.0)
