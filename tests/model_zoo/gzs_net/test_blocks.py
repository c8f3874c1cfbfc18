import pytest

from latentloom.model_zoo.gzs_net.blocks import block_spec, columns_of

SIZES = {"label": 7, "ink": 3, "font": 2}


def test_every_factor_has_a_block_and_unlabelled_ones_follow():
    assert block_spec(SIZES, 5, {"style": 2}) == {
        "label": {"dim": 5, "factors": ["label"]},
        "ink": {"dim": 5, "factors": ["ink"]},
        "font": {"dim": 5, "factors": ["font"]},
        "style": {"dim": 2, "factors": []},
    }


def test_a_mapping_gives_sizes_and_leaves_factors_out():
    spec = block_spec(SIZES, {"font": 2, "label": 9}, {})
    assert [(name, block["dim"]) for name, block in spec.items()] == [("label", 9), ("font", 2)]


def test_more_blocks_than_factors_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match="'fount' has no factor.*Did you mean 'font'.*unlabelled"):
        block_spec(SIZES, {"label": 2, "fount": 2}, {})


@pytest.mark.parametrize(
    ("dims", "unlabelled", "message"),
    [
        ({"ink": 2}, {}, "The label has no block.*Add 'label'"),
        (3, {"ink": 2}, "'ink' is named after a factor.*Rename it"),
        ({"label": 0}, {}, "'label' is out of range.*Raise it"),
        (3, {"style": 0}, "'style' is out of range.*Raise it"),
    ],
)
def test_bad_blocks_are_refused_with_the_fix(dims, unlabelled, message):
    with pytest.raises(ValueError, match=message):
        block_spec(SIZES, dims, unlabelled)


def test_the_columns_of_blocks_are_those_of_the_code():
    spec = block_spec(SIZES, {"label": 2, "ink": 3, "font": 1}, {"style": 2})
    assert columns_of(spec, ["style", "ink"]) == [2, 3, 4, 6, 7]
    assert columns_of(spec, []) == []


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (["inks"], "block 'inks' is unknown.*Did you mean 'ink'"),
        (["label", "ink", "font"], "No block is left for shapes.*which are all"),
    ],
)
def test_colours_come_from_some_blocks(blocks, message):
    with pytest.raises(ValueError, match=message):
        columns_of(block_spec(SIZES, 2, {}), blocks)
