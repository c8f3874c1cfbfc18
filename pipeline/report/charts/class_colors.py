"""Colours, markers and the legend of classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from latentloom.pipeline.report.charts.drawing import WIDE, add_legend, shorten

HUES = (
    *("#d9534f", "#cf7720", "#a5841a", "#6d972a", "#2f9f5c"),
    *("#2f9e94", "#3d8bd4", "#7a75e0", "#b264c8", "#d4578f"),
)
"""Colours in the order of their hue, so that a colour map can interpolate them. All have a
contrast of at least 3 on white and on near-black."""
MARKERS = ("o", "^")
"""Shapes of the dots: of the first `len(HUES)` classes, and of the others."""
MAX_NAMED = len(HUES) * len(MARKERS)
"""Most classes with a legend; more classes get colours along the hues instead."""
_STRIDE = 3  # neighbouring classes take hues this far apart
_MOST_COLUMNS = 5  # of the legend, filled row by row


def class_colors(num_classes: int) -> np.ndarray:
    """RGBA of every class, `(num_classes, 4)`: distinct for up to 10, else along the hues."""
    if num_classes > MAX_NAMED:
        scale = LinearSegmentedColormap.from_list("hues", (*HUES, HUES[0]), N=1024)
        return scale(np.arange(num_classes) / num_classes)
    table = LinearSegmentedColormap.from_list("hues", HUES, N=len(HUES))
    return table(np.arange(num_classes) * _STRIDE % len(HUES))


def class_marker(label: int, num_classes: int) -> str:
    """Shape of the dots of a class; distinguishes classes of the same hue."""
    return MARKERS[label // len(HUES)] if num_classes <= MAX_NAMED else MARKERS[0]


def legend_height(names: Sequence[str]) -> float:
    """Height of the legend of the classes in inches; 0 without a legend."""
    return 0.22 * math.ceil(len(names) / _legend_columns(names)) if _has_legend(names) else 0.0


def add_class_legend(figure: Figure, names: Sequence[str]) -> None:
    """Adds a legend of the classes above the panels, unless there are more than `MAX_NAMED`."""
    if not _has_legend(names):
        return
    columns = _legend_columns(names)
    order = [label for column in range(columns) for label in range(len(names))[column::columns]]
    handles = [_handle(label, len(names)) for label in order]
    add_legend(figure, handles, [shorten(names[label]) for label in order], columns)


def _has_legend(names: Sequence[str]) -> bool:
    return len(names) <= MAX_NAMED


def _legend_columns(names: Sequence[str]) -> int:
    """Number of columns that fit side by side, from the inches of a marker and of a letter."""
    longest = max(len(shorten(name)) for name in names)
    return max(1, min(_MOST_COLUMNS, int((WIDE - 0.4) / (0.45 + 0.068 * longest))))


def _handle(label: int, num_classes: int) -> Line2D:
    color, marker = class_colors(num_classes)[label], class_marker(label, num_classes)
    return Line2D([], [], color=color, marker=marker, lw=0, ms=5, mew=0)
