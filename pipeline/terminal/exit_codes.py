"""Errors that the command reports in one message, and its exit codes."""

from __future__ import annotations

import dis
import struct
import sys
import zipfile
import zlib

from google.protobuf.message import DecodeError

OWN_PACKAGE = "latentloom"
USERS_MISTAKE, FAILED_RUN = 2, 1
REPORTED = (
    *(ValueError, TypeError, OSError, RuntimeError, FloatingPointError),
    *(LookupError, MemoryError, OverflowError, EOFError, RecursionError),
    *(zipfile.BadZipFile, zlib.error, struct.error, DecodeError),
)
"""Errors that the command reports in one message; any other error is a bug."""
_RAISE = dis.opmap["RAISE_VARARGS"]
_TENSORFLOW_ERRORS = "tensorflow.python.framework.errors_impl"


def reported_errors() -> tuple[type[BaseException], ...]:
    """Returns `REPORTED`, and TensorFlow's errors if something has imported TensorFlow."""
    tensorflow = sys.modules.get(_TENSORFLOW_ERRORS)
    return (*REPORTED, *([tensorflow.OpError] if tensorflow else []))


def is_refusal(error: BaseException) -> bool:
    """Returns whether latentloom refused something, rather than a library or a bug of ours.

    An error is a refusal if a `raise` of our own code raised it, or if the operating system refused
    a call of our own code. A key that a mapping of ours lacks is a bug.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not _is_own(trace.tb_frame.f_globals.get("__name__", "")):
        return False
    was_raised = trace.tb_frame.f_code.co_code[trace.tb_lasti] == _RAISE
    return was_raised or isinstance(error, OSError)


def exit_code(error: BaseException) -> int:
    """Returns 2 for a user's mistake in the call, 1 for a failed run."""
    mistaken = is_refusal(error) and isinstance(error, ValueError | TypeError | OSError)
    return USERS_MISTAKE if mistaken else FAILED_RUN


def _is_own(module: str) -> bool:
    return module.split(".")[0] == OWN_PACKAGE
