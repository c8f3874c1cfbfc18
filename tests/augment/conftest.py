"""Fixtures and Hypothesis settings of the augment tests."""

import numpy as np
import pytest
from hypothesis import settings

from latentloom.augment import Anchors, Block, BlockPrior, Coverage, DonorBank, LatentSpec

settings.register_profile("augment", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("augment")


@pytest.fixture(scope="session")
def options():
    """By recipe what it must be told."""
    by_factor = {recipe: {"factor": "font"} for recipe in ("swap_factor", "interpolate_factor")}
    return by_factor | {"traverse": {"block": "zu"}}


@pytest.fixture(scope="session")
def spec():
    """Two classes; `zs` carries the class and has a prior per class, `zu` and `zt` are free."""
    loc = np.array([[[-10.0] * 3], [[10.0] * 3]])
    per_class = BlockPrior(np.ones((2, 1)), loc, np.ones_like(loc))
    return LatentSpec(
        (
            Block("zs", 3, ("label",), per_class),
            Block("zu", 4, (), BlockPrior.standard_normal(4)),
            Block("zt", 2, ("font",), BlockPrior.standard_normal(2)),
        )
    )


@pytest.fixture(scope="session")
def make_latents(spec):
    """Returns a function that draws latents with `num_rows` rows."""

    def make(num_rows, seed=0):
        rng = np.random.default_rng(seed)
        return {b.name: rng.normal(size=(num_rows, b.dim)).astype(np.float32) for b in spec}

    return make


@pytest.fixture(scope="session")
def anchors():
    """Twelve anchors of two classes and three fonts, with 0 to 3 variants each."""
    rows = np.arange(12)
    ids = [f"toy/train/{row:08d}" for row in rows]
    return Anchors(ids, {"label": rows % 2, "font": rows % 3}, rows % 4)


@pytest.fixture(scope="session")
def bank(anchors, make_latents):
    """A bank that holds half of each class of the anchors."""
    return DonorBank.build(anchors.ids, anchors.factors, make_latents(12), seed=5, capacity=3)


COLOURS = ("red", "green", "blue")
NAMES = {"label": ("a", "b", "c"), "ink": COLOURS, "back": COLOURS}


@pytest.fixture(scope="session")
def letters():
    """Ids and factors of 60 letters, no ink on a background of its colour, some cells empty."""
    rng = np.random.default_rng(0)
    label, ink, shift = (rng.integers(0, high, 60) for high in (3, 3, 2))
    back = (ink + 1 + shift) % 3
    back = np.where((label == 2) & (back == 0), (ink + 2 - shift) % 3, back)
    return [f"letters/{row}" for row in range(60)], {"label": label, "ink": ink, "back": back}


@pytest.fixture(scope="session")
def letter_spec():
    """One block a factor, and one without."""
    carried = (("label", 2), ("ink", 1), ("back", 3))
    blocks = [Block(name, dim, (name,), BlockPrior.standard_normal(dim)) for name, dim in carried]
    return LatentSpec((*blocks, Block("style", 2, (), BlockPrior.standard_normal(2))))


@pytest.fixture(scope="session")
def letter_latents(letters):
    """Codes that say which value each block carries, and `style` which example it is of."""
    factors = letters[1]
    sizes = {"label": 2, "ink": 1, "back": 3}
    codes = {
        name: np.repeat(factors[name][:, None], dim, axis=1).astype(np.float32)
        for name, dim in sizes.items()
    }
    return codes | {"style": np.repeat(np.arange(60.0)[:, None], 2, axis=1).astype(np.float32)}


@pytest.fixture(scope="session")
def letter_bank(letters, letter_latents):
    """At most eight letters of each value."""
    return DonorBank.build(*letters, letter_latents, seed=0, capacity=8)


@pytest.fixture(scope="session")
def letter_grid(letters):
    """The examples of each cell of all three factors."""
    return Coverage(NAMES).count(letters[1])
