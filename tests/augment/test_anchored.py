"""A block that holds the observation itself stays with its anchor in every recipe."""

import numpy as np
import pytest

from latentloom.augment import (
    Anchors,
    Block,
    BlockPrior,
    DonorBank,
    LatentSpec,
    blocks_read,
    known_factors,
    plan_variants,
    recombine,
)

FACTORS = ["label", "hat", "bar", "ink"]


@pytest.fixture
def spec():
    normal, images = BlockPrior.standard_normal(2), np.arange(24.0).reshape(2, 4, 3)
    source = BlockPrior(np.full((2, 4), 0.25), images, np.zeros_like(images))
    return LatentSpec(
        (
            Block("hat", 2, ("hat",), normal),
            Block("bar", 2, ("bar",), normal),
            Block("source", 3, ("label", "ink"), source, anchored=True),
        )
    )


def test_the_form_of_the_spec_says_which_blocks_are_anchored(spec):
    blocks = spec.to_dict()
    assert blocks["source"] == {"dim": 3, "factors": ["label", "ink"], "anchored": True}
    assert "anchored" not in blocks["hat"]
    priors = {block.name: block.prior for block in spec}
    assert LatentSpec.from_dict(blocks, priors) == spec


@pytest.mark.parametrize(
    ("recipe", "options", "grid", "donors", "known"),
    [
        ("swap_factor", {"factor": "hat"}, (), ("hat",), FACTORS),
        ("interpolate_factor", {"factor": "bar"}, (), ("bar",), FACTORS),
        ("interpolate_factor", {"factor": "bar", "same_value": 0}, (), ("bar",), ["label", "hat"]),
        ("recombine_factors", {}, ("label", "hat", "bar"), ("hat", "bar"), FACTORS),
        ("swap_zu", {}, (), ("hat", "bar"), FACTORS),
        ("interpolate_zu", {}, (), ("hat", "bar"), ["label", "ink"]),
        ("class_preserving", {}, (), (), ["label", "ink"]),
        ("traverse", {"block": "hat"}, (), (), ["label", "bar", "ink"]),
    ],
)
def test_donors_give_attributes_and_never_the_observation(
    spec, recipe, options, grid, donors, known
):
    read = blocks_read(recipe, spec, FACTORS, options, grid)
    assert read.donors == donors
    assert "source" in read.anchors
    found = known_factors(recipe, spec, FACTORS, options, grid)
    assert set(known) <= set(found) <= set(FACTORS)


@pytest.mark.parametrize(
    ("recipe", "options", "grid"),
    [
        ("interpolate_class", {}, ()),
        ("interpolate_factor", {"factor": "ink"}, ()),
        ("traverse", {"block": "source"}, ()),
        ("recombine_factors", {}, ("hat", "ink")),
    ],
)
def test_recipes_that_would_change_the_observation_are_refused(spec, recipe, options, grid):
    with pytest.raises(ValueError, match=r"block 'source', which stays.*\['hat', 'bar'\].*Choose"):
        blocks_read(recipe, spec, FACTORS, options, grid)


def test_attributes_of_several_donors_make_one_variant(spec):
    rng = np.random.default_rng(0)
    codes = {b.name: rng.normal(size=(8, b.dim)).astype(np.float32) for b in spec}
    factors = {"label": np.arange(8) % 2, "hat": np.arange(8) // 2 % 2, "bar": np.arange(8) // 4}
    ids = [str(row) for row in range(8)]
    given = {name: codes[name] for name in ("hat", "bar")}
    bank = DonorBank.build(ids, factors, given, seed=0, capacity=4)
    anchors = Anchors(ids[:1], {n: v[:1] for n, v in factors.items()}, np.ones(1, np.int64))
    plan = plan_variants("swap_zu", anchors, spec, seed=0, donors=bank)
    made = recombine({name: code[:1] for name, code in codes.items()}, bank.latents, plan)
    np.testing.assert_array_equal(made["source"], codes["source"][:1])


def test_a_draw_of_the_class_is_an_observation_of_it(spec):
    anchors = Anchors(["a", "b"], {"label": np.array([0, 1])}, np.array([5, 5]))
    made = recombine({}, None, plan_variants("sample_class", anchors, spec, seed=0))
    for label in (0, 1):
        some = made["source"][5 * label : 5 * label + 5]
        assert all((spec["source"].prior.loc[label] == row).all(axis=1).any() for row in some)
