"""A lock on an output directory that ends with its process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterator

from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import exists, is_remote, read_text, remove

LOCK_FILE = ".lock"
LEASE_SECONDS = 5.0
"""Interval at which a run renews its lease on a remote directory; a second run waits for three."""


@contextlib.contextmanager
def locked(directory: str) -> Iterator[None]:
    """Locks a directory while the block runs.

    Locks a local directory by an operating system lock on a file in it; the lock ends with the
    process. Locks a remote directory by a lease that the run renews every few seconds. A lease that
    changes is held; one that does not change belongs to a dead process. Compares no clocks.

    Args:
        directory: The directory.

    Raises:
        FileExistsError: If another process holds it.
        OSError: If the directory is not writable.
    """
    with (_leased if is_remote(directory) else _flocked)(os.path.join(directory, LOCK_FILE)):
        yield


@contextlib.contextmanager
def _flocked(path: str) -> Iterator[None]:
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                raise BlockingIOError("another process replaced the file in between")
        except (BlockingIOError, FileNotFoundError) as error:
            raise _held(path) from error
        try:
            yield
        finally:
            remove(path)


@contextlib.contextmanager
def _leased(path: str) -> Iterator[None]:
    if exists(path):
        before = read_text(path)
        time.sleep(3 * LEASE_SECONDS)
        if exists(path) and read_text(path) != before:
            raise _held(path)
    stop, owner = threading.Event(), secrets.token_hex(8)

    def renew() -> None:
        count = 0
        while not stop.wait(LEASE_SECONDS):
            count += 1
            write_atomic(path, f"{owner} {count}")

    write_atomic(path, f"{owner} 0")
    renewer = threading.Thread(target=renew, daemon=True)
    renewer.start()
    try:
        yield
    finally:
        stop.set()
        renewer.join()
        remove(path)


def _held(path: str) -> FileExistsError:
    directory = os.path.dirname(path)
    return FileExistsError(
        f"Another run is writing to '{directory}' right now. Expected: one run at a time. "
        f"Received: --out {directory}, which is locked. Wait until it ends, or choose another "
        "--out."
    )
