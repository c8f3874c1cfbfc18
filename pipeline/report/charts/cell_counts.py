"""The cells of two factors as a heat map: where examples are, and where there are none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from latentloom.pipeline.report.charts.drawing import WIDTH, to_png
from latentloom.pipeline.report.charts.factor_grid import draw_cells, draw_scale

_ROW = 0.2  # inches
_MAX_NUMBERS = 12  # rows and columns up to which cells show their number


def cell_counts(
    rows: tuple[str, Sequence[str]], columns: tuple[str, Sequence[str]], counts: np.ndarray
) -> bytes:
    """Draws the examples of each cell of two factors; a cell without an example has a cross.

    Args:
        rows: Name of the factor at the left and names of its `R` values.
        columns: Name of the factor below and names of its `C` values.
        counts: Integers of shape `(R, C)`. Up to 12 rows and columns show their numbers.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shape of the counts differs from the grid, or the grid is empty.
    """
    shape = (len(rows[1]), len(columns[1]))
    if counts.shape != shape or not counts.size:
        raise ValueError(
            f"The heat map of '{rows[0]}' and '{columns[0]}' needs one count per cell. Expected: "
            f"counts of shape {shape}, not empty. Received: {counts.shape}. Count over these "
            "factors."
        )
    figure = Figure(figsize=(WIDTH, 1.0 + _ROW * max(shape[0], 6)), layout="constrained")
    panel = figure.subplots()
    norm = LogNorm(1, max(2, int(counts.max())))
    image = draw_cells(panel, rows, columns, counts, norm)
    if max(shape) <= _MAX_NUMBERS:
        for row, column in np.argwhere(counts > 0):
            color = "#222222" if norm(counts[row, column]) > 0.6 else "white"
            told = f"{counts[row, column]:,}"
            panel.text(column, row, told, ha="center", va="center", color=color, fontsize=6.5)
    draw_scale(figure, image, [panel])
    return to_png(figure)
