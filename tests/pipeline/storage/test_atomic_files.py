"""Files appear under their names complete or not at all."""

import hashlib
import resource

import pytest

from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import sha256_file
from latentloom.pipeline.storage.tfrecords import ShardWriter, frame


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


def test_a_resting_writer_goes_on(tmp_path):
    with ShardWriter(tmp_path / "a") as writer:
        writer.rest()
        writer.write(b"one")
        writer.rest()
        writer.rest()
        writer.write_all([b"two", b"three"])
        writer.rest()
    data = frame(b"one") + frame(b"two") + frame(b"three")
    assert (tmp_path / "a").read_bytes() == data
    assert (writer.records, writer.sha256) == (3, hashlib.sha256(data).hexdigest())


def test_a_resting_writer_that_fails_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), ShardWriter(tmp_path / "a") as writer:  # noqa: PT012
        writer.write(b"half")
        writer.rest()
        raise RuntimeError("stop")
    assert not list(tmp_path.iterdir())
