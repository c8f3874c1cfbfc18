"""Fixtures and Hypothesis settings of the augment tests."""

import numpy as np
import pytest
from hypothesis import settings

from augment import Anchors, Block, BlockPrior, DonorBank, LatentSpec

settings.register_profile("augment", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("augment")


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
