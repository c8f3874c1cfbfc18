"""What the paper claims: exact values of the losses, and that labels only choose the groups."""

import logging

import keras
import numpy as np
import pytest

from latentloom.model_zoo.gzs_net import GZSNet
from latentloom.model_zoo.gzs_net.losses import cover, exchange, pixel_errors, sharing_loss
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule

SHAPE = (8, 8, 1)
BLOCKS = {"label": 3, "size": 3, "ink": 3, "style": 2}
ATTRIBUTES = ("label", "size", "ink")
OWN_SHARERS = np.broadcast_to(4 * np.arange(6)[:, None, None] + [1, 2, 3], (6, 4, 3))
"""Positions of the sharers of the group that an image belongs to."""


@pytest.fixture
def build(sizes):
    """Returns a function that builds a small model of the grid."""

    def make(observation_shape=SHAPE, **args):
        keras.utils.set_random_seed(0)
        small = {"block_dims": 3, "unlabelled_dims": {"style": 2}, "hidden_dim": 16, "width": 2}
        return GZSNet(observation_shape, 4, **{"factor_sizes": sizes, **small, **args})

    return make


@pytest.fixture(scope="module")
def batch():
    """Groups of noise."""
    rng = np.random.default_rng(0)
    groups = rng.uniform(-1, 1, (6, 4, *SHAPE)).astype(np.float32)
    answers = {"label": np.arange(6) % 4, "edge": np.arange(6) % 3, "donors": OWN_SHARERS}
    return groups, {name: codes.astype(np.int32) for name, codes in answers.items()}


@pytest.fixture(scope="module")
def codes():
    """Codes of groups of four."""
    rng = np.random.default_rng(1)
    return {b: rng.normal(size=(6, 4, dim)).astype(np.float32) for b, dim in BLOCKS.items()}


def figures(model, batch):
    """Figures that the model tracks on one batch."""
    model.reset_metrics()
    model.noise.state.assign(np.zeros(model.noise.state.shape))
    model.compute_loss(*batch, model(batch[0], training=True))
    return {name: float(tracker.result()) for name, tracker in model.trackers.items()}


def error(model, codes, images):
    """Mean squared error of decoded codes."""
    return float(np.mean((np.asarray(model.decode(codes)) - images) ** 2))


def members(outputs, place):
    return {name: np.asarray(code)[np.arange(6), place] for name, code in outputs.items()}


# --- Exact values -----------------------------------------------------------------------------


def test_only_the_block_of_the_edge_changes_hands(codes):
    ours, theirs = members(codes, 0), members(codes, 1)
    edge = np.arange(6) % 3
    changed, given = exchange(ATTRIBUTES, ours, theirs, edge)
    for position, name in enumerate(BLOCKS):
        moved = (edge == position)[:, None]
        np.testing.assert_array_equal(changed[name], np.where(moved, theirs[name], ours[name]))
        np.testing.assert_array_equal(given[name], np.where(moved, ours[name], theirs[name]))


def test_the_cover_takes_each_block_from_its_donor_and_nothing_from_the_image(codes):
    covered = cover(ATTRIBUTES, codes, OWN_SHARERS[:, 0])
    for name, place in (("label", 1), ("size", 2), ("ink", 3)):
        np.testing.assert_array_equal(covered[name], codes[name][:, place])
    np.testing.assert_array_equal(covered["style"], np.zeros((6, 2)))


def test_in_a_group_of_one_image_every_recombination_is_self_reconstruction(build, batch):
    groups = np.repeat(batch[0][:, :1], 4, axis=1)
    found = figures(build(unlabelled_dims={}), (groups, batch[1]))
    assert found["swap_loss"] == pytest.approx(found["reconstruction_loss"], rel=1e-5)
    assert found["cover_loss"] == pytest.approx(found["reconstruction_loss"], rel=1e-5)


