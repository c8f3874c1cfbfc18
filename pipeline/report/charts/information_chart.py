"""Bars of the mutual information of the observation and each axis, one panel per block."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from latentloom.pipeline.report.charts.drawing import TEXT, WIDTH, tidy, to_png

MOST_BARS = 50
"""Most axes of a block drawn, those with most information; more would be unreadable."""
ALIVE, DEAD = "#3d8bd4", "#d9534f"


def information_chart(blocks: Mapping[str, np.ndarray], least: float) -> bytes:
    """Draws one bar per axis, the highest first, with the number of the axis below it.

    Panels of several axes share a scale; a block of one axis has its own. A dashed line marks
    `least`; bars below it have another colour.

    Args:
        blocks: Mutual information of the observation and each axis by block, `(dim,)` in nats.
        least: Least information of an axis that is not dead, in nats.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: `blocks` is empty, or a block has no axis.
    """
    if not blocks or not all(map(len, blocks.values())):
        raise ValueError(
            "The chart has no bars. Expected: one block or more, each with an axis or more. "
            f"Received: axes={ {name: len(told) for name, told in blocks.items()} }. Leave out "
            "blocks without axes."
        )
    most = max((float(told.max()) for told in blocks.values() if len(told) > 1), default=0.0)
    widest = min(MOST_BARS, max(map(len, blocks.values())))
    figure = Figure(figsize=(WIDTH * 1.6, 0.3 + 1.45 * len(blocks)), layout="constrained")
    panels = figure.subplots(len(blocks), 1, squeeze=False)[:, 0]
    for panel, (name, told) in zip(panels, blocks.items(), strict=True):
        order = np.argsort(-told, kind="stable")[:MOST_BARS]
        colors = [ALIVE if told[axis] >= least else DEAD for axis in order]
        panel.bar(range(len(order)), np.maximum(told[order], 0.0), width=0.75, color=colors)
        panel.axhline(least, color=TEXT, lw=0.8, ls="--")
        panel.set_xlim(-0.6, max(widest, 8) - 0.4)
        panel.set_ylim(0, 1.05 * max(most if len(told) > 1 else float(told[0]), 2 * least))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=4))
        tidy(panel, "y")
        panel.set_xticks(range(len(order)), order.tolist(), fontsize=8.5 if widest <= 30 else 6.5)
        panel.set_ylabel("nats", color=TEXT, fontsize=8.5)
        panel.set_title(name, fontsize=9.5, color=TEXT, loc="left", parse_math=False)
    return to_png(figure)
