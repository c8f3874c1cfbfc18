"""Prints descriptions and measured numbers as tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import yaml
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

TextRow = tuple[str, ...]

MOST_SHOWN = 100
"""Largest number of entries of a list or a mapping that is shown whole."""
_SHOWN_OF_MORE = 10
_WIDTHS = {"value": 13, "n": 9}  # most letters of a line, which leaves more to names


def print_report(report: Any, title: str = "Variants") -> None:
    """Prints totals, measured numbers and warnings of a report on a generated data set."""
    print_table(title, [(name, f"{count:,}") for name, count in report.totals.items()])
    print_measured(report.numbers)
    for sentence in report.warnings:
        Console(soft_wrap=True).print(Text(sentence))


def print_measured(numbers: Sequence[Any]) -> None:
    """Prints measures: every column of `MEASURED` that has something to say."""
    rows = [[cell(measure) for cell in MEASURED.values()] for measure in numbers]
    told = [column for column, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    heads = [Column(head, max_width=_WIDTHS.get(head)) for head in MEASURED]
    print_table(
        "Measured",
        [tuple(row[column] for column in told) for row in rows],
        [heads[column] for column in told],
    )


def _value(measure: Any) -> str:
    if measure.value is None:
        return "not measured"
    value = _with_unit(measure.value, measure.unit, measure.decimals)
    if measure.balanced is None:
        return value
    return f"{value}\nbalanced {measure.balanced:.2f}"


def _chance(measure: Any) -> str:
    return "" if measure.chance is None else _with_unit(measure.chance, None, measure.decimals)


def _count(measure: Any) -> str:
    """Number of examples, of the anchors of variants, and of classes."""
    if measure.n is None:
        return ""
    anchors = "" if measure.anchors is None else " of " + _many(measure.anchors, "anchor", "s")
    classes = "" if measure.classes is None else " in " + _many(measure.classes, "class", "es")
    return f"{measure.n:,}{anchors}{classes}"


def _many(count: int, noun: str, ending: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else ending)


def _interval(measure: Any) -> str:
    ends = measure.interval or ()
    return " to ".join(f"{end:.{min(measure.decimals, 3)}f}" for end in ends)


MEASURED: dict[str, Callable[[Any], str]] = {
    "": lambda measure: measure.name,
    "value": _value,
    "95 %": _interval,
    "chance": _chance,
    "n": _count,
}
"""What each column of a table of measures shows, by its head."""


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


def print_table(title: str, rows: Sequence[TextRow], header: Sequence[str | Column] = ()) -> None:
    """Prints rows of text, with an optional header."""
    table = Table(*header, title=Text(title), show_header=bool(header), title_justify="left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _with_unit(number: float, unit: str | None, decimals: int) -> str:
    """Returns a number with some decimals, or an integer unchanged, and its unit."""
    text = str(number) if isinstance(number, int) else f"{number:.{decimals}f}"
    return f"{text} {unit}" if unit else text
