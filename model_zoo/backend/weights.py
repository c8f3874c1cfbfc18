"""Saves the weights of a network atomically, and reads weights that may come from elsewhere."""

from __future__ import annotations

import errno
import math
import os
import shutil
from pathlib import Path

import h5py
import keras

from latentloom.model_zoo.untrusted_files import told_of_file

SUFFIX = ".weights.h5"
OVERHEAD = 1 << 20
"""Bytes that HDF5 may add to the arrays."""


def save_weights(network: keras.Model, path: Path) -> None:
    """Writes weights, and the state of the optimizer if there is one, then renames.

    Equal weights give equal bytes: the names that Keras counts on with every layer of a process
    are left out.

    Args:
        network: The network.
        path: File to write, its name ends in `.weights.h5`.

    Raises:
        OSError: The disk has too little space. This is checked first, since HDF5 crashes on a full
            disk.
    """
    optimizer = getattr(network, "optimizer", None)
    variables = [*network.variables, *(optimizer.variables if optimizer else ())]
    needed = 2 * (sum(4 * math.prod(variable.shape) for variable in variables) + OVERHEAD)
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"The weights cannot be written. Expected: {needed:,} free bytes on the disk. "
            f"Received: {free:,}. Free some space and go on with --resume",
            str(path),
        )
    stem = path.name.removesuffix(SUFFIX)
    named, partial = (path.with_name(f".{stem}.{part}tmp{SUFFIX}") for part in ("named.", ""))
    network.save_weights(named, overwrite=True)
    _copy_arrays(named, partial)
    named.unlink()
    os.replace(partial, path)


def _copy_arrays(source: Path, target: Path) -> None:
    """Copies the arrays of an HDF5 file and their groups, without the attributes of groups."""
    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                old.copy(item, new, name)
            else:
                new.require_group(name)

        old.visititems(copy)


def load_weights(network: keras.Model, path: Path, fix: str) -> None:
    """Loads weights that `save_weights` wrote; checks first that the file holds what it declares.

    Args:
        network: The built network.
        path: The file.
        fix: The remedy for a damaged file, an imperative sentence.

    Raises:
        ValueError: The file is damaged, refers to other files, or has other weights.
    """
    with told_of_file(path, "the saved weights of this network, complete", fix):
        with h5py.File(path, "r") as file:
            declared = _declared_bytes(file)
        if declared > os.path.getsize(path):
            raise ValueError(f"it declares {declared} bytes of weights, more than it has")
        network.load_weights(path)


def _declared_bytes(group: h5py.Group) -> int:
    """Returns the bytes that the arrays of a group declare; all of them lie in the file itself."""
    total = 0
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"'{group.name}/{name}' is a link")
        item = group[name]
        if isinstance(item, h5py.Group):
            total += _declared_bytes(item)
        elif isinstance(item, h5py.Dataset) and _is_plain(item):
            total += math.prod(item.shape) * item.dtype.itemsize
        else:
            raise ValueError(f"'{item.name}' is no array of numbers in this file")
    return total


def _is_plain(array: h5py.Dataset) -> bool:
    return not array.external and not array.is_virtual and array.dtype.kind in "fiub"
