"""One run at a time writes to a directory, and a dead one keeps nobody out."""

import os
import signal
import subprocess
import sys

import pytest

from latentloom.pipeline.storage.locks import LOCK_FILE, locked
from latentloom.pipeline.storage.output_directories import held_directory

HOLD = """
import sys, time
from latentloom.pipeline.storage.locks import locked
with locked(sys.argv[1]):
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
    with pytest.raises(FileExistsError, match="Another run is writing to"), locked(str(tmp_path)):
        pass


def test_a_process_that_is_killed_leaves_no_lock(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK_FILE).exists(), "it was killed too late for this test"
    with locked(str(tmp_path)):
        with pytest.raises(FileExistsError, match="Another run"), locked(str(tmp_path)):
            pass
    assert not (tmp_path / LOCK_FILE).exists()


def test_the_second_of_one_process_is_refused_and_the_next_is_not(tmp_path):
    with locked(str(tmp_path)):
        with pytest.raises(FileExistsError, match="Wait until it ends"), locked(str(tmp_path)):
            pass
    with locked(str(tmp_path)):
        pass
    assert not list(tmp_path.iterdir())


def test_a_directory_that_is_refused_is_left_as_it_was(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with (
            pytest.raises(FileExistsError),
            held_directory(str(tmp_path), overwrite=overwrite, resumable_by=".job"),
        ):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_is_emptied_keeps_the_lock(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with held_directory(str(tmp_path), overwrite=True, resumable_by=".job"):
        assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]
        with pytest.raises(FileExistsError, match="Another run"), locked(str(tmp_path)):
            pass
