"""A grid of lists of words, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentloom.pipeline.report.charts.drawing import TEXT, WIDE, shorten, to_png

_BAR, _REJECTED = "#3d8bd438", "#d9534f"
_LINE = 0.155  # inches per word
_HEAD = 0.32  # inches for the names of the columns
_GAP = 0.9  # lines between rows
_MARGIN = 0.26  # share of the width, for the names of the rows


def word_grid(
    words: np.ndarray,
    counts: np.ndarray,
    accepted: np.ndarray,
    titles: Sequence[str],
    columns: Sequence[str],
) -> bytes:
    """Draws lists of words in rows and columns, each word over a bar for its count.

    Args:
        words: Texts of shape `(rows, columns, lines)`.
        counts: Integers of shape `(rows, columns, lines)`; words with count 0 are skipped.
        accepted: Booleans of shape `(rows, columns)`; rejected lists are red.
        titles: Names of the rows.
        columns: Names of the columns.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
    """
    grid = (len(titles), len(columns))
    if words.shape != counts.shape or words.shape[:2] != grid or accepted.shape != grid:
        raise ValueError(
            "The lists of words do not fit. Expected: words and counts (rows, columns, "
            "lines), one verdict per list, one name per row and column. Received: words "
            f"{words.shape}, counts {counts.shape}, verdicts {accepted.shape}, {grid[0]} and "
            f"{grid[1]} names. Pass all of the same rows and columns."
        )
    lines = words.shape[2] + _GAP
    height = _HEAD + _LINE * lines * grid[0]
    figure = Figure(figsize=(WIDE, height))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(height, 0))
    axes.set_axis_off()
    width = (1 - _MARGIN) / max(grid[1], 1)
    for column, name in enumerate(columns):
        _write(axes, _MARGIN + column * width, 0.55 * _HEAD, name, TEXT, weight="bold")
    for row, name in enumerate(titles):
        top = _HEAD + _LINE * (row * lines + 0.5)
        _write(axes, 0.005, top, name, TEXT, weight="bold")
        for column in range(grid[1]):
            left, color = _MARGIN + column * width, TEXT if accepted[row, column] else _REJECTED
            most = max(int(counts[row, column].max()), 1)
            for line, (word, count) in enumerate(
                zip(words[row, column], counts[row, column], strict=True)
            ):
                if count:
                    place = top + _LINE * line
                    bar = 0.92 * width * float(count) / most
                    axes.barh(place, bar, 0.8 * _LINE, left=left, color=_BAR, lw=0)
                    _write(axes, left + 0.006, place, f"{word} {count}", color)
    return to_png(figure)


def _write(axes: Axes, left: float, top: float, text: str, color: str, **style) -> None:
    axes.text(
        left, top, shorten(text), color=color, fontsize=7.5, va="center", parse_math=False, **style
    )
