"""Runs works of a benchmark in processes of their own, with any interpreter.

A script hands `run_works` its works by name. It starts itself anew for each repetition, with the
interpreter whose installed latentloom is measured, and prints CPU seconds and peak memory of these
processes as JSON. Works are run in turn, so that their ratios are of one time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Work = Callable[..., int]
"""Does the work and returns the number of examples."""

ROOMS = ("pipeline", "latentloom.pipeline")  # of wheels before the package, and of today
_UNITS = 1 << 20 if sys.platform == "darwin" else 1 << 10  # of `ru_maxrss` in a MiB
_FIND = "import importlib.util as u; print(next(n for n in {} if u.find_spec(n.split('.')[0])))"


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser of the options that all these benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--python", default=sys.executable, help="interpreter to measure")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    parser.add_argument(
        "--mnist",
        default=os.path.join(os.environ.get("LATENTLOOM_DATA", "../shared/data"), "mnist"),
        help="folder of the idx files of MNIST",
    )
    parser.add_argument("--work", nargs="+", help=argparse.SUPPRESS)
    return parser


def room_of(python: str) -> str:
    """Returns the name of the package `pipeline` in an interpreter."""
    command = [python, "-c", _FIND.format(ROOMS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd="/")
    return done.stdout.strip()


def run_command(python: str, *words: str) -> dict[str, float]:
    """Runs a verb of the command; returns CPU seconds and peak MiB of its process."""
    return _run([python, "-m", f"{room_of(python)}.command", *words])


def run_works(
    options: argparse.Namespace, works: Iterable[str], *words: str
) -> dict[str, list[dict[str, float]]]:
    """Runs works in turn.

    Args:
        options: From `arguments`.
        works: Names of the works that this interpreter can do.
        words: Further arguments of every work.

    Returns:
        For each work and repetition `cpu_seconds` and `peak_mib` of the process, and of the work
        alone, without imports, `work_seconds`, `work_cpu_seconds` and `examples_a_cpu_second`;
        `start_mib` is the peak before it.
    """
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in works}
    for _ in range(options.repeats):
        for name, found in runs.items():
            command = [options.python, os.path.abspath(sys.argv[0]), "--work", name]
            found.append(_run([*command, room_of(options.python), *words]))
    return runs


def do_work(works: Mapping[str, Callable[..., Work]], name: str, *words: str) -> None:
    """Does a work in this process, timed without what prepares it, and prints the result."""
    work = works[name](*words)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, begin_wall = time.process_time(), time.perf_counter()
    examples = work()
    seconds, wall = time.process_time() - begin, time.perf_counter() - begin_wall
    speed = examples / seconds
    costs = {"work_seconds": round(wall, 3), "work_cpu_seconds": round(seconds, 3)}
    costs["start_mib"] = round(held / _UNITS)
    print(json.dumps(costs | {"examples_a_cpu_second": round(speed)}))


def report(options: argparse.Namespace, runs: Mapping[str, Any]) -> None:
    """Prints the runs as JSON, and writes them where `--out` says."""
    text = json.dumps({"python": options.python, **runs}, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


def _run(command: list[str]) -> dict[str, float]:
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(command, stdout=output, stderr=errors, cwd="/")
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if child.returncode:
            raise RuntimeError(f"{command} ended with {child.returncode}: {errors.read()[-2000:]}")
        lines = [line for line in output.read().splitlines() if line.startswith("{")]
    found = {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / _UNITS}
    return {name: round(value, 3) for name, value in found.items()} | (
        json.loads(lines[-1]) if lines else {}
    )
