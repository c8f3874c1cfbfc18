"""Figures of the arms of a study, one panel per number of real examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from latentloom.pipeline.report.charts.drawing import TEXT, WIDTH, tidy, to_png

_DOT, _SEED = "#3d8bd4", "#838d9b"


def study_chart(
    sizes: Sequence[str], arms: Mapping[str, Sequence[Sequence[float]]], label: str
) -> bytes:
    """Draws one row per arm: its mean with the spread over seeds, and every seed as a small dot.

    Args:
        sizes: Titles of the panels, one per number of real examples.
        arms: Figures of the seeds by arm and size; empty for a size that was not run.
        label: Label of the horizontal axis.

    Returns:
        A PNG file with transparent background.
    """
    figure = Figure(figsize=(WIDTH * 1.6, 0.9 + 0.26 * len(arms)), layout="constrained")
    panels = figure.subplots(1, len(sizes), squeeze=False, sharey=True)[0]
    for column, (panel, title) in enumerate(zip(panels, sizes, strict=True)):
        for row, seeds in enumerate(arms.values()):
            values = np.asarray(seeds[column], float)
            if not len(values):
                continue
            panel.plot(values, np.full(len(values), row), "o", color=_SEED, ms=3, alpha=0.6)
            spread = values.std(ddof=1) if len(values) > 1 else 0.0
            panel.errorbar(
                values.mean(), row, xerr=spread, color=_DOT, marker="o", ms=5, lw=1.6, zorder=3
            )
        panel.set_title(title, fontsize=9.5, color=TEXT, loc="left", parse_math=False)
        panel.set_xlabel(label, color=TEXT, fontsize=8.5)
        tidy(panel, "x")
    panels[0].set_yticks(range(len(arms)), list(arms))
    panels[0].set_ylim(len(arms) - 0.5, -0.5)
    return to_png(figure)