def test_each_term_compares_what_it_names(build, batch):
    model = build(cover_all=False)
    groups, edge = batch[0], batch[1]["edge"]
    outputs = {name: np.asarray(code) for name, code in model(groups).items()}
    centre, partner = members(outputs, 0), members(outputs, 1 + edge)
    image, partner_image = groups[:, 0], groups[np.arange(6), 1 + edge]
    swapped = exchange(ATTRIBUTES, centre, partner, edge)
    found = figures(model, batch)
    expected = {
        "reconstruction_loss": (error(model, centre, image) + error(model, partner, partner_image))
        / 2,
        "swap_loss": (error(model, swapped[0], image) + error(model, swapped[1], partner_image))
        / 2,
        "cover_loss": error(model, cover(ATTRIBUTES, outputs, OWN_SHARERS[:, 0]), image),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name


def test_colours_come_from_their_block_and_shapes_from_the_others(build, codes):
    model = build(observation_shape=(8, 8, 3), colour_blocks=["ink"])
    own = {name: code[:, 0] for name, code in codes.items()}
    others = np.concatenate([own[name] for name in ("label", "size", "style")], axis=-1)
    maps = np.asarray(model.decoder.get_layer("maps")(others), np.float64)
    colours = np.asarray(model.decoder.get_layer("colours")(own["ink"]), np.float64)
    shares = np.exp(maps) / np.exp(maps).sum(axis=-1, keepdims=True)
    expected = np.tanh(np.einsum("bhwr,brc->bhwc", shares, colours))
    np.testing.assert_allclose(model.decode(own), expected, atol=1e-5)
    assert model.get_config()["colour_blocks"] == ["ink"]


def test_the_cycle_brings_the_block_back(build, batch):
    model = build(cycle_weight=1.0)
    centre, edge = members(model(batch[0]), 0), batch[1]["edge"]
    other = {name: np.roll(code, 1, axis=0) for name, code in centre.items()}
    first, second = exchange(ATTRIBUTES, centre, other, edge)
    back = exchange(
        ATTRIBUTES, model.encode(model.decode(first)), model.encode(model.decode(second)), edge
    )
    image = batch[0][:, 0]
    errors = error(model, back[0], image), error(model, back[1], np.roll(image, 1, axis=0))
    assert figures(model, batch)["cycle_loss"] == pytest.approx(np.mean(errors), rel=1e-4)


def test_blocks_that_are_functions_of_their_factor_have_no_sharing_loss(codes):
    alike = {name: np.repeat(code[:, :1], 4, axis=1) for name, code in codes.items()}
    assert float(sharing_loss(ATTRIBUTES, alike, OWN_SHARERS)) == pytest.approx(0, abs=1e-6)
    styled = {**alike, "style": codes["style"]}
    assert float(sharing_loss(ATTRIBUTES, styled, OWN_SHARERS)) == pytest.approx(0, abs=1e-6)


def test_the_sharing_loss_is_a_ratio_of_squared_distances(codes):
    flat = {name: code.reshape(24, -1) for name, code in codes.items()}
    donors = OWN_SHARERS.reshape(24, 3)
    ratios = [
        np.mean((flat[name] - flat[name][donors[:, place]]) ** 2) / (2 * flat[name].var(0).mean())
        for place, name in enumerate(("label", "size", "ink"))
    ]
    found = float(sharing_loss(ATTRIBUTES, codes, OWN_SHARERS))
    assert found == pytest.approx(np.mean(ratios), rel=1e-4)
    large = {name: 100 * code + 7 for name, code in codes.items()}
    assert float(sharing_loss(ATTRIBUTES, large, OWN_SHARERS)) == pytest.approx(found, rel=1e-4)


def test_blocks_that_tell_nothing_of_their_factor_have_a_sharing_loss_of_one():
    rng = np.random.default_rng(2)
    codes = {b: rng.normal(size=(6, 400, d)).astype(np.float32) for b, d in BLOCKS.items()}
    donors = rng.integers(0, 2400, (6, 400, 3))
    assert float(sharing_loss(ATTRIBUTES, codes, donors)) == pytest.approx(1, abs=0.05)


def test_absolute_errors_count_by_their_weight():
    images, zeros = np.full((2, *SHAPE), 0.5, np.float32), np.zeros((2, *SHAPE), np.float32)
    np.testing.assert_allclose(pixel_errors(images, zeros, 0.0), 0.25, rtol=1e-6)
    np.testing.assert_allclose(pixel_errors(images, zeros, 0.5), 0.5, rtol=1e-6)


def test_the_synthesis_loss_is_the_weighted_sum_of_what_has_an_image(build, batch):
    found = figures(
        build(swap_weight=0.5, cover_weight=2.0, cycle_weight=0.1, cir_weight=1.0), batch
    )
    expected = (
        found["reconstruction_loss"]
        + 0.5 * found["swap_loss"]
        + 2.0 * found["cover_loss"]
        + 0.1 * found["cycle_loss"]
    )
    assert found["synthesis_loss"] == pytest.approx(expected, rel=1e-5)
    assert found["cir_loss"] > 0


def test_the_scale_of_the_codes_is_told(build, batch):
    model = build()
    scales = [np.std(code, axis=0).mean() for code in model.encode(batch[0][:, 0]).values()]
    assert figures(model, batch)["code_scale"] == pytest.approx(np.mean(scales), rel=1e-4)


def test_the_sharing_loss_is_of_the_encoder_alone(build, batch, gradients_of):
    model, (groups, answers) = build(sharing_weight=1.0), batch
    assert figures(model, batch)["sharing_loss"] > 0
    encoder, others = model.encoder.trainable_variables, model.decoder.trainable_variables
    found = gradients_of(
        lambda: sharing_loss(ATTRIBUTES, model(groups), answers["donors"]), [*encoder, *others]
    )
    assert [bool(np.any(gradient)) for gradient in found] == [True] * len(encoder) + [False] * len(
        others
    )


def test_a_term_without_a_weight_is_left_out(build, batch):
    found = figures(build(swap_weight=0.0, cover_weight=0.0), batch)
    assert not found.keys() & {"swap_loss", "cover_loss", "cycle_loss", "cir_loss", "sharing_loss"}
    assert found["synthesis_loss"] == pytest.approx(found["reconstruction_loss"])


def test_all_images_of_a_batch_are_covered_unless_the_centres_alone(build, batch):
    model, groups = build(), batch[0]
    donors = np.random.default_rng(2).integers(0, 24, (6, 4, 3)).astype(np.int32)
    outputs = {name: np.asarray(code) for name, code in model(groups).items()}
    errors = [
        error(model, cover(ATTRIBUTES, outputs, donors[:, place]), groups[:, place])
        for place in range(4)
    ]
    answers = batch[1] | {"donors": donors}
    found = figures(model, (groups, answers))["cover_loss"]
    assert found == pytest.approx(np.mean(errors), rel=1e-4)
    centres = figures(build(cover_all=False), (groups, answers))["cover_loss"]
    assert centres == pytest.approx(errors[0], rel=1e-4)


def test_an_edge_is_swapped_and_covered_by_others_of_the_batch(build, batch):
    groups, answers = batch[0][:, :2], dict(batch[1])
    answers["donors"] = (np.arange(36).reshape(6, 2, 3) % 12).astype(np.int32)
    found = figures(build(), (groups, answers))
    assert found["cover_loss"] > 0
    assert found["swap_loss"] > 0


# --- Labels only choose the groups ------------------------------------------------------------


def test_the_class_reaches_the_mixture_alone(build, batch, gradients_of):
    model, (groups, answers) = build(), batch
    variables = model.trainable_variables

    def gradients(labels):
        model.noise.state.assign(np.zeros(model.noise.state.shape))
        known = answers | {"label": labels.astype(np.int32)}
        return gradients_of(lambda: model.compute_loss(groups, known, model(groups)), variables)

    first, other = gradients(answers["label"]), gradients(answers["label"][::-1])
    mixture = {id(variable) for variable in model.mixture.trainable_variables}
    for variable, one, two in zip(variables, first, other, strict=True):
        assert np.array_equal(one, two) == (id(variable) not in mixture), variable.path


def test_the_class_is_read_from_the_block_of_the_label(build):
    model = build()
    loc = model.mixture.loc.numpy() + 3 * np.eye(4, 3)
    model.mixture.loc.assign(loc)
    scores = np.asarray(model.class_scores({"label": loc.astype(np.float32)}))
    np.testing.assert_array_equal(scores.argmax(axis=1), np.arange(4))


# --- Contract ---------------------------------------------------------------------------------


def test_groups_are_encoded_image_by_image(build, batch):
    model = build()
    outputs = model(batch[0])
    assert list(outputs) == list(BLOCKS)
    for name, code in model.encode(batch[0][:, 2]).items():
        np.testing.assert_allclose(outputs[name][:, 2], code, atol=1e-5)


def test_priors_have_a_component_for_each_value(build, grid):
    codes = {name: np.zeros((72, dim), np.float32) for name, dim in BLOCKS.items()}
    for name in ("label", "size"):
        codes[name] += grid[name][:, None]
    priors = build().fitted_priors(codes, grid)
    np.testing.assert_array_equal(priors["label"]["weights"], np.ones((4, 1)))
    np.testing.assert_array_equal(priors["label"]["loc"][:, 0, 0], [0, 1, 2, 3])
    np.testing.assert_allclose(priors["size"]["weights"], np.full((1, 3), 1 / 3), rtol=1e-6)
    np.testing.assert_array_equal(priors["size"]["loc"][0, :, 0], [0, 1, 2])
    assert priors["style"]["loc"].shape == (1, 1, 2)


def test_labels_alone_are_enough_for_a_model_of_the_label(images):
    model = GZSNet((2, 2, 1), 3, block_dims=2, unlabelled_dims={"style": 2}, hidden_dim=4)
    labels = np.arange(12) % 3
    batches = model.sampler(images(12), labels)
    groups, _ = batches(images(12), labels, batch_size=4, value_range=(-1.0, 1.0))[0]
    assert groups.shape == (4, 2, 2, 2, 1)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_images_of_every_size_are_decoded_in_their_shape(build, side):
    images = np.zeros((2, side, side, 3), np.float32)
    model = build((side, side, 3))
    assert model.decode(model.encode(images)).shape == images.shape


# --- Training ---------------------------------------------------------------------------------


def test_without_lone_sharers_training_falls_back_to_edges_and_says_so(images, caplog, tmp_path):
    cells = np.array([(0, 0, 0), (0, 0, 1), (1, 1, 2), (1, 2, 2)] * 4).T
    factors = dict(zip(("label", "size", "ink"), cells, strict=True))
    sizes = {"label": 2, "size": 3, "ink": 3}
    model = GZSNet((2, 2, 1), 2, factor_sizes=sizes, block_dims=2, hidden_dim=4)
    train = images(16), factors
    with caplog.at_level(logging.WARNING):
        history = fit(model, train, train, Schedule(epochs=1, batch_size=8), tmp_path)
    assert "samples edges instead of groups" in caplog.text
    assert history[0]["cover_loss"] > 0
    assert history[0]["swap_loss"] > 0


def test_factors_that_are_never_shared_alone_are_named(build, images, caplog):
    cells = np.array([(0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 2, 1), (1, 1, 1), (0, 0, 2), (1, 2, 0)])
    nested = dict(zip(("label", "size", "ink"), cells.T, strict=True))
    with caplog.at_level(logging.WARNING):
        batches = build().sampler(images(7), nested)
    assert "No two training examples share only size" in caplog.text
    assert batches(images(7), nested, batch_size=7, value_range=(0, 1))[0][0].shape[1] == 4


def halves(factors):
    """The left half as bright as the label says, the right half as the ink does."""
    levels = np.stack([factors["label"], factors["ink"]], axis=1) * 85
    rows = levels.repeat(4, axis=1)[:, None, :, None]
    return np.broadcast_to(rows, (len(rows), 8, 8, 1)).astype(np.uint8)


@pytest.mark.slow
def test_combinations_that_training_never_showed_are_made_of_their_factors(tmp_path):
    cells = np.stack(np.unravel_index(np.arange(16), (4, 4)))
    is_seen = cells[0] != cells[1]
    seen, unseen = (
        dict(zip(("label", "ink"), some.repeat(40, axis=1), strict=True))
        for some in (cells[:, is_seen], cells[:, ~is_seen])
    )
    keras.utils.set_random_seed(0)
    sizes = {"label": 4, "ink": 4}
    model = GZSNet(SHAPE, 4, factor_sizes=sizes, block_dims=2, hidden_dim=32)
    train = halves(seen), seen
    fit(model, train, train, Schedule(epochs=12, batch_size=32, learning_rate=3e-3), tmp_path)
    settings = {"batch_size": 160, "value_range": model.value_range}
    groups, answers = model.sampler(*train)(halves(unseen), unseen, **settings)[0]
    made = np.asarray(model.decode(cover(list(sizes), model(groups), answers["donors"][:, 0])))
    assert np.mean((made - groups[:, 0]) ** 2) < 0.1 * np.var(groups[:, 0])
