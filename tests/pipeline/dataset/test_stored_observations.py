"""Images that stay in their shards: the rows of an array, read when they are asked for."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from bundles import digits_config, digits_data

from latentloom.model_zoo.training.checkpoints import Checkpoints
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage import record_files
from latentloom.pipeline.storage.tfrecords import read_records
from latentloom.pipeline.training.train import train_bundle


def in_memory(dataset: DatasetDir, split: str = "train") -> Examples:
    shards = range(len(dataset.shards(split)))
    return Examples.concatenate([dataset.read_shard(split, index)[0] for index in shards])


@pytest.fixture
def dataset(tmp_path) -> DatasetDir:
    """A copy of the digits, to damage."""
    shutil.copytree(digits_data(), tmp_path / "data")
    return DatasetDir.open(tmp_path / "data")


@pytest.fixture(scope="module")
def both() -> tuple[Examples, Examples]:
    dataset = DatasetDir.open(digits_data())
    return dataset.read("train"), in_memory(dataset)


@pytest.mark.parametrize(
    "rows",
    [
        3,
        -1,
        slice(None),
        slice(5, 90, 7),
        slice(0, 0),
        np.array([4, 4, 0, 250]),
        np.array([[3, 1], [250, 0], [2, 2]]),
        [7, 1],
    ],
    ids=str,
)
def test_rows_are_those_of_the_array_in_memory(both, rows):
    stored, array = both
    found, expected = stored.observations[rows], array.observations[rows]
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_a_mask_selects_rows(both):
    stored, array = both
    mask = np.arange(len(array)) % 3 == 0
    np.testing.assert_array_equal(stored.observations[mask], array.observations[mask])


def test_all_else_is_as_in_memory(both):
    stored, array = both
    assert isinstance(stored.observations, StoredObservations)
    assert stored.observations.shape == array.observations.shape
    assert stored.observations.ndim == array.observations.ndim
    assert stored.ids == array.ids
    for name, codes in array.factors.items():
        np.testing.assert_array_equal(stored.factors[name], codes)
    np.testing.assert_array_equal(stored.loaded().observations, array.observations)


def test_a_selection_of_a_selection_reads_nothing_until_it_is_asked(both, monkeypatch):
    stored, array = both
    with monkeypatch.context() as unread:
        unread.setattr(record_files.RecordFiles, "read", None)
        some = stored.take(np.arange(100)).take(np.arange(100) % 2 == 1)
    np.testing.assert_array_equal(some.observations[:], array.observations[1:100:2])


def test_joined_parts_are_read_from_their_own_data_sets(both, dataset):
    stored, array = both
    other = dataset.read("test")
    together = Examples.concatenate([stored.take(np.arange(5)), other, stored.take([250])])
    assert isinstance(together.observations, StoredObservations)
    expected = [array.observations[:5], in_memory(dataset, "test").observations]
    expected.append(array.observations[250:251])
    np.testing.assert_array_equal(together.loaded().observations, np.concatenate(expected))
    np.testing.assert_array_equal(stored.observations[:5], array.observations[:5])


def test_more_shards_than_may_be_open_are_read(both, dataset, monkeypatch):
    monkeypatch.setattr(record_files, "MOST_OPEN", 1)
    rows = np.array([0, 299, 150, 1, 298]) % len(both[1])
    found = dataset.read("train").observations[rows]
    np.testing.assert_array_equal(found, both[1].observations[rows])


def test_a_sample_is_read_from_its_own_records(dataset):
    some, whole = dataset.read("train", limit=20), dataset.read("train")
    rows = [whole.ids.index(example_id) for example_id in some.ids]
    np.testing.assert_array_equal(some.observations[:], whole.observations[np.array(rows)])


def test_a_shard_that_is_gone_is_named(dataset):
    examples = dataset.read("train")
    shutil.move(dataset.shard_path("train", 1), dataset.shard_path("train", 1) + ".away")
    with pytest.raises(FileNotFoundError, match=r"00001-of-.*it is gone.*--resume"):
        examples.loaded()


def test_a_shard_of_another_size_is_named(dataset):
    examples = dataset.read("train")
    with open(dataset.shard_path("train", 0), "ab") as shard:
        shard.write(b"more")
    with pytest.raises(ValueError, match=r"00000-of-.*bytes instead of.*--resume"):
        examples.loaded()


@pytest.mark.parametrize("place", ["length", "data", "checksum"])
def test_a_record_that_is_damaged_meanwhile_is_named(dataset, place):
    examples, path = dataset.read("train"), dataset.shard_path("train", 0)
    first = next(iter(read_records(path)))
    at = {"length": 3, "data": 12 + len(first) // 2, "checksum": 12 + len(first)}[place]
    with open(path, "r+b") as shard:
        shard.seek(at)
        byte = shard.read(1)[0]
        shard.seek(at)
        shard.write(bytes([byte ^ 16]))
    assert len(examples.observations[1:3]) == 2
    with pytest.raises(ValueError, match=r"00000-of-.*record 0: .*--resume"):
        examples.observations[:1]


def test_training_from_shards_gives_the_weights_of_training_in_memory(tmp_path, monkeypatch):
    config = digits_config("train.epochs=2", "judge.epochs=1")
    monkeypatch.setattr(StoredObservations, "__array__", None)  # the whole array is never made
    stored = train_bundle(config, digits_data(), tmp_path / "stored")
    monkeypatch.setattr(KINDS["image"], "stays_in_shards", False)
    loaded = train_bundle(config, digits_data(), tmp_path / "loaded")
    assert stored.digest == loaded.digest


def test_a_training_whose_shard_vanishes_goes_on_when_it_is_back(dataset, tmp_path, monkeypatch):
    config = digits_config("train.epochs=3", "judge.epochs=1")
    unbroken = train_bundle(config, digits_data(), tmp_path / "unbroken")
    shard, end_epoch = Path(dataset.shard_path("train", 1)), Checkpoints.on_epoch_end

    def end_epoch_and_lose_a_shard(self, epoch, logs=None):
        end_epoch(self, epoch, logs)
        if epoch == 1:
            shard.rename(tmp_path / "away")

    with monkeypatch.context() as during:
        during.setattr(record_files, "MOST_OPEN", 1)
        during.setattr(Checkpoints, "on_epoch_end", end_epoch_and_lose_a_shard)
        with pytest.raises(FileNotFoundError, match=r"it is gone.*--resume"):
            train_bundle(config, dataset.path, tmp_path / "out")
    assert not (tmp_path / "out" / "bundle.json").exists()
    (tmp_path / "away").rename(shard)
    resumed = train_bundle(config, dataset.path, tmp_path / "out", resume=True)
    assert resumed.digest == unbroken.digest
