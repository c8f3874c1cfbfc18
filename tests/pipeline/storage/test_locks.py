"""One run at a time writes to a directory, and a dead one keeps nobody out."""

import os
import signal
import subprocess
import sys

import pytest

from latentloom.pipeline.storage.locks import LOCK_FILE, locked

HOLD = """
import sys, time
from latentloom.pipeline.storage.locks import locked
with locked(sys.argv[1], "data set"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_directory_that_another_process_holds_is_refused(tmp_path, holder):
    with (
        pytest.raises(FileExistsError, match="Another run is writing to"),
        locked(str(tmp_path), "data set"),
    ):
        pass


def test_a_process_that_is_killed_leaves_no_lock(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK_FILE).exists(), "it was killed too late for this test"
    with locked(str(tmp_path), "data set") as left_by:
        assert left_by == "data set"
        with pytest.raises(FileExistsError, match="Another run"), locked(str(tmp_path), "data set"):
            pass
    assert not (tmp_path / LOCK_FILE).exists()


def test_the_second_of_one_process_is_refused_and_the_next_is_not(tmp_path):
    with locked(str(tmp_path), "data set"):
        with (
            pytest.raises(FileExistsError, match="Wait until it ends"),
            locked(str(tmp_path), "data set"),
        ):
            pass
    with locked(str(tmp_path), "data set"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"7", b"[" * 900, b'{"latentloom writes": ["data set"]}']
)
def test_a_lock_file_that_is_not_ours_stays_as_it_is(tmp_path, content):
    (tmp_path / LOCK_FILE).write_bytes(content)
    with pytest.raises(FileExistsError, match="not a lock of"), locked(str(tmp_path), "data set"):
        pass
    assert (tmp_path / LOCK_FILE).read_bytes() == content


def test_a_pipe_or_a_link_is_no_lock(tmp_path):
    os.mkfifo(tmp_path / LOCK_FILE)
    with pytest.raises(FileExistsError, match="not a lock of"), locked(str(tmp_path), "data set"):
        pass
    (tmp_path / LOCK_FILE).unlink()
    (tmp_path / LOCK_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError, match="not a lock of"), locked(str(tmp_path), "data set"):
        pass
    assert not (tmp_path / "elsewhere").exists()
