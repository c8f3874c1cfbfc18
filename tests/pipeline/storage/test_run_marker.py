"""Directories that belong to one run."""

import json

import pytest

from latentloom.pipeline.storage.locks import LOCK_FILE
from latentloom.pipeline.storage.ownership import OutputKind
from latentloom.pipeline.storage.run_marker import RunMarker

FILE = "state/run.json"
WORK = OutputKind("work", lambda path: None, (FILE, "work"), {FILE: ("digest",)})


def marker(out, digest="a" * 64, **options) -> RunMarker:
    return RunMarker(out, FILE, {"digest": digest, "sizes": (1, 2)}, **options)


def hold(marker, *, overwrite=False):
    with marker.held(WORK, overwrite=overwrite):
        pass


def test_a_new_directory_is_marked_and_the_same_run_goes_on_with_what_is_in_it(tmp_path):
    out = tmp_path / "out"
    assert not marker(out).exists()
    hold(marker(out))
    (out / "work").write_text("half done")
    hold(marker(out))
    assert (out / "work").read_text() == "half done"


def test_another_run_is_refused_and_told_what_differs(tmp_path):
    hold(marker(tmp_path / "out"))
    with pytest.raises(FileExistsError, match="another run.*another digest.*--overwrite"):
        hold(marker(tmp_path / "out", "b" * 64))
    with pytest.raises(ValueError, match="belongs to another run"):
        hold(marker(tmp_path / "out", "b" * 64, error=ValueError))


def test_overwriting_gives_the_directory_to_another_run(tmp_path):
    out = tmp_path / "out"
    hold(marker(out))
    (out / "work").write_text("half done")
    hold(marker(out, "b" * 64), overwrite=True)
    assert not (out / "work").exists()
    assert json.loads((out / FILE).read_text())["digest"] == "b" * 64


def test_a_directory_that_holds_something_unmarked_is_not_taken(tmp_path):
    (tmp_path / "mine").write_text("of a person")
    with pytest.raises(FileExistsError, match="is not empty"):
        hold(marker(tmp_path))
    assert not marker(tmp_path).exists()


def test_notes_are_written_and_not_compared(tmp_path):
    marker(tmp_path, notes={"data": "here"}).mark()
    marker(tmp_path, notes={"data": "there"}).mark()
    found = json.loads((tmp_path / FILE).read_text())
    assert found == {"digest": "a" * 64, "sizes": [1, 2], "data": "here"}


def test_a_marker_with_other_contents_makes_a_directory_not_ours(tmp_path):
    hold(marker(tmp_path))
    (tmp_path / FILE).write_text("[]")
    with pytest.raises(FileExistsError, match="did not write as a work"):
        hold(marker(tmp_path), overwrite=True)


def test_a_lock_does_not_keep_a_directory_from_being_claimed(tmp_path):
    (tmp_path / LOCK_FILE).touch()
    hold(marker(tmp_path))
    assert marker(tmp_path).exists()
