import hashlib
import resource
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline.records import (
    BadRecord,
    ShardWriter,
    frame,
    read_records,
    serialize,
    sha256_file,
    write_atomic,
)

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


def test_the_writer_counts_and_hashes_what_it_writes(tmp_path):
    with ShardWriter(tmp_path / "a") as writer:
        writer.write(b"one")
        writer.write(b"two")
    data = (tmp_path / "a").read_bytes()
    assert (writer.records, writer.num_bytes) == (2, len(data))
    assert writer.sha256 == hashlib.sha256(data).hexdigest() == sha256_file(tmp_path / "a")


def test_a_shard_without_records_is_an_empty_file(tmp_path):
    with ShardWriter(tmp_path / "a") as writer:
        pass
    assert (tmp_path / "a").read_bytes() == b""
    assert writer.sha256 == hashlib.sha256(b"").hexdigest()


def test_a_shard_appears_only_when_it_is_complete(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with ShardWriter(tmp_path / "a") as writer:
        writer.write(b"new")
        assert (tmp_path / "a").read_bytes() == b"old"
    assert (tmp_path / "a").read_bytes() == frame(b"new")


def test_a_failed_shard_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), ShardWriter(tmp_path / "a") as writer:  # noqa: PT012
        writer.write(b"half")
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="free space"):
            write_atomic(tmp_path / "a", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="choose another folder"):
        write_atomic(tmp_path / "none" / "a", "text")


def test_text_is_written_as_utf8(tmp_path):
    write_atomic(tmp_path / "a", "é")
    assert (tmp_path / "a").read_bytes() == "é".encode()


def test_serialize_keeps_every_kind_of_value():
    features = {"b": b"\xff", "t": "é", "i": -3, "n": np.int64(7), "f": 0.5, "l": ["x", "é"]}
    features |= {"yes": True, "no": np.bool_(False), "g": np.float32(0.25), "none": []}
    found = tf.train.Example.FromString(serialize(features)).features.feature
    assert found["b"].bytes_list.value == [b"\xff"]
    assert found["t"].bytes_list.value == ["é".encode()]
    assert [found[name].int64_list.value[0] for name in ("i", "n", "yes", "no")] == [-3, 7, 1, 0]
    assert [found[name].float_list.value[0] for name in ("f", "g")] == [0.5, 0.25]
    assert found["l"].bytes_list.value == [b"x", "é".encode()]
    assert found["none"].bytes_list.value == []


def test_serialize_does_not_depend_on_the_order_of_the_features():
    names = [f"feature{number}" for number in range(50)]
    features = {name: number for number, name in enumerate(names)}
    assert serialize(features) == serialize(dict(reversed(features.items())))


def test_serialize_refuses_other_kinds():
    with pytest.raises(TypeError, match="Feature 'x' .* Convert it first"):
        serialize({"x": [1, 2]})  # type: ignore[dict-item]
