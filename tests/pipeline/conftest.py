"""Small sources with known contents."""

from pathlib import Path

import numpy as np
import pytest

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.importing.import_dataset import import_dataset


def small_arrays(count: int = 60) -> dict[str, np.ndarray]:
    """RGB images with three classes, a factor and a split."""
    rng = np.random.default_rng(0)
    return {
        "images": rng.integers(0, 256, (count, 6, 5, 3), dtype=np.uint8),
        "label": np.array(["cat", "dog", "eel"])[np.arange(count) % 3],
        "size": np.array([10, 2])[np.arange(count) % 2],
        "split": np.where(np.arange(count) % 5 == 0, "test", "train"),
    }


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return small_arrays()


@pytest.fixture
def npz(tmp_path: Path, arrays: dict[str, np.ndarray]) -> str:
    np.savez(tmp_path / "pets.npz", **arrays)  # type: ignore[arg-type]
    return f"npz:{tmp_path / 'pets.npz'}"


@pytest.fixture
def dataset(tmp_path: Path, npz: str) -> DatasetDir:
    """The arrays, imported in two shards a split."""
    return import_dataset(npz, tmp_path / "pets", shards=2)
