"""A split is written to any number of shards with few files open."""

import resource

import numpy as np
import pytest

from latentloom.pipeline.importing import write_split
from latentloom.pipeline.importing.import_dataset import import_dataset


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / "images.npz"
    images = np.random.default_rng(0).integers(0, 256, (500, 4, 4, 1), dtype=np.uint8)
    np.savez(file, images=images, label=np.arange(500) % 5)
    return f"npz:{file}"


def hashes(dataset):
    return [shard.sha256 for shard in dataset.manifest.shards]


def test_more_shards_than_files_may_be_open_are_written(archive, tmp_path):
    expected = hashes(import_dataset(archive, tmp_path / "a", shards=300, name="x"))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, limits[1]))
    try:
        found = import_dataset(archive, tmp_path / "b", shards=300, name="x")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert hashes(found) == expected
    assert found.manifest.num_examples("train") == 500


def test_how_long_records_wait_does_not_show(archive, tmp_path, monkeypatch):
    expected = hashes(import_dataset(archive, tmp_path / "a", shards=7, name="x"))
    monkeypatch.setattr(write_split, "_WAITING_BYTES", 1)
    assert hashes(import_dataset(archive, tmp_path / "b", shards=7, name="x")) == expected
