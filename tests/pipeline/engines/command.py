"""The command line of a cluster."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
from pathlib import Path

from cluster import Cluster
from jars import fetch


def run_command(description: str | None, kind: type[Cluster], pom: Path, driver: str) -> None:
    """Fetches the jars of an engine, or runs a cluster until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["fetch", "start"])
    parser.add_argument("jars", type=Path, help="folder of the jars")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    fetch(pom, driver, arguments.jars)
    if arguments.verb == "start":
        with kind(arguments.jars, arguments.workers) as cluster:
            print("--runner", kind.runner, "--", *cluster.beam_args, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
        shutil.rmtree(cluster.folder)
