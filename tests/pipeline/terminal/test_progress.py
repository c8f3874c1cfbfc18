"""What long work says of itself where there is no terminal."""

import io

import pytest
from rich.console import Console

from latentloom.pipeline.terminal import progress
from latentloom.pipeline.terminal.progress import ProgressDisplay


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the test sets."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def console():
    return Console(file=io.StringIO())


def test_a_stage_prints_about_ten_lines_and_its_last(console):
    with ProgressDisplay(console).stage("work") as advance:
        for done in range(1, 1001):
            advance(done, 1000)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[-1] == "work: 1000/1000 after 0 s"


def test_a_long_stage_prints_a_line_a_minute(clock, console):
    with ProgressDisplay(console).stage("work") as advance:
        for minute in range(1, 6):
            clock[0] = 60.0 * minute
            advance(minute, 1000, "on its way")
    lines = console.file.getvalue().splitlines()
    assert lines[-1] == "work: 5/1000 after 300 s on its way"
    assert len(lines) == 5
