"""Vectors as dots in the plane: examples, anchors beside variants, and exchanges as arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentloom.pipeline.report.charts.class_colors import (
    add_class_legend,
    class_colors,
    class_marker,
    legend_height,
)
from latentloom.pipeline.report.charts.drawing import RULE, TEXT, WIDE, to_png

_GAP, _UNTITLED_GAP = 0.55, 0.25  # inches for titles and numbers, and for numbers only
_FLATTEST, _STEEPEST = 0.3, 1.2  # height over width of a panel
_MARGIN = 0.04  # of the extent of the dots, around them


def example_scatter(vectors: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> bytes:
    """Draws vectors coloured by class on equal axes; see `variant_scatter`."""
    whole = np.ones(len(labels), bool)
    _check({"vectors": vectors}, labels, whole)
    (points,) = in_plane(vectors, vectors)
    figure, (panel,) = open_panels(1, points, names)
    order = np.random.default_rng(0).permutation(len(labels))  # no class hides the others
    _dots(panel, points[order], labels[order], whole, len(names))
    return to_png(figure)


def variant_scatter(
    anchors: np.ndarray,
    labels: np.ndarray,
    variants: np.ndarray,
    accepted: np.ndarray,
    names: Sequence[str],
) -> bytes:
    """Draws real vectors beside one variant of each, coloured by class, on equal axes.

    Projects vectors of more than two features on the two principal axes of the anchors. Rejected
    variants are grey crosses.

    Args:
        anchors: `(n, features)` float32.
        labels: `(n,)` integers, the classes.
        variants: `(n, features)` float32, one of each anchor.
        accepted: Booleans of shape `(n,)`.
        names: Names of the classes; up to 20 have a legend.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
    """
    _check({"anchors": anchors, "variants": variants}, labels, accepted)
    real, made = in_plane(anchors, anchors, variants)
    figure, panels = open_panels(2, np.concatenate([real, made]), names)
    whole = np.ones(len(labels), bool)
    for panel, title, points, passed in zip(
        panels, ("real", "variants"), (real, made), (whole, accepted), strict=True
    ):
        panel.set_title(title, fontsize=11, color=TEXT)
        _dots(panel, points, labels, passed, len(names))
    return to_png(figure)


def class_scatter(panels: Mapping[str, Sequence[np.ndarray]], names: Sequence[str]) -> bytes:
    """Draws panels of vectors coloured by class, side by side on equal axes.

    Projects vectors of more than two features on the two principal axes of the first panel.

    Args:
        panels: By title, `(n, features)` float32 for each class; there may be none of a class.
        names: Names of the classes; up to 20 have a legend.

    Returns:
        A PNG file with transparent background.
    """
    joined = {title: np.concatenate(parts) for title, parts in panels.items()}
    first = next(iter(joined.values()))
    placed = in_plane(first, *joined.values())
    figure, axes = open_panels(len(panels), np.concatenate(placed), names)
    for panel, points, (title, parts) in zip(axes, placed, panels.items(), strict=True):
        panel.set_title(title, fontsize=11, color=TEXT)
        if len(points):
            labels = np.repeat(np.arange(len(names)), [len(part) for part in parts])
            order = np.random.default_rng(0).permutation(len(labels))
            _dots(panel, points[order], labels[order], np.ones(len(labels), bool), len(names))
    return to_png(figure)


def exchange_scatter(
    observations: np.ndarray,
    labels: np.ndarray,
    cells: np.ndarray,
    accepted: np.ndarray,
    background: np.ndarray,
    names: Sequence[str],
) -> bytes:
    """Draws real vectors that exchange parts of their codes, as dots and arrows.

    Large dots are the real vectors, over faint dots of the background. An arrow leads from each
    real vector to the vector decoded from its class with the rest of another. This dot is filled
    with the colour of the class and has a rim in the colour of the other vector. Rejected vectors
    are crosses.

    Args:
        observations: `(n, features)` float32.
        labels: `(n,)` integers, the classes.
        cells: `(n, n, features)`: entry `(i, j)` has the class of vector `i` and the rest of `j`.
        accepted: Booleans of shape `(n, n)`.
        background: `(m, features)` other real vectors, to show the distribution of the data.
        names: Names of the classes; up to 20 have a legend.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
    """
    count = len(observations)
    flat = cells.reshape(count * count, -1)
    _check({"cells": flat}, np.repeat(labels, count), accepted.reshape(-1))
    others, real, made = in_plane(background, background, observations, flat)
    figure, (panel,) = open_panels(1, np.concatenate([others, real, made]), names)
    colors = class_colors(len(names))
    panel.scatter(*others.T, c=TEXT, s=4, lw=0, alpha=0.4)
    for row, column in np.argwhere(~np.eye(count, dtype=bool)):
        place, color = row * count + column, colors[labels[row]]
        panel.annotate(
            "",
            tuple(made[place]),
            tuple(real[row]),
            arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.0, "shrinkB": 4},
        )
        marker = "o" if accepted[row, column] else "X"
        panel.scatter(
            *made[place], color=color, ec=colors[labels[column]], marker=marker, s=42, lw=1.8
        )
    panel.scatter(*real.T, c=colors[labels], s=130, marker="o", lw=0, zorder=3)
    return to_png(figure)


def open_panels(
    count: int, points: np.ndarray, names: Sequence[str]
) -> tuple[Figure, Sequence[Axes]]:
    """Opens panels side by side, all with the extent of the points, on equal axes."""
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.maximum(high - low, 1e-6 * max(1.0, float(np.abs(points).max())))
    width = WIDE / count
    height = width * float(np.clip(extent[1] / extent[0], _FLATTEST, _STEEPEST))
    height += legend_height(names) + (_GAP if count > 1 else _UNTITLED_GAP)
    figure = Figure(figsize=(WIDE, height), layout="constrained")
    panels = figure.subplots(1, count, squeeze=False, sharex=True, sharey=True)[0]
    for panel in panels:
        panel.set_aspect("equal", adjustable="box")
        panel.set(
            xlim=(low[0] - _MARGIN * extent[0], high[0] + _MARGIN * extent[0]),
            ylim=(low[1] - _MARGIN * extent[1], high[1] + _MARGIN * extent[1]),
        )
        panel.tick_params(colors=TEXT, labelsize=8.5, length=0)
        panel.grid(color=RULE, lw=0.6)
        panel.set_axisbelow(True)
        for spine in panel.spines.values():
            spine.set_color(RULE)
    add_class_legend(figure, names)
    return figure, panels


def _dots(
    panel: Axes, points: np.ndarray, labels: np.ndarray, accepted: np.ndarray, num_classes: int
) -> None:
    """Draws dots in the order of the vectors, so that no class hides the others."""
    colors = class_colors(num_classes)[labels]
    shapes = np.array([class_marker(label, num_classes) for label in range(num_classes)])[labels]
    area = float(np.clip(4000 / len(points), 3, 16))
    for shape in np.unique(shapes):
        rows = accepted & (shapes == shape)
        panel.scatter(*points[rows].T, c=colors[rows], s=area, marker=shape, lw=0, alpha=0.75)
    panel.scatter(*points[~accepted].T, c=TEXT, s=2 * area, marker="x", lw=0.8)


def in_plane(fitted: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    """Brings vectors to two dimensions: unchanged, or by the principal axes of `fitted`.

    Args:
        fitted: `(n, features)` vectors whose two directions of largest variance span the plane.
        *arrays: `(m, features)` each.

    Returns:
        `(m, 2)` each. Two features stay unchanged; a single one is padded with zeros.
    """
    features = fitted.shape[1]
    if features <= 2:
        return [np.pad(array, [(0, 0), (0, 2 - features)]) for array in arrays]
    centre = fitted.mean(axis=0)
    axes = np.linalg.svd(fitted - centre, full_matrices=False)[2][:2]
    return [np.pad((array - centre) @ axes.T, [(0, 0), (0, 2 - len(axes))]) for array in arrays]


def _check(arrays: Mapping[str, np.ndarray], labels: np.ndarray, accepted: np.ndarray) -> None:
    shapes = {name: array.shape for name, array in arrays.items()}
    fits = {(len(labels), *shape[1:]) for shape in shapes.values()} == set(shapes.values())
    fits = (
        fits and len(set(shapes.values())) == 1 and len(labels) and accepted.shape == labels.shape
    )
    if not fits or any(array.ndim != 2 for array in arrays.values()):
        raise ValueError(
            "The vectors do not fit. Expected: arrays (n, features) with n labels and "
            f"n verdicts, not empty. Received: {shapes}, {labels.shape} labels and "
            f"{accepted.shape} verdicts. Pass all of the same n vectors."
        )
