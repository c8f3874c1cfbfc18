"""Progress of long work: rich bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINES_PER_STAGE = 10
"""Approximate number of plain lines per stage, without a terminal."""
SECONDS_A_LINE = 60
"""Longest time between two plain lines; long stages print more lines."""

Advance = Callable[..., None]


class ProgressDisplay:
    """Shows stages of work one after another.

    Args:
        console: Console to show them on; defaults to standard error.
    """

    def __init__(self, console: Console | None = None):
        self.console = console or Console(file=sys.stderr)

    @contextmanager
    def stage(self, name: str) -> Iterator[Advance]:
        """Yields a function `advance(done, total, remark="")`."""
        show = self._bar if self.console.is_terminal else self._lines
        with show(name) as advance:
            yield advance

    @contextmanager
    def _bar(self, name: str) -> Iterator[Advance]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[remark]}"),
        )
        with Progress(*columns, console=self.console) as bars:
            bar = bars.add_task(name, total=None, remark="")

            def advance(done: int, total: int, remark: str = "") -> None:
                bars.update(bar, completed=done, total=total, remark=remark)

            yield advance

    @contextmanager
    def _lines(self, name: str) -> Iterator[Advance]:
        started = last = time.monotonic()
        printed = -1

        def advance(done: int, total: int, remark: str = "") -> None:
            nonlocal last, printed
            tenth, now = done * LINES_PER_STAGE // max(total, 1), time.monotonic()
            if tenth != printed or done == total or now - last >= SECONDS_A_LINE:
                last, printed = now, tenth
                line = f"{name}: {done}/{total} after {now - started:.0f} s {remark}".rstrip()
                print(line, file=self.console.file, flush=True)

        yield advance


def silent_display() -> ProgressDisplay:
    """Returns a display that shows nothing."""
    return ProgressDisplay(Console(file=io.StringIO()))
