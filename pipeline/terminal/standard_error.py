"""Standard error of the process, with what native libraries write to it, which can be silenced."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_kept: list[int] = []
"""The descriptor of each silence in turn; the first is standard error."""


def silence() -> None:
    """Throws away what is written from now on."""
    _flush()
    _kept.append(os.dup(2))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def unsilence() -> None:
    """Ends the last silence."""
    _flush()
    if _kept:
        kept = _kept.pop()
        os.dup2(kept, 2)
        os.close(kept)


def hear() -> None:
    """Ends every silence."""
    while _kept:
        unsilence()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Throws away what the block writes, and no more if a stop silences the process within."""
    silence()
    depth = len(_kept)
    try:
        yield
    finally:
        if len(_kept) == depth:
            unsilence()


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # closed, or amid a write
        sys.stderr.flush()
