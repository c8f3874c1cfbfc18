"""Which errors the command says in one message, and with which exit code it ends."""

from __future__ import annotations

OWN_PACKAGE = "latentloom"
USERS_MISTAKE, FAILED_RUN = 2, 1
REPORTED = (ValueError, TypeError, OSError, RuntimeError, FloatingPointError)
"""Errors that the command says in one message; any other is a fault of its own."""


def is_refusal(error: BaseException) -> bool:
    """Whether an error was raised by latentloom's own checks, not by a library below it."""
    module, trace = "", error.__traceback__
    while trace is not None:
        module, trace = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_next
    return module.split(".")[0] == OWN_PACKAGE


def exit_code(error: BaseException) -> int:
    """2 for what its user can mend in the call, 1 for a run that failed."""
    mistaken = is_refusal(error) and isinstance(error, ValueError | TypeError | OSError)
    return USERS_MISTAKE if mistaken else FAILED_RUN
