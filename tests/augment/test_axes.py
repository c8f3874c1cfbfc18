import numpy as np
import pytest

from latentloom.augment import Block, BlockPrior, LatentSpec
from latentloom.augment.axes import traversed_axes, traversed_block


def block(name, factors=(), scale=(1.0, 1.0, 1.0)):
    spread = np.array(scale)[None, None]
    return Block(name, 3, factors, BlockPrior(np.ones((1, 1)), np.zeros_like(spread), spread))


@pytest.mark.parametrize(
    ("blocks", "found"),
    [
        ((block("zs", ("label",)), block("zu")), "zu"),
        ((block("zs", ("label",)),), "zs"),
        ((block("ink", ("ink",)), block("zs", ("label",))), "ink"),
    ],
)
def test_the_only_block_that_may_be_meant_is_moved(blocks, found):
    assert traversed_block(LatentSpec(blocks)).name == found


def test_a_named_block_is_moved_whatever_it_carries():
    spec = LatentSpec((block("zs", ("label",)), block("zu")))
    assert traversed_block(spec, "zs").name == "zs"


@pytest.mark.parametrize("factors", [(), ("label",)])
def test_two_blocks_that_may_be_meant_are_both_named(factors):
    spec = LatentSpec((block("a", factors), block("b", factors)))
    with pytest.raises(ValueError, match=r"any of \['a', 'b'\]. Set the option `block`"):
        traversed_block(spec)


def test_an_unknown_block_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'style'"):
        traversed_block(LatentSpec((block("style"),)), "stile")


def test_axes_are_those_of_the_text_in_its_order():
    assert traversed_axes(block("zu")).tolist() == [0, 1, 2]
    assert traversed_axes(block("zu"), "2").tolist() == [2]
    assert traversed_axes(block("zu"), "2, 0").tolist() == [2, 0]
    assert traversed_axes(block("zu"), "2,0").dtype == np.int64


@pytest.mark.parametrize("axes", ["3", "0,3", "99999999999999999999"])
def test_an_axis_past_the_block_is_refused_with_its_size(axes):
    with pytest.raises(ValueError, match="'zu' has no axis .*its size is 3.*Name others"):
        traversed_axes(block("zu"), axes)


def test_an_axis_without_spread_is_refused_and_the_others_are_named():
    still = block("zu", scale=(1.0, 0.0, 1.0))
    for axes in ("all", "1", "2,1"):
        with pytest.raises(ValueError, match="The prior of block 'zu' is constant along axis 1"):
            traversed_axes(still, axes)
    with pytest.raises(ValueError, match="Set the option `axes` to 0,2"):
        traversed_axes(still)
    assert traversed_axes(still, "0,2").tolist() == [0, 2]
    with pytest.raises(ValueError, match="Move another block"):
        traversed_axes(block("zu", scale=(0.0, 0.0, 0.0)))


def test_axes_are_the_directions_of_the_prior_if_it_has_some():
    prior = BlockPrior.standard_normal(3)
    prior = BlockPrior(prior.weights, prior.loc, prior.scale, directions=np.eye(3)[:2])
    hat = Block("hat", 3, ("hat",), prior)
    assert traversed_axes(hat).tolist() == [0, 1]
    with pytest.raises(ValueError, match="'hat' has no axis 2.*axes from 0 to 1"):
        traversed_axes(hat, "2")
