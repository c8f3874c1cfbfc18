"""Records by number: what is streamed, in any order, after one scan that checks the lengths."""

import pickle
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from bundles import make

import latentloom
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.reader import read
from latentloom.pipeline.storage.record_offsets import find_offsets


def same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])


@pytest.fixture
def streamed(dataset):
    return list(iter(read(dataset.path)))


def test_a_record_by_number_is_the_one_that_is_streamed(dataset, streamed):
    records = latentloom.open_dataset(dataset.path)
    assert len(records) == len(streamed) == records.splits["train"] == 48
    for place in (0, 47, 23, -1, -48, np.int64(5)):
        same(records[place], streamed[place])


@pytest.mark.parametrize(
    "rows",
    [
        slice(3, 9),
        slice(None, None, -7),
        slice(40, 200),
        slice(5, 5),
        [7, 3, 3, -1],
        np.arange(48) % 2 == 0,
        np.array([], int),
        [],
    ],
)
def test_a_slice_is_a_sequence_of_its_records(dataset, streamed, rows):
    expected = np.array(streamed, object)[rows].tolist()
    records = read(dataset.path)[rows]
    assert len(records) == len(expected)
    for found in (records, [records[n] for n in range(len(records))], records[:]):
        for one, other in zip(found, expected, strict=True):
            same(one, other)


def test_parts_and_selections_have_numbers_too(tmp_path, dataset, streamed):
    part = read(dataset.path, worker=1, num_workers=3)
    assert [record["example_id"] for record in part[:]] == [r["example_id"] for r in streamed[1::3]]
    variants = make(tmp_path / "variants", "generate.gate.min_confidence=0.5")
    sure = read(variants.path, min_confidence=0.99)
    assert [r["example_id"] for r in sure[:]] == [r["example_id"] for r in sure]
    assert 0 < len(sure) < len(read(variants.path))


def test_next_gives_one_record_after_the_other(dataset, streamed):
    records = read(dataset.path)
    same(next(records), streamed[0])
    same(next(records), streamed[1])
    assert len(list(records)) == 48


@pytest.mark.parametrize("row", [48, -49, 1 << 70])
def test_a_number_out_of_range_is_an_index_error(dataset, row):
    with pytest.raises(IndexError, match="Count from 0"):
        read(dataset.path)[row]


@pytest.mark.parametrize("row", [1.0, "1", None, np.zeros((2, 2), int), [0.5]])
def test_what_is_no_number_of_a_record_is_a_type_error(dataset, row):
    with pytest.raises(TypeError):
        read(dataset.path)[row]


def test_a_pickled_copy_reads_on(dataset, streamed):
    records = latentloom.open_dataset(dataset.path)
    assert records[3]
    copy = pickle.loads(pickle.dumps(records))
    same(copy[4], streamed[4])
    same(pickle.loads(pickle.dumps(records[2:8]))[1], streamed[3])


def test_threads_may_read_at_a_time(dataset, streamed):
    records, places = latentloom.open_dataset(dataset.path), [*range(48)] * 4
    with ThreadPoolExecutor(8) as pool:
        for place, record in zip(places, pool.map(records.__getitem__, places), strict=True):
            same(record, streamed[place])


def test_offsets_are_the_places_of_the_frames(dataset):
    path, shard = dataset.shard_path("train", 0), dataset.shards("train")[0]
    content, offsets = Path(path).read_bytes(), find_offsets(path, shard.records)
    assert (offsets[0], offsets[-1]) == (0, len(content))
    for start, end in zip(offsets[:-1], offsets[1:], strict=True):
        assert struct.unpack("<Q", content[start : start + 8])[0] == end - start - 16


def change(path, place, data):
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(data)


def test_a_damaged_length_is_named(dataset):
    change(dataset.shard_path("train", 1), 0, b"\xff")
    with pytest.raises(ValueError, match="00001-of-00002.*checksum of a record's length.*verify"):
        read(dataset.path)[0]


def test_a_damaged_record_is_named_and_others_are_read(dataset):
    change(dataset.shard_path("train", 0), 40, b"\xff\xff\xff")
    records = read(dataset.path)
    assert records[1]["example_id"]
    with pytest.raises(ValueError, match=r"record 0 of .*checksum of its data.*latentloom verify"):
        records[0]


def test_a_manifest_that_counts_wrongly_is_told(dataset):
    path = dataset.shard_path("train", 0)
    count = dataset.shards("train")[0].records
    for wrong in (count - 1, count + 1, 1 << 40):
        with pytest.raises(ValueError, match=f"Expected: {wrong} records"):
            find_offsets(path, wrong)


def test_an_index_is_written_once_and_used(dataset, streamed, tmp_path, monkeypatch):
    index = tmp_path / "records.index.npz"
    same(latentloom.open_dataset(dataset.path, index=index)[7], streamed[7])
    written = index.read_bytes()
    monkeypatch.setattr("latentloom.pipeline.reader.record_slices.find_offsets", None)
    same(latentloom.open_dataset(dataset.path, index=index)[9], streamed[9])
    assert index.read_bytes() == written
    assert latentloom.verify(dataset.path).ok


def test_an_index_of_other_data_is_refused(dataset, npz, tmp_path):
    index = tmp_path / "records.index.npz"
    assert latentloom.open_dataset(dataset.path, index=index)[0]
    other = import_dataset(npz, tmp_path / "other", shards=3)
    for path, split in ((dataset.path, "test"), (other.path, "train")):
        with pytest.raises(ValueError, match="index.npz' cannot be read.*Remove it"):
            latentloom.open_dataset(path, split, index=index)[0]


@pytest.mark.parametrize("damage", ["truncated", "text", "offsets"])
def test_a_damaged_index_is_refused(dataset, tmp_path, damage):
    index = tmp_path / "records.index.npz"
    assert latentloom.open_dataset(dataset.path, index=index)[0]
    if damage == "truncated":
        index.write_bytes(index.read_bytes()[:-30])
    elif damage == "text":
        index.write_text("no index")
    else:
        arrays = dict(np.load(index))
        arrays["offsets"][1] = 1 << 60
        np.savez(index, **arrays)
    with pytest.raises(ValueError, match="index.npz' cannot be read.*Remove it"):
        latentloom.open_dataset(dataset.path, index=index)[0]


def test_an_index_in_the_data_set_is_refused(dataset):
    with pytest.raises(ValueError, match="lies in the input"):
        latentloom.open_dataset(dataset.path, index=Path(dataset.path) / "index.npz")[0]
    assert not (Path(dataset.path) / "index.npz").exists()
