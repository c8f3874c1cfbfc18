import json

import numpy as np
import pytest

from latentloom.augment import Block, BlockPrior, LatentSpec


def test_the_spec_keeps_the_order_of_its_blocks(spec):
    assert spec.names == ("zs", "zu", "zt")
    assert [block.name for block in spec] == ["zs", "zu", "zt"]
    assert len(spec) == 3


def test_a_block_is_found_by_name(spec):
    assert spec["zu"].dim == 4
    assert "zu" in spec
    assert "zv" not in spec


def test_blocks_are_parted_by_whether_they_carry_a_factor(spec):
    assert spec.carriers("label") == ("zs",)
    assert spec.free_of("label") == ("zu", "zt")
    assert spec.carriers("size") == ()


def test_a_misspelt_block_names_its_neighbour():
    spec = LatentSpec((Block("content", 2, (), BlockPrior.standard_normal(2)),))
    with pytest.raises(ValueError, match="Did you mean 'content'"):
        spec["contnt"]


def test_a_spec_survives_a_round_trip_through_json(spec):
    priors = {block.name: block.prior for block in reversed(spec.blocks)}
    assert LatentSpec.from_dict(json.loads(json.dumps(spec.to_dict())), priors) == spec


def test_the_json_form_is_name_dim_and_factors(spec):
    assert spec.to_dict()["zs"] == {"dim": 3, "factors": ["label"]}


@pytest.mark.parametrize("names", [["zs"], ["zs", "zu", "zt", "zv"]])
def test_priors_must_match_the_blocks(spec, names):
    priors = dict.fromkeys(names, BlockPrior.standard_normal(3))
    with pytest.raises(ValueError, match="Export the priors again"):
        LatentSpec.from_dict(spec.to_dict(), priors)


def test_a_block_and_its_prior_have_one_size():
    with pytest.raises(ValueError, match="Export the prior of this block"):
        Block("zs", 3, (), BlockPrior.standard_normal(2))


def test_one_string_is_not_a_list_of_factors():
    with pytest.raises(TypeError, match="Put the name in a list"):
        Block("zs", 1, "label", BlockPrior.standard_normal(1))  # pyright: ignore


@pytest.mark.parametrize("names", [[], ["zs", "zs"]])
def test_a_spec_has_distinct_blocks(names):
    blocks = tuple(Block(name, 1, (), BlockPrior.standard_normal(1)) for name in names)
    with pytest.raises(ValueError, match="Rename or add a block"):
        LatentSpec(blocks)


@pytest.mark.parametrize("num_rows", [0, 1, 5])
def test_check_returns_the_number_of_rows(spec, make_latents, num_rows):
    assert spec.check(make_latents(num_rows)) == num_rows


def test_blocks_in_another_order_are_refused(spec, make_latents):
    shuffled = dict(reversed(make_latents(2).items()))
    with pytest.raises(ValueError, match="Pass every block under its name"):
        spec.check(shuffled)


@pytest.mark.parametrize("shape", [(2, 3), (1, 4), (2, 4, 1), (2,)])
def test_a_block_of_another_shape_is_refused(spec, make_latents, shape):
    latents = make_latents(2) | {"zu": np.zeros(shape, np.float32)}
    with pytest.raises(ValueError, match="'zu'.*Pass one row per example"):
        spec.check(latents)


def test_integers_are_not_latents(spec, make_latents):
    with pytest.raises(TypeError, match="Convert them to float32"):
        spec.check(make_latents(2) | {"zu": np.zeros((2, 4), int)})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_latents_that_are_not_finite_are_refused(spec, make_latents, value):
    latents = make_latents(3)
    latents["zt"][1, 0] = value
    with pytest.raises(ValueError, match="first bad row=1.*Leave this example out"):
        spec.check(latents)
