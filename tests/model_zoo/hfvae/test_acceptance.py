"""What independence is there for: dimensions that depend less on each other, at little cost.

Images of all 2,160 combinations of three shapes, five scales and 12 x 12 positions; a VAE and the
HFVAE with the same networks, trained on all of them, without a corner of the grid (large hearts),
and without half of a range (squares on the right). Errors are cross-entropies in nats, their floor
included, as in the measurements that the bounds come from.
"""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import xlogy

from latentloom.model_zoo.hfvae import HFVAE
from latentloom.model_zoo.metrics.aggregate_posterior import aggregate_information
from latentloom.model_zoo.metrics.copies import nearest_examples
from latentloom.model_zoo.scaling import PIXELS
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.codec.densities import density_columns, read_posteriors
from latentloom.pipeline.importing.builtin.sprites import render_sprites

pytestmark = pytest.mark.slow

WEIGHTS = {"vae": {"between_weight": 1.0, "within_weight": 1.0}, "hfvae": {}}
BATCH_SIZE, STEPS = 128, 2080


@pytest.fixture(scope="module")
def sprites():
    """Images `(2160, 32, 32, 1)` uint8, and which are of the corner and of the half range."""
    places = np.round(np.linspace(0, 31, 12)).astype(int)
    grid = np.meshgrid(np.arange(3), np.arange(1, 6), places, places, indexing="ij")
    shape, scale, x, y = (values.ravel() for values in grid)
    images = render_sprites((shape, scale, np.zeros_like(shape), x, y), 32)
    return images, {"corner": (shape == 2) & (scale >= 4), "half": (shape == 0) & (x > 15)}


@pytest.fixture(scope="module")
def train(sprites, tmp_path_factory):
    """A function that trains a model, each once, on the images without a part of the grid."""
    images, parts = sprites
    models = {}

    def trained(kind, without=None):
        if (kind, without) not in models:
            some = images if without is None else images[~parts[without]]
            keras.utils.set_random_seed(0)
            model = HFVAE(
                (32, 32, 1),
                1,
                blocks={"shape": {"values": 3}, "z": {"dim": 5}},
                network="dense",
                hidden_dim=[256, 128],
                num_examples=len(some),
                **WEIGHTS[kind],
            )
            labelled = (some, np.zeros(len(some), int))
            few = tuple(part[:300] for part in labelled)
            schedule = Schedule(round(STEPS / (len(some) // BATCH_SIZE)), BATCH_SIZE)
            fit(model, labelled, few, schedule, tmp_path_factory.mktemp("run"))
            models[kind, without] = model
        return models[kind, without]

    return trained


def observed(images):
    return PIXELS.to_model(images.astype(np.float32), HFVAE.value_range)


def cross_entropy(decoded, images):
    """Mean cross-entropy of pixels in `[0, 1]`, summed over an image, in nats."""
    decoded, pixels = np.clip(decoded, 1 / 512, 1 - 1 / 512), images / 255.0
    total = xlogy(pixels, decoded) + xlogy(1 - pixels, 1 - decoded)
    return -float(total.sum(axis=(1, 2, 3)).mean())


def error(model, images):
    latents = model.encode(observed(images))
    return cross_entropy((np.asarray(model.decode(latents)) + 1) / 2, images)


def style_information(model, images):
    """Information of image and style under the exact aggregate posterior."""
    columns = density_columns(model.posterior(observed(images)), ops.array([0, 0], "int32"))
    blocks = read_posteriors({name: np.asarray(column) for name, column in columns.items()})
    return aggregate_information({"z": blocks["z"]})


def test_dimensions_of_style_are_less_dependent_at_little_cost(sprites, train):
    images, _ = sprites
    models = {kind: train(kind) for kind in WEIGHTS}
    found = {kind: style_information(model, images) for kind, model in models.items()}
    correlation = {kind: each.blocks["z"].total_correlation for kind, each in found.items()}
    assert correlation["hfvae"] <= 0.6 * correlation["vae"]
    assert error(models["hfvae"], images) <= 1.3 * error(models["vae"], images)
    assert found["hfvae"].mutual_information >= 0.8 * found["hfvae"].ceiling


@pytest.mark.parametrize(("part", "gap", "share"), [("corner", 1.45, 0.6), ("half", 2.5, 0.8)])
def test_unseen_combinations_are_decoded_better_than_looked_up(sprites, train, part, gap, share):
    images, parts = sprites
    unseen, seen = images[parts[part]], images[~parts[part]]
    pruned = error(train("hfvae", part), unseen)
    _, places = nearest_examples(unseen, seen)
    assert pruned <= gap * error(train("hfvae"), unseen)
    assert pruned <= share * cross_entropy(seen[places[:, 0]] / 255.0, unseen)
