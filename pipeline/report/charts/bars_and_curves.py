"""Bar charts and loss curves as PNG bytes that suit a light and a dark page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from latentloom.pipeline.report.charts.drawing import TEXT, WIDTH, add_legend, shorten, tidy, to_png

# All of these have a contrast of at least 3 on white and on near-black.
_BEFORE, _ADDED = "#838d9b", "#3d8bd4"
_TRAIN, _VALIDATION = "#3d8bd4", "#cf7720"
_REASONS = ("#d9534f", "#bd8014", "#8f74d1", "#2f9e94", "#b0639f", "#7a838f")

_MAX_BARS = 40  # more classes than this cannot be named at a readable size


def class_counts(names: Sequence[str], before: Sequence[int], after: Sequence[int]) -> bytes:
    """Draws the examples of each class before and after generation.

    Args:
        names: Names of the classes. Up to 40 are written beside their bars; more are drawn as an
            outline sorted by `before`.
        before: Examples per class before.
        after: Examples per class after.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The arguments differ in length, or are empty.
    """
    _check_lengths(names, {"before": before, "after": after})
    was, now = np.asarray(before, float), np.asarray(after, float)
    parts = {"before": (np.minimum(was, now), _BEFORE), "added": (now - was, _ADDED)}
    if np.any(now < was):
        parts = {"before": (was, _BEFORE), "after": (now, _ADDED)}
    return _stacked_bars(names, parts, stacked="added" in parts)


def rejections(names: Sequence[str], by_reason: Mapping[str, Sequence[int]]) -> bytes:
    """Draws how many variants of each class were rejected, by reason.

    Args:
        names: Names of the classes.
        by_reason: For each reason, one number per class.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: Classes or reasons are empty, or a reason lacks one number per class.
    """
    _check_lengths(names, by_reason)
    parts = {
        reason.replace("_", " "): (np.asarray(numbers, float), _REASONS[row % len(_REASONS)])
        for row, (reason, numbers) in enumerate(by_reason.items())
    }
    return _stacked_bars(names, parts)


def loss_curves(history: Mapping[str, Sequence[float]]) -> bytes:
    """Draws each quantity of a training, on training and validation examples.

    Args:
        history: One value per epoch and name. `val_<name>` shares the panel of `<name>`. `epoch`
            is the horizontal axis; defaults to 1, 2, ...

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The history has no quantity to draw.
    """
    names = list(dict.fromkeys(key.removeprefix("val_") for key in history if key != "epoch"))
    if not names:
        raise ValueError(
            "The history of the training is empty. Expected: at least one list of values. "
            f"Received: history={dict(history)}. Train for at least one epoch."
        )
    columns = min(2, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(WIDTH, 0.35 + 1.55 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for panel, name in zip(panels, names, strict=False):
        _curve(panel, name, history)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    lines = {line.get_label(): line for panel in panels for line in panel.get_lines()}
    add_legend(figure, list(lines.values()), [str(label) for label in lines])
    return to_png(figure)


def _curve(panel: Axes, name: str, history: Mapping[str, Sequence[float]]) -> None:
    """Draws one quantity into its panel."""
    for key, label, color in (
        (name, "training", _TRAIN),
        (f"val_{name}", "validation", _VALIDATION),
    ):
        if key in history:
            values = np.asarray(history[key], float)
            epochs = np.asarray(history.get("epoch", np.arange(1, len(values) + 1)))
            marker = "o" if len(values) == 1 else None
            panel.plot(epochs, values, color=color, label=label, lw=1.6, marker=marker, ms=3)
    panel.set_title(name.replace("_", " "), fontsize=9.5, color=TEXT, loc="left", parse_math=False)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    panel.yaxis.set_major_locator(MaxNLocator(nbins=4))
    tidy(panel, "y")


def _stacked_bars(
    names: Sequence[str], parts: Mapping[str, tuple[np.ndarray, str]], *, stacked: bool = True
) -> bytes:
    """Draws parts, each `(numbers, color)`, stacked or side by side."""
    named = len(names) <= _MAX_BARS
    height = 0.6 + 0.235 * len(names) if named else 2.6
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    (_named_bars if named else _outline)(axes, names, parts, stacked)
    handles, labels = axes.get_legend_handles_labels()
    add_legend(figure, handles, labels)
    return to_png(figure)


def _named_bars(
    axes: Axes, names: Sequence[str], parts: Mapping[str, tuple[np.ndarray, str]], stacked: bool
) -> None:
    rows = np.arange(len(names))
    left = np.zeros(len(names))
    for place, (label, (numbers, color)) in enumerate(parts.items()):
        bar = 0.72 if stacked else 0.36
        shift = 0.0 if stacked else (place - 0.5) * bar
        axes.barh(rows + shift, numbers, bar, left=left if stacked else 0, color=color, label=label)
        left = left + numbers
    axes.set_yticks(rows)
    axes.set_yticklabels([shorten(name) for name in names], parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    tidy(axes, "x")
    axes.tick_params(axis="y", length=0)


def _outline(
    axes: Axes, names: Sequence[str], parts: Mapping[str, tuple[np.ndarray, str]], stacked: bool
) -> None:
    order = np.argsort(-next(iter(parts.values()))[0], kind="stable")
    edges = np.arange(len(names) + 1)
    base = np.zeros(len(names))
    for label, (numbers, color) in parts.items():
        top = base + numbers[order] if stacked else numbers[order]
        axes.stairs(top, edges, baseline=base, fill=stacked, color=color, label=label)
        base = top if stacked else base
    axes.set_xlim(0, len(names))
    axes.set_ylim(bottom=0)
    axes.set_xlabel(f"{len(names)} classes, the largest first", fontsize=8.5, color=TEXT)
    tidy(axes, "y")


def _check_lengths(names: Sequence[str], columns: Mapping[str, Sequence[int]]) -> None:
    lengths = {"names": len(names)} | {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1 or not names or not columns:
        raise ValueError(
            "The chart needs one number per class. Expected: columns as long as names, at least "
            f"one of each. Received: lengths {lengths}. Pass one number for each class."
        )
