"""Draws inside a graph have the distributions of the priors that NumPy samples."""

import keras
import numpy as np
import pytest

from latentloom.augment import Anchors, Block, BlockPrior, LatentSpec, plan_variants
from latentloom.pipeline.codec.prior_draws import PriorDraws

COUNT, CLASSES = 20_000, 3
KEYS = np.arange(COUNT, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
LABELS = np.arange(COUNT, dtype=np.int32) % CLASSES
RNG = np.random.default_rng(0)


def mixture(classes, components, dim=2, axes=None):
    """A prior of components far apart, of which the last has no weight."""
    weights = RNG.dirichlet(np.ones(components), classes)
    if components > 1:
        weights[:, -1] = 0
        weights /= weights.sum(axis=1, keepdims=True)
    loc = RNG.normal(scale=4.0, size=(classes, components, dim))
    return BlockPrior(weights, loc, RNG.uniform(0.3, 1, loc.shape), axes)


TURN = np.array([[0.6, 0.8], [-0.8, 0.6]])
PRIORS = {
    "normal": BlockPrior.standard_normal(2),
    "mixture": mixture(1, 4),
    "of classes": mixture(CLASSES, 1),
    "mixtures of classes": mixture(CLASSES, 3),
    "axes": mixture(CLASSES, 2, axes=TURN),
}


def drawn(block, recipe, kept, options):
    """Draws of one block by a recipe, and a plan with its options."""
    other = Block("zs", 1, () if block.factors else ("label",), BlockPrior.standard_normal(1))
    anchor = Anchors(["a"], {"label": np.zeros(1, np.int64)}, np.ones(1, np.int64))
    plan = plan_variants(recipe, anchor, LatentSpec((other, block)), seed=0, options=options)
    draw = PriorDraws(block, plan, CLASSES)
    seed = keras.random.SeedGenerator(1)
    found = draw(keras.ops.convert_to_tensor(kept), keras.ops.convert_to_tensor(LABELS), seed)
    return keras.ops.convert_to_numpy(found)


def assert_alike(found, expected):
    """Means, covariances and the spread of quantiles of each class agree."""
    for label in range(CLASSES):
        one, two = found[label == LABELS], expected[label == LABELS]
        scale = two.std(axis=0)
        np.testing.assert_allclose(one.mean(axis=0), two.mean(axis=0), atol=0.06 * scale.max())
        np.testing.assert_allclose(np.cov(one.T), np.cov(two.T), atol=0.08 * scale.max() ** 2)
        shares = np.linspace(0.05, 0.95, 10)
        lower, upper = (np.quantile(two, shares + by, axis=0) for by in (-0.04, 0.04))
        inner = np.quantile(one, shares, axis=0)
        assert ((lower <= inner) & (inner <= upper)).all()


@pytest.mark.parametrize("name", PRIORS)
@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"step": 0.4}])
def test_draws_have_the_distribution_of_the_prior(name, options):
    prior, kept = PRIORS[name], RNG.normal(size=(COUNT, 2)).astype(np.float32)
    found = drawn(Block("zu", 2, (), prior), "class_preserving", kept, options)
    temperature, step = options.get("temperature", 1.0), options.get("step")
    if step is None:
        expected = prior.sample(KEYS, LABELS, temperature)
    else:
        expected = prior.step(kept, np.full(COUNT, step, np.float32), KEYS, LABELS)
    assert_alike(found, expected)


def test_draws_of_the_class_stand_for_the_class():
    prior = BlockPrior(
        np.full((1, 4), 0.25),
        np.arange(8).reshape(1, 4, 2),
        np.zeros((1, 4, 2)),
        values=np.array([0, 1, 2, 1]),
    )
    block = Block("zu", 2, ("label",), prior)
    found = drawn(block, "sample_class", np.zeros((COUNT, 2), np.float32), {})
    components = found[:, 0].astype(int) // 2
    np.testing.assert_array_equal(np.array([0, 1, 2, 1])[components], LABELS)
    assert set(components) == {0, 1, 2, 3}
