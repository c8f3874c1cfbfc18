"""A heat map of how well each block, or each axis of a code, predicts each factor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentloom.pipeline.report.charts.drawing import TEXT, WIDTH, shorten, to_png

_FEW = 12  # rows; more rows are lower, with smaller print
_ROW, _LOW_ROW = 0.32, 0.17  # inches
_MAX_NUMBERS = 10  # factors; with more the cells are too narrow for numbers and large print
_MAX_LETTERS = 50  # in the names of all factors together; longer names are turned


def factor_table(
    rows: tuple[str, Sequence[str]], factors: Sequence[str], table: np.ndarray
) -> bytes:
    """Draws how well each block, or each axis, predicts each factor.

    Args:
        rows: Kind of the rows, "block" or "axis", and names of the `R` rows from the top.
        factors: Names of the `F` factors, from the left.
        table: Floats of shape `(R, F)`, 0 for nothing and 1 for all. With up to ten factors the
            cells show their numbers; with more than twelve rows, only those that do not round to 0.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The table has another shape.
    """
    kind, names = rows
    if table.shape != (len(names), len(factors)) or not table.size:
        raise ValueError(
            f"The table needs one number for every {kind} and factor. Expected: shape "
            f"{(len(names), len(factors))}, not empty. Received: {table.shape}. Measure every "
            f"{kind} and factor."
        )
    is_low = len(names) > _FEW
    height, print_size = (_LOW_ROW, 7.0) if is_low else (_ROW, 8.5)
    figure = Figure(figsize=(WIDTH, 0.75 + height * len(names)), layout="constrained")
    panel = figure.subplots()
    panel.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="auto", interpolation="none")
    if len(factors) <= _MAX_NUMBERS:
        _write_numbers(panel, table, print_size, shows_zeros=not is_low)
    panel.set_xlabel("tells", fontsize=8.5, color=TEXT)
    panel.set_ylabel(kind, fontsize=8.5, color=TEXT)
    turn = 90 if sum(len(shorten(name)) for name in factors) > _MAX_LETTERS else 0
    titles = [shorten(name) for name in factors]
    panel.set_xticks(range(len(factors)), titles, rotation=turn, parse_math=False)
    panel.set_yticks(range(len(names)), [shorten(name) for name in names], parse_math=False)
    panel.tick_params(colors=TEXT, labelsize=print_size, length=0)
    panel.tick_params(axis="x", labelsize=8.5 if len(factors) <= _MAX_NUMBERS else 5.5)
    for spine in panel.spines.values():
        spine.set_visible(False)
    return to_png(figure)


def _write_numbers(panel: Axes, table: np.ndarray, size: float, shows_zeros: bool) -> None:
    rounded = np.round(table, 2) + 0.0  # no -0.00
    for (row, column), value in np.ndenumerate(rounded):
        if value or shows_zeros:
            colour = "white" if value > 0.6 else "#333333"
            panel.text(
                column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=size
            )
