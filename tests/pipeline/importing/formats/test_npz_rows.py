"""Archives are read in blocks: the same rows, in little memory, damage told."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from independent import images, records
from typer.testing import CliRunner, Result

from latentloom.model_zoo.archives import read_headers
from latentloom.pipeline.command import app
from latentloom.pipeline.importing.formats.npz_rows import ArchiveRows
from latentloom.pipeline.importing.open_source import open_source

RNG = np.random.default_rng(0)
SAVES = (np.savez, np.savez_compressed)
PICTURES = RNG.integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
LABELS = np.arange(40) % 2


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def rows_of(file: Path, name: str) -> ArchiveRows:
    return ArchiveRows(str(file), name, read_headers(file, file)[name], lambda stored: stored)


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("array", [PICTURES, PICTURES.astype(">f4"), np.arange(40.0)[:, None]])
@pytest.mark.parametrize(
    "places", [[0, 1, 2], [3, 5, 6, 39], [39], [7, 6, 2, 2, 30], [], list(range(40))]
)
def test_rows_are_those_of_the_array_in_any_order(tmp_path, save, array, places):
    save(tmp_path / "a.npz", one=array, other=np.arange(3))
    rows = rows_of(tmp_path / "a.npz", "one")
    for _ in range(2):
        found = rows.read(np.array(places, np.int64))
        np.testing.assert_array_equal(found, array[np.array(places, np.int64)])
    assert (len(rows), rows.event_shape, rows.dtype) == (40, array.shape[1:], array.dtype)


@pytest.mark.parametrize("save", SAVES)
def test_an_import_takes_no_memory_for_the_images(tmp_path, save):
    size = (8000, 50, 50)
    save(tmp_path / "a.npz", images=np.full(size, 99, np.uint8), label=np.arange(8000) % 2)
    tracemalloc.start()
    try:
        source = open_source(f"npz:{tmp_path / 'a.npz'}")
        assert sum(len(batch) for batch, _ in source.batches("train")) == 8000
        assert tracemalloc.get_traced_memory()[1] < 20_000_000 * 0.5
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("save", SAVES)
def test_splits_in_turns_are_read_apart(tmp_path, save):
    split = np.array(["train", "test", "train", "val"] * 10)
    save(tmp_path / "a.npz", images=PICTURES, label=LABELS, split=split)
    assert run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out").exit_code == 0
    for name, word in (("train", "train"), ("test", "test"), ("validation", "val")):
        np.testing.assert_array_equal(images(tmp_path / "out", name), PICTURES[split == word])


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("stored", [np.asfortranarray, np.ascontiguousarray])
def test_the_order_of_storage_and_of_channels_changes_nothing(tmp_path, save, stored):
    save(tmp_path / "a.npz", images=stored(np.moveaxis(PICTURES, -1, 1)), label=LABELS)
    done = run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", "--channels-first")
    assert done.exit_code == 0
    np.testing.assert_array_equal(images(tmp_path / "out"), PICTURES)
    assert [int(row["label"]) for row in records(tmp_path / "out")] == LABELS.tolist()


@pytest.mark.parametrize("words", [(), ("--split", "a=train,b=none")])
def test_a_changed_byte_is_told_and_leaves_nothing(tmp_path, words):
    splits = {"split": np.array(["a"] * 20 + ["b"] * 20)} if words else {}
    np.savez(tmp_path / "a.npz", images=PICTURES, label=LABELS, **splits)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[data.index(PICTURES.tobytes()) + 7] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    done = run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", *words)
    assert done.exit_code != 0
    assert "Array 'images'" in str(done.exception)
    assert "CRC" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_vectors_are_read_in_blocks_too(tmp_path):
    vectors = RNG.normal(size=(30, 4))
    np.savez(tmp_path / "a.npz", observations=vectors, label=np.arange(30) % 2)
    source = open_source(f"npz:{tmp_path / 'a.npz'}")
    ((batch, _),) = source.batches("train")
    np.testing.assert_array_equal(batch.observations, vectors.astype(np.float32))
