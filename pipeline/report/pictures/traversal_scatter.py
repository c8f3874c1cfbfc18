"""A traversal of one vector along the axes of a block, as lines in the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.report.charts.class_colors import class_colors
from latentloom.pipeline.report.charts.drawing import TEXT, to_png
from latentloom.pipeline.report.pictures.scatter import in_plane, open_panels


def traversal_scatter(
    steps: np.ndarray,
    cells: np.ndarray,
    accepted: np.ndarray,
    axes: np.ndarray,
    labels: Sequence[str],
    background: np.ndarray,
) -> bytes:
    """Draws one line per axis through the decoded steps, over faint dots of real vectors.

    The large dot is step 0. Rejected steps are crosses.

    Args:
        steps: Floats of shape `(s,)`, 0 among them.
        cells: `(a, s, features)`: the decoded vectors.
        accepted: Booleans of shape `(a, s)`.
        axes: Integers of shape `(a,)`: the numbers of the axes.
        labels: One text per axis, for the legend.
        background: `(m, features)` real vectors.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
    """
    grid = (len(axes), len(steps))
    fits = cells.ndim == 3 and cells.shape[:2] == grid and cells.size
    if not fits or accepted.shape != grid or len(labels) != len(axes):
        raise ValueError(
            "The shapes of the lines do not fit. Expected: cells (axes, steps, features), accepted "
            f"(axes, steps), one label per axis. Received: cells {cells.shape}, accepted "
            f"{accepted.shape}, {len(axes)} axes, {len(labels)} labels and {len(steps)} steps. "
            "Pass all of the same axes and steps."
        )
    others, flat = in_plane(background, background, cells.reshape(-1, cells.shape[-1]))
    names = [f"axis {axis}: {label}" for axis, label in zip(axes, labels, strict=True)]
    figure, (panel,) = open_panels(1, np.concatenate([others, flat]), names)
    panel.scatter(*others.T, c=TEXT, s=4, lw=0, alpha=0.4)
    paths = flat.reshape(*grid, 2)
    colors = class_colors(len(axes))
    for path, passed, axis, color in zip(paths, accepted, axes, colors, strict=True):
        panel.plot(*path.T, color=color, lw=1.2)
        panel.scatter(*path[passed].T, color=color, s=16, lw=0)
        panel.scatter(*path[~passed].T, color=color, s=36, marker="X", lw=0)
        panel.annotate(
            str(axis), path[-1], (5, 5), textcoords="offset points", color=color, fontsize=9.5
        )
    panel.scatter(*paths[0, np.argmin(np.abs(steps))], color=TEXT, s=110, lw=0, zorder=3)
    return to_png(figure)
