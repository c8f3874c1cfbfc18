"""What the term of kernel PCA, the fitted density and relative noise are there for, on scenes.

A scene is a small image of known continuous factors: a disc before a wall and a floor. These differ
in how much of the variance they make, or no axis of the code would be better than another.
"""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

from latentloom.augment import BlockPrior
from latentloom.model_zoo.metrics.disentanglement.dci import dci
from latentloom.model_zoo.networks.class_density import fit_density
from latentloom.model_zoo.st_rkm import StRKM
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule

pytestmark = pytest.mark.slow

SIDE = 16
FACTORS = ("wall", "floor", "grey", "radius", "x")
BINS = 20
DIM = 6
SCHEDULE = Schedule(epochs=300, batch_size=125)


def draw_scenes(count, seed=0):
    """Images `(count, 16, 16, 1)` uint8 and factors in `[0, 1]`, by name `(count,)`."""
    generator = np.random.default_rng(seed)
    factors = {name: generator.uniform(size=count) for name in FACTORS}
    column = {name: values[:, None, None] for name, values in factors.items()}
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    images = np.where(rows < 11, 0.05 + 0.9 * column["wall"], 0.15 + 0.7 * column["floor"])
    distance = np.hypot(rows - 8, columns - (4 + 8 * column["x"]))
    radius = 2 + 2.5 * column["radius"]
    inside = np.clip(radius - distance + 0.5, 0, 1)  # soft by a pixel
    images = (1 - inside) * images + inside * (0.25 + 0.5 * column["grey"])
    return np.round(255 * images[..., None]).astype(np.uint8), factors


def binned(factors):
    """Factors as integers."""
    return {
        name: np.minimum(values * BINS, BINS - 1).astype(int) for name, values in factors.items()
    }


@pytest.fixture(scope="module")
def scenes():
    return draw_scenes(4000)


@pytest.fixture(scope="module")
def trained(scenes, tmp_path_factory):
    """A function that trains a model of some arguments, each once."""
    models = {}

    def train(seed=0, **args):
        key = (seed, *sorted(args.items()))
        if key not in models:
            keras.utils.set_random_seed(seed)
            sizes = {"dim": DIM, "feature_dim": 50, "hidden_dim": 128, "network": "dense"}
            model = StRKM((16, 16, 1), 1, seed=seed, **sizes, **args)
            labelled = (scenes[0], np.zeros(len(scenes[0]), int))
            few = tuple(part[:500] for part in labelled)
            fit(model, labelled, few, SCHEDULE, tmp_path_factory.mktemp("run"))
            models[key] = model
        return models[key]

    return train


def observed(images):
    return images.astype(np.float32) / 127.5 - 1.0


def codes_of(model, images):
    return np.asarray(model.encode(observed(images))["h"], np.float64)


def error(images, decoded):
    """Mean squared error of pixels in `[0, 1]`."""
    return float(np.square(images / 255.0 - decoded).mean())


def off_subspace_share(model, images):
    features = np.asarray(model.encoder(observed(images)), np.float64)
    features -= features.mean(axis=0)
    lifted = features @ np.asarray(model.subspace.basis) @ np.asarray(model.subspace.basis).T
    return np.square(features - lifted).sum() / np.square(features).sum()


def sliced_distance(images, others):
    """Root mean squared Wasserstein distance of 300 projections of pixels in `[0, 1]`."""
    directions = np.random.default_rng(0).normal(size=(images[0].size, 300))
    directions /= np.linalg.norm(directions, axis=0)
    sides = [np.sort(each.reshape(len(each), -1) @ directions, axis=0) for each in (images, others)]
    return float(np.sqrt(np.square(sides[0] - sides[1]).mean()))


def test_the_pca_term_keeps_features_in_the_subspace(scenes, trained):
    images = scenes[0]
    assert off_subspace_share(trained(loss="deterministic"), images) < 1e-3
    assert off_subspace_share(trained(loss="deterministic", pca_weight=0.0), images) > 5e-2


def test_images_are_decoded_about_as_well_as_by_pca(scenes, trained):
    images = scenes[0]
    flat = images.reshape(len(images), -1) / 255.0
    pca = PCA(DIM).fit(flat)
    linear = np.square(flat - pca.inverse_transform(pca.transform(flat))).mean()
    model = trained(loss="deterministic")
    decoded = (np.asarray(model.decode(model.encode(observed(images)))) + 1) / 2
    assert error(images, decoded) < 1.5 * linear


def test_draws_look_the_more_like_images_the_more_components_their_density_has(scenes, trained):
    images, model = scenes[0][:2000] / 255.0, trained()
    others = draw_scenes(2000, seed=1)[0] / 255.0
    codes = codes_of(model, scenes[0])
    keys = np.arange(2000, dtype=np.uint64)

    def distance(components):
        found = fit_density(codes, np.zeros(len(codes), int), 1, components)
        latents = {"h": BlockPrior(**found).sample(keys)}
        return sliced_distance(images, (np.asarray(model.decode(latents)) + 1) / 2)

    one, ten = distance(1), distance(10)
    assert ten < one < 6 * sliced_distance(images, others)


def test_relative_noise_disentangles(scenes, trained):
    images, factors = scenes[0], binned(scenes[1])
    found = {
        form: np.mean(
            [
                dci(codes_of(trained(seed, loss=form), images), factors).disentanglement
                for seed in (0, 1, 2)
            ]
        )
        for form in ("split", "deterministic")
    }
    assert found["split"] > found["deterministic"] + 0.05
