"""Which block tells which factor, as a heat map with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline.report.drawing import TEXT, WIDTH, shorten, to_png

_ROW = 0.32  # inches


def block_table(blocks: Sequence[str], factors: Sequence[str], table: np.ndarray) -> bytes:
    """Draws how well each factor is read from each block.

    Args:
        blocks: Names of the `B` blocks, from above.
        factors: Names of the `F` factors, from the left.
        table: Floats of shape `(B, F)`, 0 for chance and 1 for perfect.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The table has another shape.
    """
    if table.shape != (len(blocks), len(factors)) or not table.size:
        raise ValueError(
            "The table of blocks has not one number a cell. Expected: shape "
            f"{(len(blocks), len(factors))}, not empty. Received: {table.shape}. Measure every "
            "block and factor."
        )
    figure = Figure(figsize=(WIDTH, 0.75 + _ROW * len(blocks)), layout="constrained")
    panel = figure.subplots()
    panel.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="auto", interpolation="none")
    for (row, column), value in np.ndenumerate(table):
        colour = "white" if value > 0.5 else "#333333"
        panel.text(
            column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=8.5
        )
    panel.set_xlabel("tells", fontsize=8.5, color=TEXT)
    panel.set_ylabel("block", fontsize=8.5, color=TEXT)
    panel.set_xticks(range(len(factors)), [shorten(name) for name in factors], parse_math=False)
    panel.set_yticks(range(len(blocks)), [shorten(name) for name in blocks], parse_math=False)
    panel.tick_params(colors=TEXT, labelsize=8.5, length=0)
    for spine in panel.spines.values():
        spine.set_visible(False)
    return to_png(figure)
