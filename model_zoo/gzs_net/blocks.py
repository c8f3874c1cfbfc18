"""The named blocks of a code: one for each factor, and those that no label describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from latentloom.model_zoo.spelling import nearest_name


def block_spec(
    factor_sizes: Mapping[str, int],
    block_dims: int | Mapping[str, int],
    unlabelled_dims: Mapping[str, int],
) -> dict[str, dict]:
    """Lays out the blocks: factors in the order of the data set, then the unlabelled ones.

    Args:
        factor_sizes: Number of values of every factor, "label" among them.
        block_dims: Size of every factor's block, or of those that get one, by factor.
        unlabelled_dims: Sizes of blocks for what has no label, by name.

    Returns:
        The blocks as `latent_spec` has them.

    Raises:
        ValueError: A block has no factor or no size, the label no block, or two have one name.
    """
    if not isinstance(block_dims, Mapping):
        block_dims = dict.fromkeys(factor_sizes, block_dims)
    for name in block_dims:
        if name not in factor_sizes:
            nearest = nearest_name(name, factor_sizes)
            raise ValueError(
                f"Block '{name}' has no factor. Expected: one of {', '.join(factor_sizes)}. "
                f"Received: model.args.block_dims with '{name}'. Did you mean "
                f"'{nearest}'? Else put it under `model.args.unlabelled_dims`."
            )
    if "label" not in block_dims:
        raise ValueError(
            "The label has no block. Expected: one for it. Received: model.args.block_dims for "
            f"{', '.join(block_dims) or 'nothing'}. Add 'label' to it."
        )
    for name in unlabelled_dims:
        if name in factor_sizes:
            raise ValueError(
                f"Block '{name}' is named after a factor. Expected: another name for what has no "
                f"label. Received: model.args.unlabelled_dims with '{name}'. Rename it."
            )
    labelled = {name: int(block_dims[name]) for name in factor_sizes if name in block_dims}
    dims = labelled | {name: int(dim) for name, dim in unlabelled_dims.items()}
    for name, dim in dims.items():
        if dim < 1:
            raise ValueError(
                f"Block '{name}' has no size. Expected: at least 1. Received: {dim}. Raise it "
                "under `model.args`."
            )
    return {
        name: {"dim": dim, "factors": [name] if name in labelled else []}
        for name, dim in dims.items()
    }


def columns_of(latent_spec: Mapping[str, Mapping[str, Any]], blocks: Sequence[str]) -> list[int]:
    """Positions of some blocks in the code that holds all of them side by side.

    Raises:
        ValueError: A block is unknown, or they are all there are.
    """
    for name in blocks:
        if name not in latent_spec:
            raise ValueError(
                f"There is no block '{name}' to decode colours from. Expected: some of "
                f"{', '.join(latent_spec)}. Received: model.args.colour_blocks={list(blocks)}. Did "
                f"you mean '{nearest_name(name, latent_spec)}'?"
            )
    if set(blocks) == set(latent_spec):
        raise ValueError(
            "Shapes need a block, too. Expected: colour blocks that leave one. Received: "
            f"model.args.colour_blocks={list(blocks)}, which are all. Name fewer."
        )
    columns, begin = [], 0
    for name, block in latent_spec.items():
        if name in blocks:
            columns += range(begin, begin + block["dim"])
        begin += block["dim"]
    return columns
