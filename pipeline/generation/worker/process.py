"""A worker process of Beam's in-process runner, which ends with the command that started it.

It leads a session of its own, so that Ctrl-C in a terminal reaches the command alone, which says
the one line about the stop. What goes wrong in a bundle reaches the command through Beam.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from latentloom.pipeline.terminal.standard_error import silence
from latentloom.pipeline.terminal.stops import remove_generated_sources

WATCH_SECONDS = 0.1


def main() -> None:
    """Serves Beam until it is told to end, or until the command is gone."""
    parent = os.getppid()
    os.setsid()
    if not os.environ.get("LATENTLOOM_VERBOSE"):
        silence()  # before Beam is imported, which warns of what it lacks
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


def _end_with(parent: int) -> None:
    """Ends this process when its parent has ended."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    remove_generated_sources()
    os._exit(1)


if __name__ == "__main__":
    main()
