"""The verb `export`: what lies on disk afterwards, and what is refused."""

import re
from pathlib import Path

import pytest
from bundles import digits_bundle

from latentloom.pipeline.exporting.export_dataset import FORMATS
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.storage.locks import LOCK_FILE, _content


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_command_exports_and_replaces_only_its_own_files(latentloom, dataset, tmp_path):
    out = tmp_path / "out"
    done = latentloom("export", dataset.path, out, "--to", "folder")
    assert (done.returncode, done.stdout) == (
        0,
        f"Exported 48 train, 12 test as folder to {out}.\n",
    )
    again = latentloom("export", dataset.path, out, "--to", "parquet")
    assert again.returncode == 2
    assert "pass --overwrite" in again.stderr
    before = contents(out)
    (out / "train" / "cat" / "mine.png").touch()
    kept = latentloom("export", dataset.path, out, "--to", "parquet", "--overwrite")
    assert kept.returncode == 2
    assert "mine.png' is no file of the export" in kept.stderr
    (out / "train" / "cat" / "mine.png").unlink()
    assert contents(out) == before
    replaced = latentloom("export", dataset.path, out, "--to", "parquet", "--overwrite")
    assert replaced.returncode == 0
    assert {Path(name).suffix for name in contents(out)} == {".json", ".parquet"}
    assert not (out / "train").exists()


def test_an_edited_table_keeps_its_images(latentloom, dataset, tmp_path):
    out = tmp_path / "out"
    latentloom("export", dataset.path, out, "--to", "folder")
    with open(out / "metadata.csv", "a") as table:
        table.write("mine.png,train,cat,2,mine\n")
    before = contents(out)
    kept = latentloom("export", dataset.path, out, "--to", "folder", "--overwrite")
    assert kept.returncode == 2
    assert contents(out) == before


def test_a_killed_export_is_begun_anew(latentloom, dataset, tmp_path):
    out = tmp_path / "out"
    latentloom("export", dataset.path, out, "--to", "folder")
    whole = contents(out)
    (out / ".export.json").unlink()  # as if it was killed while the files got their places
    (out / LOCK_FILE).write_text(_content("export"))
    done = latentloom("export", dataset.path, out, "--to", "folder")
    assert done.returncode == 0, done.stderr
    assert contents(out) == whole


def damaged(dataset):
    with open(dataset.shard_path("train", 1), "r+b") as file:
        file.seek(40)
        file.write(b"\xff\xff\xff")
    return dataset.path


@pytest.mark.parametrize("to", FORMATS)
def test_a_damaged_record_leaves_nothing(latentloom, dataset, tmp_path, to):
    path = damaged(dataset)
    done = latentloom("export", path, tmp_path / "out", "--to", to)
    assert done.returncode == 2
    assert "record 0 of 'pets-train.tfrecord-00001-of-00002'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_exported_is_refused(latentloom, dataset, tmp_path):
    points = import_dataset("builtin:moons", tmp_path / "moons").path
    out = tmp_path / "out"
    for words, told in (
        ((dataset.path, out, "--to", "zip"), "one of parquet, webdataset, folder"),
        ((points, out, "--to", "webdataset"), "holds vectors.*--to parquet"),
        ((points, out, "--to", "folder"), "holds vectors.*--to parquet"),
        ((tmp_path / "none", out, "--to", "parquet"), "There is no manifest"),
        ((dataset.path, Path(dataset.path) / "out", "--to", "parquet"), "lies in the input"),
        ((dataset.path, "gs://bucket/out", "--to", "parquet"), "is a remote path"),
    ):
        done = latentloom("export", *words)
        assert done.returncode == 2
        assert re.search(told, done.stderr), done.stderr
    assert not out.exists()


def test_a_bundle_is_exported(latentloom, tmp_path):
    out = tmp_path / "model"
    done = latentloom("export", digits_bundle(), out, "--to", "saved_model")
    told = f"Exported the bundle as saved_model to {out}.\n"
    assert (done.returncode, done.stdout) == (0, told)
    assert {"saved_model.pb", "signatures.json", ".export.json"} <= set(contents(out))
    refused = latentloom("export", digits_bundle(), tmp_path / "o", "--to", "folder")
    assert refused.returncode == 2
    assert "Name a data set for the other formats" in refused.stderr
