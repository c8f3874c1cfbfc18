"""Output directories: claims them before work starts, empties only those that latentloom wrote."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path

from latentloom.pipeline.storage.atomic_files import os_errors
from latentloom.pipeline.storage.files import (
    create_binary,
    exists,
    is_folder,
    is_remote,
    list_names,
    make_folders,
    remove,
    replace_folder,
)
from latentloom.pipeline.storage.locks import LOCK_FILE, locked

OWN_FILES = (
    *("manifest.json", "bundle.json", "train_state", ".job", "report.html", "evaluation.html"),
    "study_run.json",
)
"""Files and folders that identify a directory as written by latentloom."""

CLAIM_PREFIX = ".claim-"
"""Prefix of the empty file that tests whether a directory is writable."""


def check_apart(out: str | PathLike[str], inputs: Mapping[str, str | PathLike[str]]) -> None:
    """Rejects an output directory that holds an input, since the output may be emptied.

    Args:
        out: The output directory.
        inputs: Path of each input, by its name in the command.

    Raises:
        ValueError: If an input is the output directory or lies in it.
    """
    for name, path in inputs.items():
        if _absolute(path).is_relative_to(_absolute(out)):
            raise ValueError(
                f"The output '{out}' holds the input '{path}'. Expected: a separate directory. "
                f"Received: {name} {path}. Choose another output directory."
            )


def _absolute(path: str | PathLike[str]) -> Path:
    return Path(path) if is_remote(path) else Path(path).resolve()


def claim_directory(
    path: str | PathLike[str], *, overwrite: bool = False, resumable: bool = False
) -> None:
    """Makes an output directory, or takes over an existing one.

    Args:
        path: The directory.
        overwrite: Whether to empty it, if latentloom wrote it.
        resumable: Whether its contents may stay.

    Raises:
        FileExistsError: If it holds files that the run may neither keep nor remove.
        NotADirectoryError: If it is a file.
        PermissionError: If it is not writable.
    """
    path = os.fspath(path)
    _check_no_file(path)
    for name in list_names(path):
        if name.startswith(CLAIM_PREFIX):  # from a killed run
            remove(os.path.join(path, name))
    if names := [name for name in list_names(path) if name != LOCK_FILE]:
        if overwrite:
            _empty(path, names)
        elif not resumable:
            raise FileExistsError(
                f"The output directory '{path}' is not empty. Expected: a new or empty directory. "
                f"Received: --out {path}. Choose another --out, or pass --overwrite."
            )
    with _readable_refusal(path):
        make_folders(path)
        claim = os.path.join(path, f"{CLAIM_PREFIX}{secrets.token_hex(4)}")
        create_binary(claim).close()
        remove(claim)


@contextlib.contextmanager
def replaced_when_complete(out: str, *, last: str) -> Iterator[str]:
    """Yields a new folder beside `out`; it replaces `out` if the block ends without an error.

    Args:
        out: The directory to make or to replace.
        last: Name of the file that arrives last, if files are moved one by one.
    """
    parent, base = os.path.split(out)
    mark = secrets.token_hex(4)
    folder, old = (os.path.join(parent, f".{base}.{mark}.{end}") for end in ("tmp", "old"))
    with os_errors(out):
        make_folders(folder)
    try:
        yield folder
        with os_errors(out):
            if list_names(out):
                replace_folder(out, old, last=last)
            replace_folder(folder, out, last=last)
            if exists(old):
                remove(old)
    finally:
        if exists(folder):
            remove(folder)
        if exists(old) and not exists(out):
            replace_folder(old, out, last=last)


@contextlib.contextmanager
def held_directory(path: str, *, overwrite: bool, resumable_by: str) -> Iterator[None]:
    """Claims an output directory and locks it while the block runs.

    Args:
        path: The directory.
        overwrite: Whether to empty it, if latentloom wrote it.
        resumable_by: Name of the folder that marks a run that can be resumed.

    Raises:
        FileExistsError: If another run holds it, or as in `claim_directory`.
    """
    _check_no_file(path)
    with _readable_refusal(path):
        make_folders(path)
    with locked(path):
        is_resumable = is_folder(os.path.join(path, resumable_by))
        claim_directory(path, overwrite=overwrite, resumable=is_resumable)
        yield


def _check_no_file(path: str) -> None:
    if exists(path) and not is_folder(path):
        raise NotADirectoryError(
            f"The output '{path}' is a file. Expected: a directory. Received: --out {path}. "
            "Choose another --out."
        )


@contextlib.contextmanager
def _readable_refusal(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PermissionError(
            f"The output directory '{path}' is not writable: {error.strerror}. "
            f"Expected: a writable directory on a disk with space. Received: --out {path}. "
            "Choose another --out or change its permissions."
        ) from error


def _empty(path: str, names: list[str]) -> None:
    if not any(exists(os.path.join(path, name)) for name in OWN_FILES):
        raise FileExistsError(
            f"'{path}' holds files that latentloom did not write, so --overwrite keeps "
            f"them. Expected: one of {', '.join(OWN_FILES)} in it. Received: --out {path}. "
            "Empty it by hand or choose another --out."
        )
    with _readable_refusal(path):
        for name in names:
            remove(os.path.join(path, name))
