"""A cluster on loopback: what is common to all, and Beam's Python workers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from own_modules import folder_with_own_modules

START_SECONDS = 90
SHORT_LIVED = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""Environment of a JVM that ends soon: it compiles little and collects with one thread."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class Cluster(contextlib.AbstractContextManager):
    """Starts with the `with` block and stops with it.

    Args:
        jars: Folder that `jars.fetch` filled.
        workers: How many machines to start; a job has a Python worker on each.
        folder: For configuration and logs; a temporary one by default.
    """

    name: str
    runner: str
    """Names of the engine and of Beam's runner for it."""
    environment: dict[str, str] = {}
    """Of its processes, beside the usual one."""

    def __init__(self, jars: Path, workers: int = 2, folder: Path | None = None):
        self.jars, self.workers = jars.resolve(), workers
        self.folder = folder or Path(tempfile.mkdtemp(prefix="latentloom-engine-"))
        self.http, self.rpc, self.pool = free_port(), free_port(), free_port()
        self.processes: dict[str, subprocess.Popen] = {}

    @property
    def beam_args(self) -> list[str]:
        """Beam's options for a job on this cluster."""
        return ["--environment_type=EXTERNAL", f"--environment_config=localhost:{self.pool}"]

    def start_master(self) -> None:
        """Starts what jobs are given to."""
        raise NotImplementedError

    def start_worker(self, number: int) -> None:
        """Starts a machine that jobs run on, again if it was killed."""
        raise NotImplementedError

    def count_ready(self) -> int:
        """How many machines would take a job; none if there is no answer."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self.start_master()
            for number in range(self.workers):
                self.start_worker(number)
            self._start_pool()
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self, name: str) -> None:
        """Kills a process at once, as a machine that is lost."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def start(self, name: str, *command: str, cwd: Path | None = None) -> None:
        """Starts a process that writes its log to `folder`; `cwd` is the folder it works in."""
        # Beam's pool starts its workers as `python`: that must be this one.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=cwd,
                env=os.environ | SHORT_LIVED | self.environment | {"PATH": path},
                start_new_session=True,
            )

    def ask(self, path: str) -> dict[str, Any]:
        """What the master says of itself; empty if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://localhost:{self.http}/{path}") as answer:
                return json.load(answer)
        except OSError:
            return {}

    def _start_pool(self) -> None:
        """Starts the pool where a user may have modules with the names of our packages."""
        pool = Path(__file__).with_name("pool.py")
        cwd = folder_with_own_modules(self.folder / "work")
        self.start("pool", sys.executable, str(pool), str(self.pool), cwd=cwd)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.count_ready() < self.workers:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The cluster did not start; see the logs in {self.folder}")
            time.sleep(0.2)
