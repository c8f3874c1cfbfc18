"""A forecast as the rows of the two tables that `generate --dry-run` prints."""

from __future__ import annotations

import datetime

from latentloom.pipeline.generation.forecast import Forecast
from latentloom.pipeline.report.page import format_bytes

MOST_CLASSES = 30
"""Most classes that are printed."""


def class_rows(forecast: Forecast) -> list[tuple[str, ...]]:
    """Name, examples and variants of the first `MOST_CLASSES` classes."""
    examples, variants = forecast.examples, forecast.variants
    shown = list(examples)[:MOST_CLASSES]
    rows = [(name, f"{examples[name]:,}", f"{variants.get(name, 0):,}") for name in shown]
    hidden = len(examples) - len(shown)
    rows = [row if variants else row[:2] for row in rows]
    return rows + ([(f"and {hidden:,} more",)] if hidden else [])


def total_rows(forecast: Forecast) -> list[tuple[str, str]]:
    """Output and cost of all classes together."""
    number, asked = forecast.cells
    duration = datetime.timedelta(seconds=round(forecast.cpu_seconds / forecast.workers))
    free = forecast.free_bytes
    return [
        ("examples", f"{sum(forecast.examples.values()):,}"),
        *([("cells to fill", f"{number:,}, {asked:,} variants")] if number else []),
        ("variants requested", f"{forecast.requested:,}"),
        ("output shards", f"{forecast.shards:,}"),
        (
            "output size",
            f"about {format_bytes(forecast.num_bytes)}"
            + ("" if free is None else f", {format_bytes(free)} are free"),
        ),
        ("memory of a worker", f"about {format_bytes(forecast.memory)}"),
        ("time", f"about {duration} on {forecast.workers} worker(s), start-up left out"),
    ]
