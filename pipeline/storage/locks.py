"""A lock on an output directory that ends with its process."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator

from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import exists, is_remote, read_text, remove

LOCK_FILE = ".lock"
LEASE_SECONDS = 5.0
"""Interval at which a run renews its lease on a remote directory; a second run waits for three."""
_WRITES = "latentloom writes"
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


@contextlib.contextmanager
def locked(directory: str, writes: str) -> Iterator[str | None]:
    """Locks a directory while the block runs.

    Locks a local directory by an operating system lock on a file in it; the lock ends with the
    process. Locks a remote directory by a lease that the run renews every few seconds. A lease that
    changes is held; one that does not change belongs to a dead process. Compares no clocks.

    The file says what the run writes and stays if the process is killed. It also stays if the block
    fails in a directory that a killed run left, so that the next run still knows.

    Args:
        directory: The directory.
        writes: What the run writes into it, such as `data set`.

    Yields:
        What a killed run wrote into the directory; None if none was killed here.

    Raises:
        FileExistsError: If another process holds it, or its lock file is not ours.
        OSError: If the directory is not writable.
    """
    lock = _leased if is_remote(directory) else _flocked
    with lock(os.path.join(directory, LOCK_FILE), writes) as left_by:
        yield left_by


def left_in(directory: str) -> str | None:
    """Returns what a killed run wrote into a directory; None if none was killed there."""
    path = os.path.join(directory, LOCK_FILE)
    try:
        return _left_by(path, read_text(path)) if exists(path) else None
    except FileExistsError:
        return None


@contextlib.contextmanager
def _flocked(path: str, writes: str) -> Iterator[str | None]:
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise _not_ours(path)
    with open(os.open(path, _OPEN, 0o666), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                raise BlockingIOError("another process replaced the file in between")
        except (BlockingIOError, FileNotFoundError) as error:
            raise _held(path) from error
        left_by = _left_by(path, file.read(1000))
        file.seek(0)
        file.truncate()
        file.write(_content(left_by or writes).encode())
        file.flush()
        with _removed_at_the_end(path, left_by):
            yield left_by


@contextlib.contextmanager
def _leased(path: str, writes: str) -> Iterator[str | None]:
    left_by = None
    if exists(path):
        before = read_text(path)
        time.sleep(3 * LEASE_SECONDS)
        if exists(path) and read_text(path) != before:
            raise _held(path)
        left_by = _left_by(path, before)
    stop, owner = threading.Event(), secrets.token_hex(8)

    def renew(count: int = 0) -> None:
        write_atomic(path, _content(left_by or writes, owner=owner, count=count))

    def renew_all() -> None:
        count = 0
        while not stop.wait(LEASE_SECONDS):
            count += 1
            renew(count)

    renew()
    renewer = threading.Thread(target=renew_all, daemon=True)
    renewer.start()
    with _removed_at_the_end(path, left_by):
        try:
            yield left_by
        finally:
            stop.set()
            renewer.join()


@contextlib.contextmanager
def _removed_at_the_end(path: str, left_by: str | None) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if left_by is None:
            remove(path)
        raise
    remove(path)


def _content(writes: str, **more: str | int) -> str:
    return json.dumps({_WRITES: writes, **more}) + "\n"


def _left_by(path: str, content: str | bytes) -> str | None:
    """Returns what the run wrote whose lock file has this content; None for an empty file."""
    if not content:
        return None
    try:
        writes = json.loads(content)[_WRITES]
    except (ValueError, TypeError, KeyError, RecursionError):
        writes = None
    if not isinstance(writes, str):
        raise _not_ours(path)
    return writes


def _not_ours(path: str) -> FileExistsError:
    return FileExistsError(
        f"'{path}' is not a lock of latentloom, so it stays. Expected: no other file of this "
        f"name in the output directory. Received: out={os.path.dirname(path)}. Move it away "
        "or choose another directory."
    )


def _held(path: str) -> FileExistsError:
    directory = os.path.dirname(path)
    return FileExistsError(
        f"Another run is writing to '{directory}' right now. Expected: one run at a time. "
        f"Received: out={directory}, which is locked. Wait until it ends, or choose another "
        "directory."
    )
