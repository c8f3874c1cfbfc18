"""Saves the weights of a network atomically: a file is complete or missing."""

from __future__ import annotations

import errno
import math
import os
import shutil
from pathlib import Path

import keras

SUFFIX = ".weights.h5"
OVERHEAD = 1 << 20
"""Bytes that HDF5 may add to the arrays."""


def save_weights(network: keras.Model, path: Path) -> None:
    """Writes weights, and the state of the optimizer if there is one, then renames.

    Args:
        network: The network.
        path: File to write, its name ends in `.weights.h5`.

    Raises:
        OSError: The disk has too little space. This is checked first, since HDF5 crashes on a full
            disk.
    """
    optimizer = getattr(network, "optimizer", None)
    variables = [*network.variables, *(optimizer.variables if optimizer else ())]
    needed = sum(4 * math.prod(variable.shape) for variable in variables) + OVERHEAD
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"The weights cannot be written. Expected: {needed:,} free bytes on the disk. "
            f"Received: {free:,}. Free some space and go on with --resume",
            str(path),
        )
    partial = path.with_name(f".{path.name.removesuffix(SUFFIX)}.tmp{SUFFIX}")
    network.save_weights(partial, overwrite=True)
    os.replace(partial, path)
