"""Runs commands of two builds in turn and compares their CPU seconds and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from builds import Build

STEADY = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class Cost:
    """What a process took, its own processes included: CPU seconds, and peak memory in bytes."""

    cpu: float
    peak_bytes: int


def cost_of(line: Sequence[str]) -> Cost:
    """Runs a command to its end.

    Raises:
        RuntimeError: It failed.
    """
    with tempfile.TemporaryFile("w+") as said:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | STEADY
        run = subprocess.Popen(line, stdout=said, stderr=said, env=environment)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(line)} failed: {said.read()[-2000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss)


def in_turn(
    builds: Sequence[Build], line_of: Callable[[Build, Path], list[str]], repeats: int
) -> dict[str, list[Cost]]:
    """Runs a command of every build in turn, `repeats` times.

    Args:
        builds: The builds.
        line_of: Returns the command line of a build, given a folder that does not exist yet.
        repeats: Number of turns.

    Returns:
        The costs by name of the build.
    """
    costs: dict[str, list[Cost]] = {build.name: [] for build in builds}
    for _ in range(repeats):
        for build in builds:
            with tempfile.TemporaryDirectory() as folder:
                costs[build.name].append(cost_of(line_of(build, Path(folder, "out"))))
    return costs


def ratios(costs: dict[str, list[Cost]]) -> dict[str, object]:
    """Medians of both builds, and the new over the earlier turn by turn: median, least, most."""
    seconds = {name: [cost.cpu for cost in of_build] for name, of_build in costs.items()}
    turns = [n / e for n, e in zip(seconds["new"], seconds["earlier"], strict=True)]
    return {
        "cpu": {name: round(statistics.median(found), 3) for name, found in seconds.items()},
        "peak_mib": {
            name: round(statistics.median(cost.peak_bytes for cost in of_build) / 2**20)
            for name, of_build in costs.items()
        },
        "cpu_ratio": {
            "median": round(statistics.median(turns), 3),
            "least": round(min(turns), 3),
            "most": round(max(turns), 3),
        },
    }
