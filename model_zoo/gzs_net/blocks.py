"""The named blocks of a code: one for each factor, and unlabelled ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from latentloom.model_zoo.arguments import LARGEST_DIM
from latentloom.model_zoo.spelling import nearest_name


def block_spec(
    factor_sizes: Mapping[str, int],
    block_dims: int | Mapping[str, int],
    unlabelled_dims: Mapping[str, int],
) -> dict[str, dict]:
    """Lays out the blocks: factors in the order of the data set, then the unlabelled ones.

    Args:
        factor_sizes: Number of values of every factor, "label" among them.
        block_dims: Size of every factor's block; or sizes by factor, where a missing factor gets
            no block.
        unlabelled_dims: Sizes of the unlabelled blocks, by name.

    Returns:
        The blocks in the form of `latent_spec`.

    Raises:
        ValueError: A block has no factor, its size is below 1, the label has no block, or two
            blocks have the same name.
    """
    if not isinstance(block_dims, Mapping):
        block_dims = dict.fromkeys(factor_sizes, block_dims)
    for name in block_dims:
        if name not in factor_sizes:
            nearest = nearest_name(name, factor_sizes)
            raise ValueError(
                f"Block '{name}' has no factor. Expected: one of {', '.join(factor_sizes)}. "
                f"Received: model.args.block_dims with '{name}'. Did you mean "
                f"'{nearest}'? Otherwise put it under `model.args.unlabelled_dims`."
            )
    if "label" not in block_dims:
        raise ValueError(
            "The label has no block. Expected: a size for 'label'. Received: "
            f"model.args.block_dims for {', '.join(block_dims) or 'nothing'}. Add 'label' to it."
        )
    for name in unlabelled_dims:
        if name in factor_sizes:
            raise ValueError(
                f"Unlabelled block '{name}' is named after a factor. Expected: another name. "
                f"Received: model.args.unlabelled_dims with '{name}'. Rename it."
            )
    labelled = {name: int(block_dims[name]) for name in factor_sizes if name in block_dims}
    dims = labelled | {name: int(dim) for name, dim in unlabelled_dims.items()}
    for name, dim in dims.items():
        if not 1 <= dim <= LARGEST_DIM:
            raise ValueError(
                f"The size of block '{name}' is out of range. Expected: at least 1, at most "
                f"{LARGEST_DIM}. Received: {dim}. {'Raise' if dim < 1 else 'Lower'} it under "
                "`model.args`."
            )
    return {
        name: {"dim": dim, "factors": [name] if name in labelled else []}
        for name, dim in dims.items()
    }


def columns_of(latent_spec: Mapping[str, Mapping[str, Any]], blocks: Sequence[str]) -> list[int]:
    """Returns the positions of some blocks in the code, which holds all blocks side by side.

    Raises:
        ValueError: A block is unknown, or `blocks` names every block.
    """
    for name in blocks:
        if name not in latent_spec:
            raise ValueError(
                f"Colour block '{name}' is unknown. Expected: some of "
                f"{', '.join(latent_spec)}. Received: model.args.colour_blocks={list(blocks)}. Did "
                f"you mean '{nearest_name(name, latent_spec)}'?"
            )
    if set(blocks) == set(latent_spec):
        raise ValueError(
            "No block is left for shapes. Expected: at least one block that is not a colour block. "
            f"Received: model.args.colour_blocks={list(blocks)}, which are all. Name fewer."
        )
    columns, begin = [], 0
    for name, block in latent_spec.items():
        if name in blocks:
            columns += range(begin, begin + block["dim"])
        begin += block["dim"]
    return columns
