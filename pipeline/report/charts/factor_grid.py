"""The factor grid as two heat maps: the examples of each cell before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from latentloom.pipeline.report.charts.drawing import TEXT, WIDTH, shorten, to_png

_ROW = 0.17  # inches
_MAX_NAMES = 60  # more values than this are not named


def factor_grid(
    rows: tuple[str, Sequence[str]],
    columns: tuple[str, Sequence[str]],
    before: np.ndarray,
    after: np.ndarray,
) -> bytes:
    """Draws the examples of each cell of two factors; a cell without an example has a cross.

    Args:
        rows: Name of the factor at the left and names of its `R` values.
        columns: Name of the factor below and names of its `C` values.
        before: Integers of shape `(R, C)`: examples of each cell before.
        after: Integers of shape `(R, C)`: examples of each cell after.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shape of the counts differs from the grid, or the grid is empty.
    """
    shape = (len(rows[1]), len(columns[1]))
    if before.shape != shape or after.shape != shape or not before.size:
        raise ValueError(
            f"The grid of '{rows[0]}' and '{columns[0]}' needs one count per cell. Expected: "
            f"counts of shape {shape}, not empty. Received: {before.shape} and {after.shape}. "
            "Count both over these factors."
        )
    figure = Figure(figsize=(WIDTH, 0.9 + _ROW * max(len(rows[1]), 6)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    norm = LogNorm(1, max(2, int(before.max()), int(after.max())))
    for panel, title, counts in zip(panels, ("before", "after"), (before, after), strict=True):
        image = draw_cells(panel, rows, columns, counts, norm)
        panel.set_title(title, fontsize=9.5, color=TEXT, loc="left")
    panels[1].set_ylabel("")
    draw_scale(figure, image, list(panels))
    return to_png(figure)


def draw_cells(
    panel: Axes,
    rows: tuple[str, Sequence[str]],
    columns: tuple[str, Sequence[str]],
    counts: np.ndarray,
    norm: LogNorm,
) -> AxesImage:
    """Draws one heat map of cells, with names and a cross where none is; see `factor_grid`."""
    shown = np.ma.masked_equal(counts, 0)
    image = panel.imshow(shown, norm=norm, cmap="viridis", aspect="auto", interpolation="none")
    empty = np.argwhere(counts == 0)
    panel.plot(empty[:, 1], empty[:, 0], ls="", marker="x", ms=3, mew=0.8, color=TEXT)
    _name_axes(panel, rows, columns)
    return image


def draw_scale(figure: Figure, image: AxesImage, panels: Sequence[Axes]) -> None:
    """Draws the scale of colours beside heat maps."""
    bar = figure.colorbar(image, ax=panels, fraction=0.05, pad=0.02)
    bar.ax.tick_params(colors=TEXT, labelsize=7.5, length=0, which="both")
    bar.outline.set_visible(False)  # type: ignore[union-attr]


def _name_axes(
    panel: Axes, rows: tuple[str, Sequence[str]], columns: tuple[str, Sequence[str]]
) -> None:
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.tick_params(colors=TEXT, labelsize=7.5, length=0)
    panel.set_xlabel(columns[0], fontsize=8.5, color=TEXT, parse_math=False)
    panel.set_ylabel(rows[0], fontsize=8.5, color=TEXT, parse_math=False)
    panel.set_xlim(-0.5, len(columns[1]) - 0.5)
    panel.set_ylim(len(rows[1]) - 0.5, -0.5)
    for axis, names, turn in (
        (panel.xaxis, columns[1], 90),
        (panel.yaxis, rows[1], 0),
    ):
        named = len(names) <= _MAX_NAMES
        axis.set_ticks(range(len(names)) if named else [])
        labels = [shorten(name) for name in names] if named else []
        axis.set_ticklabels(labels, rotation=turn, parse_math=False)
