"""Stops by signal: what was being done ends cleanly, and one line says how to go on."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

from latentloom.pipeline.terminal.standard_error import hear, silence

UNHARMED = "Nothing was written. Run the same command again."
SIGNALS = (signal.SIGINT, signal.SIGTERM)
RETRY_SECONDS = 0.02
SAME_STOP_SECONDS = 0.5
"""Signals that arrive so soon after the first are the same stop, such as from a terminal and a
supervisor."""
_GENERATED_SOURCE = "__autograph_generated_file"
_raised: list[Stopped] = []


class Stopped(BaseException):
    """Raised where a signal finds the program; no library takes it for an error to handle.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number
        self.kept: str | None = None
        self.time = time.monotonic()

    @property
    def exit_code(self) -> int:
        """128 and the number of the signal, as a shell reports it: 130 and 143."""
        return 128 + self.number


@contextlib.contextmanager
def kept_if_stopped(kept: str) -> Iterator[None]:
    """Tells the user of a stopped block what is kept and how to go on; the outermost block wins.

    Args:
        kept: One or two sentences.
    """
    try:
        yield
    except Stopped as stop:
        stop.kept = kept
        raise


@contextlib.contextmanager
def raised_on_signals() -> Iterator[None]:
    """Raises `Stopped` on SIGINT and SIGTERM; a second, later signal ends the process at once.

    From the stop on, standard error is silent but for the line of `end_stopped`: what libraries
    print while they are torn down tells nobody anything. Set `LATENTLOOM_VERBOSE` to see it. A
    signal that the process was told to ignore stays ignored.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        hear()
        _raised.clear()
        for number in heard:
            signal.signal(number, before[number])


def raised_stop() -> Stopped | None:
    """Returns the stop that a signal raised, for those who catch what a library made of it."""
    return _raised[0] if _raised else None


def end_stopped(stop: Stopped) -> None:
    """Prints what is kept and ends the process, without waiting for threads that still work."""
    remove_generated_sources()
    hear()
    print(f"latentloom: Stopped. {stop.kept or UNHARMED}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(stop.exit_code)


def remove_generated_sources() -> None:
    """Removes the temporary files of TensorFlow's AutoGraph, for a process that skips `atexit`."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_GENERATED_SOURCE) and module.__file__:
            with contextlib.suppress(OSError):
                os.remove(module.__file__)


def _stop(number: int, frame: FrameType | None) -> None:
    if _raised:
        if time.monotonic() - _raised[0].time > SAME_STOP_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        return
    if _is_ignored(frame):
        main = threading.main_thread().ident or 0
        again = threading.Timer(RETRY_SECONDS, signal.pthread_kill, (main, number))
        again.daemon = True
        again.start()
        return
    _raised[:] = [Stopped(number)]
    if not os.environ.get("LATENTLOOM_VERBOSE"):
        silence()
    raise _raised[0]


def _is_ignored(frame: FrameType | None) -> bool:
    """Returns whether Python ignores what is raised here: in `__del__` or a callback of `gc`."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
