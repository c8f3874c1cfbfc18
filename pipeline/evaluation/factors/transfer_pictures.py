"""Draws the transfer of attributes: anchors, donors, results, and what changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.dataset.sampling import classes_in_turn
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.transfers import Transfer
from latentloom.pipeline.report.pictures.sheets.transfer_sheet import blend_sheet, transfer_sheet
from latentloom.pipeline.report.schema import Picture

ROWS, MOST_ATTRIBUTES = 4, 6
"""Most anchors of each attribute, and most attributes, that are drawn."""
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


def shown_places(encoded: EncodedExamples, made: Transfer) -> np.ndarray:
    """Places of the images that are drawn: the first, then each value of the donors in turn."""
    values = encoded.examples.factors[made.attribute][made.donors]
    in_turn = classes_in_turn(values, ROWS)
    return np.concatenate([[0], in_turn[in_turn != 0]])[:ROWS]


def draw_transfers(encoded: EncodedExamples, transfers: Sequence[Transfer]) -> dict[str, Picture]:
    """Draws the anchors of every attribute, donors, results, and what changed."""
    images, rows, titles = encoded.examples.observations, [], []
    for each in transfers[:MOST_ATTRIBUTES]:
        values = encoded.examples.factors[each.attribute]
        names = encoded.codec.bundle.factors[each.attribute]
        for anchor, donor, result in zip(each.rows, each.donors, each.made, strict=True):
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
        (block,) = spec.carriers(each.attribute)
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
