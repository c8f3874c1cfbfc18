"""Output directories: one run a directory, and only what latentloom wrote is ever removed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from os import PathLike
from pathlib import Path

from latentloom.pipeline.storage.atomic_files import os_errors
from latentloom.pipeline.storage.files import (
    exists,
    is_folder,
    is_remote,
    links_below,
    make_folders,
    remove,
    remove_empty_folders,
    replace_file,
    walk,
)
from latentloom.pipeline.storage.locks import LOCK_FILE, locked
from latentloom.pipeline.storage.ownership import OutputKind, is_temporary, matches

STAGING = ".staging"
"""Folder in an output directory for files that get their place when all are complete."""


def check_apart(out: str | PathLike[str], inputs: Mapping[str, str | PathLike[str]]) -> None:
    """Rejects an output directory that holds an input or lies in one, links followed.

    An output may be emptied, and an input that holds an output is no longer what it was.

    Args:
        out: The output directory.
        inputs: Path of each input, a file or a directory, by its name in the command.

    Raises:
        ValueError: If an input is the output directory, holds it, or lies in it.
    """
    target = _resolve(out)
    for name, path in inputs.items():
        for place in _places(path):
            if place.is_relative_to(target):
                relation = "holds"
            elif target.is_relative_to(place):
                relation = "lies in"
            else:
                continue
            raise ValueError(
                f"The output '{out}' {relation} the input '{path}'. Expected: a separate "
                f"directory. Received: OUT={out}, {name} {path}. Choose another output directory."
            )


def _places(path: str | PathLike[str]) -> Iterator[Path]:
    """Yields where an input lies: its path, the link that leads there, and the links below it."""
    folder, name = os.path.split(os.fspath(path))
    yield _resolve(path)
    yield _resolve(folder) / name
    yield from map(_resolve, links_below(path))


def _resolve(path: str | PathLike[str]) -> Path:
    return Path(path) if is_remote(path) else Path(os.path.realpath(path))


@contextlib.contextmanager
def held_directory(
    path: str | PathLike[str],
    kind: OutputKind,
    *,
    overwrite: bool = False,
    resumable: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Locks an output directory while the block runs, and empties it of what may go.

    Removes what an earlier output of this kind consists of if `overwrite` is set, and what a killed
    run left. Removes nothing in a directory with any other file.

    Args:
        path: The directory; made if it is missing.
        kind: What the block writes.
        overwrite: Whether to remove an earlier output.
        resumable: Whether the contents may stay, asked when the directory is locked.

    Raises:
        FileExistsError: If another run holds it, or it holds files that may neither stay nor go.
        NotADirectoryError: If it is a file.
        PermissionError: If it is not writable.
    """
    path = os.fspath(path)
    with _locked(path, kind) as left_by:
        keep = not overwrite and resumable()
        _remove(path, [] if keep else _removable(path, kind, left_by, overwrite=overwrite))
        clear_temporaries(path)
        yield


@contextlib.contextmanager
def replaced_when_complete(
    out: str, kind: OutputKind, *, last: str, overwrite: bool = False
) -> Iterator[str]:
    """Yields a new folder in `out`; its files replace an earlier output when the block ends.

    After an error, `out` is as it was. What a killed run left is removed.

    Args:
        out: The directory; made if it is missing.
        kind: What the block writes.
        last: Name of the file that arrives last and completes the output.
        overwrite: Whether to replace an earlier output.

    Raises:
        FileExistsError: As `held_directory`; also if a file appeared in `out` meanwhile.
    """
    staging = os.path.join(out, STAGING)
    with _locked(out, kind) as left_by:
        old = _removable(out, kind, left_by, overwrite=overwrite)
        try:
            if left_by and exists(staging):
                remove(staging)
            with os_errors(out):
                make_folders(staging)
            yield staging
            if new := sorted(set(_names(out)) - set(old)):
                raise _stranger(out, new[0], "appeared during the run")
            _remove(out, sorted(old, key=lambda name: name != last))
            for name in sorted(walk(staging), key=lambda name: name == last):
                with os_errors(out):
                    make_folders(os.path.dirname(os.path.join(out, name)))
                    replace_file(os.path.join(staging, name), os.path.join(out, name))
        finally:
            if exists(staging):
                remove(staging)


def remove_files(path: str | PathLike[str], patterns: Collection[str]) -> None:
    """Removes the files of a directory that match patterns of an `OutputKind`, and no others."""
    _remove(os.fspath(path), [name for name in walk(path) if matches(name, patterns)])


def clear_temporaries(path: str) -> None:
    """Removes the temporary files that killed processes left in an output directory."""
    for name in filter(is_temporary, walk(path)):
        remove(os.path.join(path, name))


@contextlib.contextmanager
def _locked(path: str, kind: OutputKind) -> Iterator[str | None]:
    """Makes and locks a directory; one that is new and stays empty is removed again."""
    _check_no_file(path)
    is_new = not exists(path)
    with _readable_refusal(path):
        make_folders(path)
    try:
        with contextlib.ExitStack() as stack:
            with _readable_refusal(path):
                left_by = stack.enter_context(locked(path, kind.name))
            yield left_by
    finally:
        if is_new and not is_remote(path):
            with contextlib.suppress(OSError):
                os.rmdir(path)


def _removable(
    path: str, kind: OutputKind, left_by: str | None, *, overwrite: bool
) -> Collection[str]:
    """Returns the files of a directory, all of which may be removed; relative paths."""
    names = _names(path, staged=not left_by)  # without a killed run, staged files are not ours
    if not names:
        return []
    unfinished = left_by == kind.name and not kind.is_complete(path)
    if not overwrite and not unfinished:
        raise FileExistsError(
            f"The output directory '{path}' is not empty. Expected: a new or empty directory. "
            f"Received: out={path}. Choose another directory, or pass --overwrite."
        )
    patterns = kind.owned_patterns(path, left_by)
    if patterns is None:
        raise FileExistsError(
            f"'{path}' holds files that latentloom did not write as a {kind.name}, so --overwrite "
            f"keeps them. Expected: a {kind.name} of an earlier run. Received: out={path}. Empty "
            "it by hand or choose another directory."
        )
    if strangers := [name for name in names if not matches(name, patterns)]:
        raise _stranger(path, strangers[0], f"is no file of the {kind.name} in '{path}'")
    return names


def _stranger(path: str, name: str, what: str) -> FileExistsError:
    return FileExistsError(
        f"'{os.path.join(path, name)}' {what}, so everything there stays. Expected: only files "
        f"that latentloom wrote. Received: out={path}. Move the file away or choose another "
        "directory."
    )


def _names(path: str, *, staged: bool = False) -> list[str]:
    """Returns the files below a directory but the lock, with or without staged ones; relative."""
    names = [name for name in walk(path) if name != LOCK_FILE]
    return names if staged else [n for n in names if not n.startswith(f"{STAGING}/")]


def _remove(path: str, names: Collection[str]) -> None:
    with _readable_refusal(path):
        for name in names:
            remove(os.path.join(path, name))
        remove_empty_folders(path, names)


def _check_no_file(path: str) -> None:
    if exists(path) and not is_folder(path):
        raise NotADirectoryError(
            f"The output '{path}' is a file. Expected: a directory. Received: out={path}. "
            "Choose another directory."
        )


@contextlib.contextmanager
def _readable_refusal(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:  # of ours
            raise
        raise PermissionError(
            f"The output directory '{path}' is not writable. Expected: a writable directory on a "
            f"disk with space. Received: out={path}: {error.strerror}. "
            "Choose another directory or change its permissions."
        ) from error
