from pathlib import Path

import pytest
import tensorflow as tf

from latentloom.pipeline.storage.tfrecords import BadRecord, ShardWriter, frame, read_records

RECORDS = [b"first", b"", b"third" * 100, bytes(range(256))]


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "shard"
    with ShardWriter(path) as writer:
        for record in RECORDS:
            writer.write(record)
    return path


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def start(index: int) -> int:
    return sum(len(frame(record)) for record in RECORDS[:index])


def test_framing_equals_the_bytes_of_tensorflow(tmp_path, shard):
    with tf.io.TFRecordWriter(str(tmp_path / "reference")) as writer:
        for record in RECORDS:
            writer.write(record)
    assert shard.read_bytes() == (tmp_path / "reference").read_bytes()
    assert b"".join(map(frame, RECORDS)) == shard.read_bytes()


def test_records_are_read_as_written(shard):
    assert list(read_records(shard)) == RECORDS
    assert list(read_records(shard, expected=4)) == RECORDS


def test_a_flipped_bit_in_the_data_costs_one_record(shard):
    flip(shard, start(2) + 12)
    first, second, bad, last = read_records(shard, expected=4)
    assert [first, second, last] == [RECORDS[0], RECORDS[1], RECORDS[3]]
    assert bad == BadRecord(2, "the checksum of its data does not match")


@pytest.mark.parametrize(("expected", "lost"), [(4, [1, 2, 3]), (None, [1])])
def test_a_flipped_bit_in_a_length_costs_the_rest(shard, expected, lost):
    flip(shard, start(1))
    first, *bad = read_records(shard, expected)
    assert first == RECORDS[0]
    assert [record.index for record in bad] == lost
    assert all("checksum of a record's length" in record.reason for record in bad)


@pytest.mark.parametrize(("expected", "lost"), [(4, [2, 3]), (None, [2])])
@pytest.mark.parametrize("cut", [5, 40, 513])
def test_a_truncated_end_costs_what_is_missing(shard, cut, expected, lost):
    shard.write_bytes(shard.read_bytes()[: start(2) + cut])
    first, second, *bad = read_records(shard, expected)
    assert [first, second] == RECORDS[:2]
    assert [record.index for record in bad] == lost
    assert all("truncated" in record.reason for record in bad)


def test_a_file_that_ends_between_records_misses_the_expected_ones(shard):
    shard.write_bytes(shard.read_bytes()[: start(3)])
    assert list(read_records(shard)) == RECORDS[:3]
    assert list(read_records(shard, expected=4))[3] == BadRecord(3, "the file ends before it")
