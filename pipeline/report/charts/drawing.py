"""Shared parts of all charts of a report: sizes, neutral colours, the legend, the file."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH = 4.6  # inches; the 8.5 points of a label are then 9 pixels high on a phone
WIDE = 6.4  # inches; of a chart with the full width of the page
TEXT = "#7a838f"  # a contrast of at least 3 on white and on near-black
RULE = "#7a838f40"
_MAX_NAME = 22


def tidy(axes: Axes, grid: str) -> None:
    """Removes the frame and draws rules for the values of one axis, in neutral colours."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=TEXT, labelsize=8.5, length=0)
    axes.grid(axis="y" if grid == "y" else "x", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    axis = axes.yaxis if grid == "y" else axes.xaxis
    axis.get_offset_text().set(color=TEXT, fontsize=8.5)


def add_legend(
    figure: Figure, handles: Sequence, labels: Sequence[str], num_columns: int = 3
) -> None:
    """Adds a legend above the panels; names are shown literally, without math markup."""
    legend = figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=min(num_columns, max(1, len(labels))),
        frameon=False,
        fontsize=9,
        labelcolor=TEXT,
        handlelength=1.1,
        columnspacing=1.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def shorten(name: str) -> str:
    """Truncates a name to fit beside a bar or into a legend."""
    return name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 1] + "…"


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file with transparent background; equal figures give equal bytes."""
    buffer = io.BytesIO()
    # The default metadata name the version of the software, which would change the bytes.
    figure.savefig(buffer, format="png", dpi=220, transparent=True, metadata={"Software": None})
    return buffer.getvalue()
