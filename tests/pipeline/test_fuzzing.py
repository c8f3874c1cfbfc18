"""Every reader of foreign files gives a result or one of our errors, whatever a file says.

`fixtures/fuzzed_readers.py` mutates valid files in a process with little memory.
"""

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from latentloom.pipeline.importing.import_dataset import import_dataset

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = [pytest.param(100, id="100"), pytest.param(2000, id="2000", marks=pytest.mark.slow)]


def snapshot(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def idx_file(path: Path, magic: int, array: np.ndarray) -> None:
    header = struct.pack(f">I{array.ndim}I", magic, *array.shape)
    path.write_bytes(header + array.tobytes())


def documents() -> dict[str, np.ndarray]:
    return {
        "train_data": np.array([1, 2, 1, 3]),
        "train_indices": np.array([0, 1, 2, 0]),
        "train_indptr": np.array([0, 2, 3, 4]),
        "train_labels": np.array([0, 1, 0]),
        "vocab": np.array(["ape", "bee", "cat"]),
        "groups": np.array(["one", "two"]),
    }


@pytest.fixture
def valid(tmp_path, arrays):
    """A folder with a valid file for every reader, and a neighbour that nobody may touch."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "valid"
    folder.mkdir()
    np.savez(folder / "images.npz", **arrays)
    np.savez_compressed(folder / "documents.npz", **documents())
    data = import_dataset(f"npz:{folder / 'images.npz'}", folder / "data", shards=1)
    shutil.copy(data.shard_path("train", 0), folder / "valid.tfrecord")
    shutil.copy(folder / "data" / "manifest.json", folder / "manifest.json")
    images = rng.integers(0, 256, (20, 6, 5), dtype=np.uint8)
    idx_file(folder / "train-images-idx3-ubyte", 2051, images)
    idx_file(folder / "train-labels-idx1-ubyte", 2049, np.arange(20, dtype=np.uint8) % 3)
    with zipfile.ZipFile(FIXTURES / "saved" / "zszu_vae.zip") as pack:
        pack.extractall(folder, [name for name in pack.namelist() if name.startswith("bundle/")])
    (tmp_path / "thesis.tex").write_text("years of work")
    return folder


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("reader", ["tfrecord", "idx", "npz", "manifest", "bundle"])
def test_a_mutated_file_is_read_or_refused(valid, tmp_path, tmp_path_factory, reader, examples):
    before = snapshot(tmp_path)
    own = {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path_factory.mktemp("hypothesis")),
    }
    child = subprocess.run(
        [sys.executable, FIXTURES / "fuzzed_readers.py", reader, valid, str(examples)],
        cwd=valid,
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=60 + 2 * examples,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-6000:]
    assert snapshot(tmp_path) == before
