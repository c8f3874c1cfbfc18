"""A map of latent codes: one dot per example, one panel per block and projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentloom.pipeline.report.charts.class_colors import (
    MARKERS,
    add_class_legend,
    class_colors,
    class_marker,
    legend_height,
)
from latentloom.pipeline.report.charts.drawing import RULE, TEXT, WIDE, to_png

_GAP = 0.55  # inches for the names of rows and for the titles

Points = Mapping[str, Mapping[str, np.ndarray]]
"""Projected codes `(n, 2)` by projection and block."""


def code_map(points: Points, labels: np.ndarray, names: Sequence[str]) -> bytes:
    """Draws projected codes, coloured by class.

    Dots are drawn in the order of the examples. Shuffle the examples, or one class hides the
    others.

    Args:
        points: Projected codes `(n, 2)`: one row per projection, one column per block.
        labels: `(n,)` integers, the classes.
        names: Names of the classes; up to 20 have a legend.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: A projection has another shape, or `points` is empty.
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


def _check(points: Points, labels: np.ndarray) -> None:
    shapes = {
        f"{way}, {block}": array.shape
        for way, by_block in points.items()
        for block, array in by_block.items()
    }
    if not shapes or set(shapes.values()) != {(len(labels), 2)}:
        raise ValueError(
            f"Points and labels of the map do not fit. Expected: points of shape "
            f"{(len(labels), 2)} for every block. Received: {shapes}. Project each block to two "
            "dimensions."
        )
