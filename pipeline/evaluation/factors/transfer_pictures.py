"""Draws the transfer of attributes: anchors, donors, results, and what changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.transfers import Transfer
from latentloom.pipeline.report.pictures.sheets.transfer_sheet import blend_sheet, transfer_sheet
from latentloom.pipeline.report.schema import Picture

ROWS = 4
"""Most anchors of each attribute that are drawn."""
SHARES = np.linspace(0, 1, 5, dtype=np.float32)
"""Shares of the donor's block along a grid of two attributes."""
AMPLIFIED = 4
GREY = 128
TRANSFERS = (
    "Each row: an anchor, the donor of an attribute, the result, and its difference to the anchor, "
    f"{AMPLIFIED} times as strong on grey. The result should have the attribute of this donor, and "
    "the difference be grey elsewhere."
)
TWO = (
    "At the left above, an anchor as decoded from its own code; to the right it takes {first} from "
    "the donor at the end of the row above, down it takes {second} from the donor at the end of "
    "the column at the left, a quarter more at every step. The corner below right has both."
)


def draw_transfers(encoded: EncodedExamples, transfers: Sequence[Transfer]) -> dict[str, Picture]:
    """Draws a few anchors of every attribute, each value of the donors in turn."""
    images, rows, titles = encoded.examples.observations, [], []
    for each in transfers:
        values, names = encoded.examples.factors[each.attribute], _value_names(encoded, each)
        for place in _in_turn(values[each.donors])[:ROWS]:
            anchor, donor = each.rows[place], each.donors[place]
            result = each.made[place]
            rows.append([images[anchor], images[donor], result, difference(result, images[anchor])])
            before, after = (names[int(values[row])] for row in (anchor, donor))
            titles.append(f"{each.attribute}: {before} to {after}")
    heads = ("anchor", "donor", "result", f"difference x {AMPLIFIED}")
    sheet = transfer_sheet(np.array(rows), heads, titles)
    return {"transfer": Picture(sheet, TRANSFERS)}


def difference(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The difference of two images, amplified, as an image: grey where they are alike."""
    found = GREY + AMPLIFIED * (image.astype(np.int64) - other)
    return np.clip(found, 0, 255).astype(np.uint8)


def draw_two_attributes(
    encoded: EncodedExamples, transfers: Sequence[Transfer]
) -> dict[str, Picture]:
    """Draws one anchor with shares of two attributes from two donors; nothing for one attribute."""
    if len(transfers) < 2:
        return {}
    first, second = transfers[:2]
    anchor, donors = first.rows[0], (first.donors[0], second.donors[0])
    spec, count = encoded.codec.spec, len(SHARES) ** 2
    codes = encoded.rows(spec.names, np.full(count, anchor))
    down, right = (grid.reshape(-1, 1) for grid in np.meshgrid(SHARES, SHARES, indexing="ij"))
    for each, donor, share in zip((first, second), donors, (right, down), strict=True):
        (block,) = (block.name for block in spec if each.attribute in block.factors)
        codes[block] = (1 - share) * codes[block] + share * encoded.latents[block][donor]
    cells = encoded.decode(codes)
    images = encoded.examples.observations
    sheet = blend_sheet(
        cells.reshape(len(SHARES), len(SHARES), *cells.shape[1:]),
        (images[donors[0]], images[donors[1]]),
        (first.attribute, second.attribute),
    )
    caption = TWO.format(first=first.attribute, second=second.attribute)
    return {"two_attributes": Picture(sheet, caption)}


def _value_names(encoded: EncodedExamples, each: Transfer) -> Sequence[str]:
    return encoded.codec.bundle.factors[each.attribute]


def _in_turn(values: np.ndarray) -> np.ndarray:
    """Rows with each value in turn, the rarest value first where a turn is incomplete."""
    order = np.argsort(values, kind="stable")
    turns = np.concatenate([np.arange(n) for n in np.unique(values, return_counts=True)[1]])
    return order[np.argsort(turns, kind="stable")]
