"""Splits that stand where an import does not look: taken or refused, never trained on unsaid."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from independent import details, records
from PIL import Image
from pyarrow import parquet
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import frame

RNG = np.random.default_rng(0)
COUNT = 12
PICTURES = RNG.integers(0, 256, (COUNT, 6, 5), np.uint8)
LABELS = np.arange(COUNT) % 2
PARTS = ["Train"] * 8 + ["test"] * 4


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def refusal(result: Result) -> str:
    assert result.exit_code != 0
    return " ".join(f"{result.exception} {result.output}".split())


def sizes(folder: Path) -> dict[str, int]:
    found = {split: len(records(folder, split)) for split in ("train", "validation", "test")}
    return {split: size for split, size in found.items() if size}


def png(row: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURES[row]).save(file, "PNG")
    return file.getvalue()


def save(path: Path, row: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(row))


def test_a_capital_letter_begins_a_word_in_a_folder(tmp_path):
    for split in ("trainSet", "valSet", "TestSet"):
        for label in "ab":
            save(tmp_path / "d" / split / label / "1.png")
    assert run(f"folder:{tmp_path / 'd'}", tmp_path / "out").exit_code == 0
    assert sizes(tmp_path / "out") == {"train": 2, "validation": 2, "test": 2}


def test_domains_by_split_are_no_classes(tmp_path):
    for split in ("trainA", "trainB", "testA", "testB"):
        save(tmp_path / "d" / split / "1.png")
    told = refusal(run(f"folder:{tmp_path / 'd'}", tmp_path / "out"))
    assert "images without a class" in told
    assert "'testA'" in told


def test_splits_in_a_split_are_no_classes(tmp_path):
    for split in ("train", "val"):
        save(tmp_path / "d" / "train" / split / "cat" / "1.png")
    told = refusal(run(f"folder:{tmp_path / 'd'}", tmp_path / "out"))
    assert "holds splits, not classes" in told
    assert "--subfolders" not in told


def archive(path: Path, **arrays) -> str:
    np.savez(path, images=PICTURES, label=LABELS, **arrays)
    return f"npz:{path}"


def test_the_case_of_the_array_split_does_not_matter(tmp_path):
    assert run(archive(tmp_path / "a.npz", Split=PARTS), tmp_path / "out").exit_code == 0
    assert sizes(tmp_path / "out") == {"train": 8, "test": 4}


def test_an_array_of_names_of_splits_is_refused_or_asked_for(tmp_path):
    spec = archive(tmp_path / "a.npz", subset=PARTS)
    told = refusal(run(spec, tmp_path / "out"))
    assert "`subset`" in told
    assert "--factors subset" in told
    assert run(spec, tmp_path / "out", "--factors", "subset").exit_code == 0
    assert {row["subset"] for row in records(tmp_path / "out")} == {"Train", "test"}


def test_arrays_named_by_capitals_are_those_of_splits(tmp_path):
    arrays = {"trainX": PICTURES[:8], "trainY": LABELS[:8], "testX": PICTURES[8:]}
    np.savez(tmp_path / "a.npz", **arrays, testY=LABELS[8:])
    assert run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out").exit_code == 0
    assert sizes(tmp_path / "out") == {"train": 8, "test": 4}


def test_a_split_without_labels_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=PICTURES, y_train=LABELS, x_test=PICTURES)
    told = refusal(run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out"))
    assert "split 'test'" in told
    assert "--split test=none" in told
    done = run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", "--split", "test=none")
    assert done.exit_code == 0


def test_images_beside_those_of_splits_are_refused(tmp_path):
    spec = archive(tmp_path / "a.npz", train_images=PICTURES, train_labels=LABELS)
    told = refusal(run(spec, tmp_path / "out"))
    assert "'train_images'" in told
    assert "'images'" in told


@pytest.mark.parametrize("column", ["subset", "Usage", "data set"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_of_names_of_splits_is_refused_or_asked_for(tmp_path, column, kind):
    columns = {"image": [f"{row}.png" for row in range(COUNT)], "label": LABELS, column: PARTS}
    for row in range(COUNT):
        save(tmp_path / f"{row}.png", row)
    spec = f"table:{tmp_path / f'a.{kind}'}"
    if kind == "csv":
        rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values()))]  # noqa: B905
        (tmp_path / "a.csv").write_text("\n".join(rows))
    else:
        parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    told = refusal(run(spec, tmp_path / "out"))
    assert f"--split {shlex.quote(column)}" in told
    assert run(spec, tmp_path / "out", "--split", column).exit_code == 0
    assert sizes(tmp_path / "out") == {"train": 8, "test": 4}
    assert run(spec, tmp_path / "all", "--factors", column).exit_code == 0
    assert sizes(tmp_path / "all") == {"train": COUNT}


def test_paths_that_tell_splits_are_refused_or_asked_for(tmp_path):
    paths = [f"{'train' if row < 8 else 'test'}/{row}.png" for row in range(COUNT)]
    for row, path in enumerate(paths):
        save(tmp_path / path, row)
    rows = [f"{path},{label}" for path, label in zip(paths, LABELS, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["file,label", *rows]))
    spec = f"table:{tmp_path / 'a.csv'}"
    told = refusal(run(spec, tmp_path / "out"))
    assert "'train/0.png' and 'test/8.png'" in told
    assert run(spec, tmp_path / "out", "--split", "file").exit_code == 0
    assert sizes(tmp_path / "out") == {"train": 8, "test": 4}
    assert run(spec, tmp_path / "all", "--split", "file,*=train").exit_code == 0
    assert sizes(tmp_path / "all") == {"train": COUNT}


def write_records(path: Path, **more) -> None:
    with path.open("wb") as file:
        for row in range(COUNT):
            file.write(frame(serialize({"image": png(row), "label": int(LABELS[row])} | more)))


def test_a_field_of_splits_is_refused_or_asked_for(tmp_path):
    write_records(tmp_path / "a.tfrecord", split=b"test")
    told = refusal(run(f"tfrecord:{tmp_path / 'a.tfrecord'}", tmp_path / "out"))
    assert "split='test'" in told
    words = ("--factors", "split")
    assert run(f"tfrecord:{tmp_path / 'a.tfrecord'}", tmp_path / "out", *words).exit_code == 0


@pytest.mark.parametrize("end", ["", "-0123abcd.tfrecord"])
def test_shards_that_are_missing_are_told(tmp_path, end):
    for number in (0, 2):
        write_records(tmp_path / f"train-0000{number}-of-00004{end}{number if end else ''}")
    done = run(f"tfrecord:{tmp_path / 'train-*'}", tmp_path / "out")
    assert done.exit_code == 0
    assert details(tmp_path / "out")["ignored"] == {"shards of 'train' are missing": 2}
    assert "train-00001-of-00004" in done.output


def test_all_shards_are_not_told(tmp_path):
    for number in range(2):
        write_records(tmp_path / f"train-0000{number}-of-00002-{number}abc")
    assert run(f"tfrecord:{tmp_path / 'train-*'}", tmp_path / "out").exit_code == 0
    assert "ignored" not in details(tmp_path / "out")
