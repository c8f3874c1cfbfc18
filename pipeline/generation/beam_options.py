"""Checks Beam's own options: Beam ignores unknown ones, and ends the process at wrong values."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.options.pipeline_options import _BeamArgumentParser as BeamArgumentParser
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import PipelineRunner

from latentloom.augment.spelling import nearest

MOST_WORKERS = 1024
"""Largest number of workers of the in-process runner; more is a slip of the keyboard."""
_NEAR = 0.8
"""Least similarity of two names, of which one is a misspelling of the other."""
_WRONG_VALUE = (ValueError, TypeError, AssertionError, argparse.ArgumentError)


class _Parser(BeamArgumentParser):
    """Raises for a wrong value, where `argparse` prints its usage and ends the process."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def parse_options(words: Sequence[str], runner: PipelineRunner) -> PipelineOptions:
    """Parses Beam's options.

    Args:
        words: The options, such as `--direct_num_workers=2`.
        runner: The runner that they are for. Import it first: its module may define options.

    Raises:
        ValueError: If an option is unknown or has a wrong value. A runner with a job service may
            know more options than this process; for it, only a near miss counts as unknown.
    """
    parser = _Parser(allow_abbrev=False, add_help=False)
    for options in {str(each): each for each in PipelineOptions.__subclasses__()}.values():
        options._add_argparse_args(parser)
    try:
        _, unknown = parser.parse_known_args(list(words))
    except _WRONG_VALUE as error:
        raise ValueError(
            "An option after -- has a wrong value. Expected: options of Beam with values of their "
            f"types. Received: {' '.join(words)} ({error}). Correct this option."
        ) from error
    known = parser._option_string_actions
    _check_unknown(unknown, known, may_know_more=isinstance(runner, PortableRunner))
    parsed = PipelineOptions(list(words))
    workers = parsed.view_as(DirectOptions).direct_num_workers
    if any(word.partition("=")[0] == "--runner" for word in words):
        raise ValueError(
            "The runner is named after --, where it has no effect. Expected: --runner before --. "
            f"Received: {' '.join(words)}. Move it."
        )
    if not 0 <= workers <= MOST_WORKERS:
        raise ValueError(
            "The number of workers is out of range. Expected: 0 for one per core, or 1 to "
            f"{MOST_WORKERS}. Received: direct_num_workers={workers}. Correct this option."
        )
    return parsed


def _check_unknown(words: Sequence[str], known: Iterable[str], *, may_know_more: bool) -> None:
    """Rejects the first word that is no option; words after an unknown one may be its values."""
    for word in words:
        name = word.partition("=")[0]
        if may_know_more and not get_close_matches(name, known, cutoff=_NEAR):
            continue
        raise ValueError(
            f"Beam has no option '{name}'. Expected: an option of Beam or of the runner. "
            f"Received: {word!r}. {nearest(name, known)}"
        )
