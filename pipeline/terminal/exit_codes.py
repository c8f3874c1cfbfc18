"""Errors that the command reports in one message, and its exit codes."""

from __future__ import annotations

OWN_PACKAGE = "latentloom"
USERS_MISTAKE, FAILED_RUN = 2, 1
REPORTED = (ValueError, TypeError, OSError, RuntimeError, FloatingPointError)
"""Errors that the command reports in one message; any other error is a bug."""


def is_refusal(error: BaseException) -> bool:
    """Returns whether latentloom's own code raised an error, not a library."""
    module, trace = "", error.__traceback__
    while trace is not None:
        module, trace = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_next
    return module.split(".")[0] == OWN_PACKAGE


def exit_code(error: BaseException) -> int:
    """Returns 2 for a user's mistake in the call, 1 for a failed run."""
    mistaken = is_refusal(error) and isinstance(error, ValueError | TypeError | OSError)
    return USERS_MISTAKE if mistaken else FAILED_RUN
