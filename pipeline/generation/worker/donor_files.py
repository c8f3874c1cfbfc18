"""The donor bank of a job as a file, so that a rerun need not sample it again."""

from __future__ import annotations

import functools
import io
import os

import numpy as np

from latentloom.augment import DonorBank
from latentloom.model_zoo.archives import read_arrays
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import make_folders, open_binary

_FACTOR, _BLOCK = "factor/", "block/"


def write_donors(bank: DonorBank, path: str) -> str:
    """Writes a bank atomically as arrays and returns the path."""
    arrays = {"keys": bank.keys, "ids": bank.ids, "capacity": np.array(bank.capacity)}
    arrays |= {_FACTOR + name: values for name, values in bank.factors.items()}
    arrays |= {_BLOCK + name: values for name, values in bank.latents.items()}
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **arrays)
    make_folders(os.path.dirname(path))
    write_atomic(path, archive.getvalue())
    return path


@functools.lru_cache(maxsize=1)
def read_donors(path: str, job: str) -> DonorBank:
    """Reads a bank, once per process and job.

    Args:
        path: Path of the file.
        job: Digest of the job, since another job may have written its own bank to the same path.
    """
    with open_binary(path) as stream:
        arrays = read_arrays(io.BytesIO(stream.read()), path)

    def named(prefix: str) -> dict[str, np.ndarray]:
        return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}

    return DonorBank(
        arrays["keys"], arrays["ids"], named(_FACTOR), named(_BLOCK), int(arrays["capacity"])
    )
