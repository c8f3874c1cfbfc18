"""A map of latent codes: every example a dot, one panel a block and way to project."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from latentloom.pipeline.report.drawing import RULE, TEXT, add_legend, shorten, to_png

# In the order of their hue, so that a colour map can pass through them; all have a contrast of at
# least 3 on white and on near-black.
HUES = ("#d9534f", "#cf7720", "#a5841a", "#6d972a", "#2f9f5c", "#2f9e94", "#3d8bd4", "#7a75e0") + (
    "#b264c8",
    "#d4578f",
)
MARKERS = ("o", "^")
MAX_NAMED = len(HUES) * len(MARKERS)
"""More classes than this have no legend, and colours that run through the hues."""
_STRIDE = 3  # neighbouring classes take hues this far apart
COLUMNS = 5  # of the legend at most, filled row by row
WIDE = 6.4  # inches; wider than a chart, since it is shown in the whole width of the page
_GAP = 0.55  # inches for the names of rows and for the titles

Points = Mapping[str, Mapping[str, np.ndarray]]
"""For every way to project and every block, `(n, 2)`."""


def code_map(points: Points, labels: np.ndarray, names: Sequence[str]) -> bytes:
    """Draws projected codes, coloured by class.

    Dots are drawn in the order of the examples, which should be mixed, so that no class lies on
    top of all others.

    Args:
        points: Projections `(n, 2)`: by name of the way, a row each, and by block, a column each.
        labels: `(n,)` integers, the classes.
        names: Names of the classes; up to 20 have a legend.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: A projection has another shape, or there is none.
    """
    _check(points, labels)
    blocks = list(next(iter(points.values())))
    side = (WIDE - _GAP) / len(blocks)
    size = (WIDE, side * len(points) + _GAP + legend_height(names))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(points), len(blocks), squeeze=False)
    for row, (way, by_block) in zip(panels, points.items(), strict=True):
        row[0].set_ylabel(way, fontsize=9.5, color=TEXT, parse_math=False)
        for panel, block in zip(row, blocks, strict=True):
            _scatter(panel, by_block[block], labels, len(names))
    for panel, block in zip(panels[0], blocks, strict=True):
        panel.set_title(block, fontsize=11, color=TEXT, parse_math=False)
    add_class_legend(figure, names)
    return to_png(figure)


def class_colors(num_classes: int) -> np.ndarray:
    """RGBA of every class, `(num_classes, 4)`: distinct for up to 10, else along the hues."""
    if num_classes > MAX_NAMED:
        scale = LinearSegmentedColormap.from_list("hues", (*HUES, HUES[0]), N=1024)
        return scale(np.arange(num_classes) / num_classes)
    table = LinearSegmentedColormap.from_list("hues", HUES, N=len(HUES))
    return table(np.arange(num_classes) * _STRIDE % len(HUES))


def class_marker(label: int, num_classes: int) -> str:
    """Shape of the dots of a class, which tells classes of the same hue apart."""
    return MARKERS[label // len(HUES)] if num_classes <= MAX_NAMED else MARKERS[0]


def legend_height(names: Sequence[str]) -> float:
    """Inches that the legend of the classes takes."""
    return 0.22 * math.ceil(len(names) / _legend_columns(names)) if _has_legend(names) else 0.0


def add_class_legend(figure: Figure, names: Sequence[str]) -> None:
    """Puts the colours and markers of the classes above the panels, unless they are too many."""
    if not _has_legend(names):
        return
    columns = _legend_columns(names)
    order = [label for column in range(columns) for label in range(len(names))[column::columns]]
    handles = [_handle(label, len(names)) for label in order]
    add_legend(figure, handles, [shorten(names[label]) for label in order], columns)


def _has_legend(names: Sequence[str]) -> bool:
    return len(names) <= MAX_NAMED


def _legend_columns(names: Sequence[str]) -> int:
    """As many columns as fit beside each other, by inches of a marker and of a letter."""
    longest = max(len(shorten(name)) for name in names)
    return max(1, min(COLUMNS, int((WIDE - 0.4) / (0.45 + 0.068 * longest))))


def _scatter(panel: Axes, points: np.ndarray, labels: np.ndarray, num_classes: int) -> None:
    colors = class_colors(num_classes)[labels]
    shapes = np.array([class_marker(label, num_classes) for label in range(num_classes)])[labels]
    area = float(np.clip(4000 / len(points), 3, 16))
    for shape in MARKERS:
        rows = shapes == shape
        panel.scatter(*points[rows].T, c=colors[rows], s=area, marker=shape, lw=0, alpha=0.75)
    panel.set_aspect("equal", adjustable="datalim")
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set_color(RULE)


def _handle(label: int, num_classes: int) -> Line2D:
    color, marker = class_colors(num_classes)[label], class_marker(label, num_classes)
    return Line2D([], [], color=color, marker=marker, lw=0, ms=5, mew=0)


def _check(points: Points, labels: np.ndarray) -> None:
    shapes = {
        f"{way}, {block}": array.shape
        for way, by_block in points.items()
        for block, array in by_block.items()
    }
    if not shapes or set(shapes.values()) != {(len(labels), 2)}:
        raise ValueError(
            f"The codes cannot be mapped. Expected: points of shape {(len(labels), 2)}, one a "
            f"label, for every block. Received: {shapes}. Project each block to two dimensions."
        )
