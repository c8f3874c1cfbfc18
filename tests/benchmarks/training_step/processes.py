"""The processes of `train_step.py`, seen from the one that asks them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training_step.workers import environment

HOW_TO_INSTALL = {
    "tensorflow": "pip install tensorflow==2.21.0",
    "jax": "pip install jax==0.10.2",
    "torch": "pip install torch==2.13.0",
}
DISTURBED = 0.1
"""Share of the processors from which on the work of others disturbs a round."""


class Worker:
    """A process that runs one framework."""

    def __init__(self, command: str, framework: str, threads: int):
        self.framework, self.idle_cpu_seconds = framework, 0.0
        self.about: dict[str, Any] = {}
        self.process = subprocess.Popen(
            [sys.executable, command, "--worker", framework, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment(framework, threads)},
        )

    def answer(self) -> dict[str, Any]:
        """The next line that the process says."""
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"The process for {self.framework} ended; its message is above.")
        return json.loads(line)

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Has the process do something."""
        print(json.dumps({"do": do, **request}), file=self.process.stdin, flush=True)
        answer = self.answer()
        self.idle_cpu_seconds += answer.pop("idle_cpu_seconds")
        return answer

    def stop(self) -> None:
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def started(command: str, frameworks: Sequence[str], threads: int) -> Iterator[dict[str, Worker]]:
    """Processes for all frameworks that are installed, each with `about`, what it says of itself.

    Args:
        command: The file that `--worker` turns into such a process.
        frameworks: Names of packages.
        threads: Threads that each may use.
    """
    workers = {framework: Worker(command, framework, threads) for framework in frameworks}
    try:
        for framework, worker in list(workers.items()):
            worker.about = worker.answer()
            if "missing" in worker.about:
                print(f"{framework} is left out: {worker.about['missing']}.", end=" ")
                print(f"To measure it: {HOW_TO_INSTALL[framework]}", flush=True)
                workers.pop(framework).stop()
        yield workers
    finally:
        for worker in workers.values():
            worker.stop()


def race(workers: Mapping[str, Worker], steps: int, repeats: int) -> list[dict[str, Any]]:
    """Has the processes run in turn, again and again.

    Others' work on the same processors slows some frameworks down more than others. Rounds during
    which there was any are repeated, up to half as many as are asked for; the quietest count.

    Args:
        workers: The processes, each with its loop built.
        steps: Steps that each takes in a round.
        repeats: Number of rounds that count.

    Returns:
        One dictionary a round: `seconds` a step of every framework, and `others`, the share of
        the processors that other processes used.
    """
    play_round(workers, steps)  # warms up
    rounds: list[dict[str, Any]] = []
    while len(rounds) < repeats + repeats // 2:
        quiet = [r for r in rounds if r["others"] < DISTURBED]
        if len(quiet) == repeats or (len(rounds) == repeats and not _can_be_disturbed(workers)):
            break
        rounds.append(play_round(workers, steps))
    quietest = sorted(rounds, key=lambda r: r["others"])[:repeats]
    return [r for r in rounds if r in quietest]


def play_round(workers: Mapping[str, Worker], steps: int) -> dict[str, Any]:
    """One round of `race`."""
    begin, busy, own, seconds = time.perf_counter(), busy_seconds(), 0.0, {}
    for name, worker in workers.items():
        taken = worker.ask("run", steps=steps)
        seconds[name] = taken["seconds"] / steps
        own += taken["cpu_seconds"]
    available = (time.perf_counter() - begin) * (os.cpu_count() or 1)
    return {"seconds": seconds, "others": max(busy_seconds() - busy - own, 0.0) / available}


def _can_be_disturbed(workers: Mapping[str, Worker]) -> bool:
    return any(worker.about["device"] == "cpu" for worker in workers.values())


def busy_seconds() -> float:
    """Processor time that the machine has worked since its start, on Linux; else 0."""
    statistics = Path("/proc/stat")
    if not statistics.exists():
        return 0.0
    ticks = [int(word) for word in statistics.read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
