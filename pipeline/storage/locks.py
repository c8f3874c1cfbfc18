"""A lock on an output directory that nobody holds any longer once its process is dead."""

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
"""How often the holder of a remote directory renews its lease; a second run waits thrice that."""


@contextlib.contextmanager
def locked(directory: str) -> Iterator[None]:
    """Holds a directory while the block runs.

    A local one by a lock of the operating system on a file in it, which ends with the process,
    however it ends. A remote one by a lease that is renewed every few seconds: one that is seen to
    change is held, one that does not change is that of a dead process. Clocks are not compared.

    Args:
        directory: The directory.

    Raises:
        FileExistsError: Another process holds it.
        OSError: It cannot be written to.
    """
    with (_leased if is_remote(directory) else _flocked)(os.path.join(directory, LOCK_FILE)):
        yield


@contextlib.contextmanager
def _flocked(path: str) -> Iterator[None]:
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                raise BlockingIOError("the file was removed, and another made, in between")
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
