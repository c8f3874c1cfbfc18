"""Prints descriptions and measured numbers as tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

TextRow = tuple[str, ...]

MOST_SHOWN = 100
"""Largest number of entries of a list or a mapping that is shown whole."""
_SHOWN_OF_MORE = 10


def print_report(report: Any, title: str = "Variants") -> None:
    """Prints totals, measured numbers and warnings of a report on a generated data set."""
    print_table(title, [(name, f"{count:,}") for name, count in report.totals.items()])
    measured = [(m.name, f"{m.value:.4f}") for m in report.numbers if m.value is not None]
    print_table("Measured", measured)
    for sentence in report.warnings:
        Console(soft_wrap=True).print(Text(sentence))


def measured_rows(numbers: Sequence[Any]) -> list[TextRow]:
    """Returns name, value with its unit, and chance of every measure."""
    return [
        (
            measure.name,
            "not measured" if measure.value is None else _with_unit(measure.value, measure.unit),
            "" if measure.chance is None else _with_unit(measure.chance, None),
        )
        for measure in numbers
    ]


def figure_rows(table: Any) -> tuple[list[TextRow], TextRow]:
    """Returns the rows and the header of a table of numbers, with four significant digits.

    Transposes a table with more columns than rows, so it fits a narrow terminal.
    """
    rows = [
        (name, *("" if value is None else f"{value:.4g}" for value in row.values()))
        for name, row in table.rows.items()
    ]
    header = ("", *table.columns)
    if len(table.columns) <= len(rows):
        return rows, header
    turned = list(zip(header, *rows, strict=True))
    return turned[1:], turned[0]


def plain(value: Any) -> str:
    """Returns a value as short YAML: one line for plain values and lists of them.

    Of a list or a mapping with more than `MOST_SHOWN` entries it shows the first few and how many
    more there are.
    """
    if isinstance(value, dict | list):
        return yaml.safe_dump(
            _first_few(value), sort_keys=False, default_flow_style=None, width=88
        ).strip()
    return str(value)


def _first_few(value: Any) -> Any:
    """Returns plain data with the first few entries of what is long, at any depth."""
    if not isinstance(value, dict | list):
        return value
    shown = _SHOWN_OF_MORE if len(value) > MOST_SHOWN else len(value)
    more = f"and {len(value) - shown:,} more"
    if isinstance(value, list):
        first = [_first_few(entry) for entry in value[:shown]]
        return first if shown == len(value) else [*first, more]
    pairs = {key: _first_few(entry) for key, entry in itertools.islice(value.items(), shown)}
    return pairs if shown == len(value) else pairs | {"...": more}


def print_table(title: str, rows: Sequence[TextRow], header: TextRow = ()) -> None:
    """Prints rows of text, with an optional header."""
    table = Table(*header, title=title, show_header=bool(header), title_justify="left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _with_unit(number: float, unit: str | None) -> str:
    """Returns a number with four decimals, or an integer unchanged, and its unit."""
    text = str(number) if isinstance(number, int) else f"{number:.4f}"
    return f"{text} {unit}" if unit else text
