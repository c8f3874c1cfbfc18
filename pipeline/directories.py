"""Output directories: claimed before work starts, never emptied by surprise."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

OWN_FILES = (
    *("manifest.json", "bundle.json", "train_state", ".job", "report.html", "evaluation.html"),
    "study_run.json",
)
"""Files and folders by which a directory is known to be one of ours."""

CLAIM_PREFIX = ".claim-"
"""Begins the name of the empty file that shows whether a directory can be written to."""


def check_apart(out: str | PathLike[str], inputs: Mapping[str, str | PathLike[str]]) -> None:
    """Refuses an output directory that would be emptied together with an input.

    Args:
        out: The output directory.
        inputs: Path of each input, by what the command calls it.

    Raises:
        ValueError: An input is the output directory or lies in it.
    """
    for name, path in inputs.items():
        if Path(path).resolve().is_relative_to(Path(out).resolve()):
            raise ValueError(
                f"The output '{out}' holds the input '{path}'. Expected: a directory of its own. "
                f"Received: {name} {path}. Choose another output directory."
            )


def claim_directory(path: Path, *, overwrite: bool = False, resumable: bool = False) -> None:
    """Makes an output directory, or takes an existing one over.

    Args:
        path: The directory.
        overwrite: Whether to empty it, provided that latentloom wrote it.
        resumable: Whether what is in it may stay.

    Raises:
        FileExistsError: It holds something that may neither stay nor go.
        NotADirectoryError: It is a file.
        PermissionError: It cannot be written to.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(
            f"The output '{path}' is a file. Expected: a directory. Received: --out {path}. "
            "Choose another --out."
        )
    if path.is_dir():
        for leftover in path.glob(f"{CLAIM_PREFIX}*"):  # of a run that was killed right here
            leftover.unlink(missing_ok=True)
    if path.is_dir() and any(path.iterdir()):
        if overwrite:
            _empty(path)
        elif not resumable:
            raise FileExistsError(
                f"The output directory '{path}' is not empty. Expected: a new or empty directory. "
                f"Received: --out {path}. Choose another --out, or pass --overwrite."
            )
    with _readable_refusal(path):
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path, prefix=CLAIM_PREFIX):
            pass


@contextlib.contextmanager
def _readable_refusal(path: Path):
    try:
        yield
    except OSError as error:
        raise PermissionError(
            f"The output directory '{path}' cannot be written to: {error.strerror}. "
            f"Expected: a writable directory on a disk with space. Received: --out {path}. "
            "Choose another --out or change its permissions."
        ) from error


def _empty(path: Path) -> None:
    if not any((path / name).exists() for name in OWN_FILES):
        raise FileExistsError(
            f"'{path}' holds files that latentloom did not write, so --overwrite leaves them "
            f"alone. Expected: one of {', '.join(OWN_FILES)} in it. Received: --out {path}. "
            "Empty it by hand or choose another --out."
        )
    with _readable_refusal(path):
        for entry in path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
