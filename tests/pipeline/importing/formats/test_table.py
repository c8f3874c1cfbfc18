"""Tables of labels and attributes, as people have them, through the command."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from independent import details, images, records
from PIL import Image
from pyarrow import parquet
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app

RNG = np.random.default_rng(0)
COUNT = 12
PICTURES = RNG.integers(0, 256, (COUNT, 9, 7, 3), np.uint8)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def refusal(result: Result) -> str:
    assert result.exit_code != 0
    return " ".join(f"{result.exception} {result.output}".split())


def save_pictures(folder: Path, suffix: str = ".png") -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number + 1:06d}{suffix}" for number in range(COUNT)]
    for name, picture in zip(names, PICTURES, strict=True):
        Image.fromarray(picture).save(folder / name)
    return names


def write_csv(path: Path, columns: dict[str, Sequence], comma: str = ",") -> str:
    rows = [comma.join(columns), *(comma.join(map(str, r)) for r in zip(*columns.values()))]  # noqa: B905
    path.write_text("\n".join(rows) + "\n")
    return f"table:{path}"


LABELS = ["cat", "dog", "eel"] * 4


@pytest.fixture
def names(tmp_path) -> list[str]:
    return [f"pictures/{name}" for name in save_pictures(tmp_path / "pictures")]


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_a_csv_of_paths_gives_back_images_labels_factors_and_splits(tmp_path, names, comma):
    columns = {
        "path": names,
        "kind": LABELS,
        "ok": [True, False] * 6,
        "sign": [-1, 1, 1] * 4,
        "size": [2, 10, 9, 2] * 3,
        "part": ["train"] * 6 + ["val"] * 3 + ["Testing"] * 3,
    }
    spec = write_csv(tmp_path / "t.csv", columns, comma)
    words = ("--label", "kind", "--factors", "ok,sign,size", "--split", "part")
    assert run(spec, tmp_path / "out", *words).exit_code == 0
    rows = [
        row for split in ("train", "validation", "test") for row in records(tmp_path / "out", split)
    ]
    np.testing.assert_array_equal([row["image"] for row in rows], PICTURES)
    assert [row["label"] for row in rows] == LABELS
    for name in ("sign", "size"):
        assert [int(row[name]) for row in rows] == columns[name]
    assert [row["ok"].lower() == "true" for row in rows] == columns["ok"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["factors"]["size"] == ["2", "9", "10"]
    assert manifest["factors"]["sign"] == ["-1", "1"]


def hugging_face(path: Path, rows: range, nested: bool = True) -> None:
    """A Parquet file in the layout of Hugging Face."""
    cells = [{"bytes": png(PICTURES[row]), "path": f"{row}.png"} for row in rows]
    arrays = {
        "image": pa.array(cells if nested else [cell["bytes"] for cell in cells]),
        "label": pa.array([row % 3 for row in rows], pa.int64()),
        "tall": pa.array([row % 2 == 0 for row in rows]),
    }
    features = {"label": {"names": ["cat", "dog", "eel"], "_type": "ClassLabel"}}
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table(arrays).replace_schema_metadata(told)
    parquet.write_table(table, path, row_group_size=5)


@pytest.mark.parametrize("nested", [True, False])
def test_parquet_of_hugging_face_is_read_as_it_is(tmp_path, nested):
    hugging_face(tmp_path / "train-00000-of-00001.parquet", range(8), nested)
    hugging_face(tmp_path / "validation-00000-of-00001.parquet", range(8, 10), nested)
    hugging_face(tmp_path / "test-00000-of-00001.parquet", range(10, 12), nested)
    done = run(f"table:{tmp_path}/*.parquet", tmp_path / "out", "--factors", "tall")
    assert done.exit_code == 0
    for split, numbers in {"train": range(8), "validation": [8, 9], "test": [10, 11]}.items():
        rows = records(tmp_path / "out", split)
        np.testing.assert_array_equal([row["image"] for row in rows], PICTURES[list(numbers)])
        assert [row["label"] for row in rows] == [LABELS[number] for number in numbers]
        assert [row["tall"] for row in rows] == [str(n % 2 == 0).lower() for n in numbers]


def test_one_parquet_file_is_for_training(tmp_path):
    hugging_face(tmp_path / "a.parquet", range(12))
    run(f"table:{tmp_path / 'a.parquet'}", tmp_path / "out", "--image", "image.bytes")
    np.testing.assert_array_equal(images(tmp_path / "out"), PICTURES)


def test_parquet_of_paths_categories_and_floats(tmp_path, names):
    columns = {
        "file_name": pa.array(names),
        "label": pa.array(LABELS).dictionary_encode(),
        "level": pa.array([1.0, 2.0, 2.5] * 4),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    run(f"table:{tmp_path / 'a.parquet'}", tmp_path / "out", "--factors", "level")
    rows = records(tmp_path / "out")
    assert [row["label"] for row in rows] == LABELS
    assert [row["level"] for row in rows] == ["1", "2", "2.5"] * 4


def celeba(folder: Path, images_in: str = "img_align_celeba") -> tuple[np.ndarray, list[int]]:
    """CelebA's own files, of a few images."""
    names = save_pictures(folder / images_in, ".jpg")
    values = RNG.choice([-1, 1], (COUNT, 3))
    parts = [0] * 7 + [1] * 2 + [2] * 3
    lines = [
        str(COUNT),
        "Smiling Male Young ",
        *(
            f"{name} " + " ".join(f"{value:2d}" for value in row)
            for name, row in zip(names, values, strict=True)
        ),
    ]
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    pairs = [f"{name} {part}" for name, part in zip(names, parts, strict=True)]
    (folder / "list_eval_partition.txt").write_text("\n".join(pairs) + "\n")
    return values, parts


@pytest.mark.parametrize("split", [(), ("--split", "list_eval_partition.txt")])
def test_celeba_is_read_as_it_is(tmp_path, split):
    values, _ = celeba(tmp_path / "celeba")
    spec = f"table:{tmp_path / 'celeba' / 'list_attr_celeba.txt'}"
    words = ("--label", "Smiling", "--factors", "Male,Young", *split)
    assert run(spec, tmp_path / "out", *words).exit_code == 0
    rows = [
        row for name in ("train", "validation", "test") for row in records(tmp_path / "out", name)
    ]
    assert [len(records(tmp_path / "out", name)) for name in ("train", "validation", "test")] == [
        7,
        2,
        3,
    ]
    found = [[int(row[name]) for name in ("label", "Male", "Young")] for row in rows]
    np.testing.assert_array_equal(found, values)
    with Image.open(tmp_path / "celeba" / "img_align_celeba" / "000012.jpg") as last:
        np.testing.assert_array_equal(rows[-1]["image"], np.asarray(last))


def test_a_partition_of_other_images_is_refused(tmp_path):
    celeba(tmp_path)
    lines = (tmp_path / "list_eval_partition.txt").read_text().splitlines()
    (tmp_path / "list_eval_partition.txt").write_text("\n".join(lines[1:]) + "\n")
    done = run(f"table:{tmp_path / 'list_attr_celeba.txt'}", tmp_path / "out", "--label", "Male")
    assert "000002.jpg beside 000001.jpg. Sort both" in refusal(done)


def test_numbers_become_bins_with_their_limits_in_the_manifest(tmp_path, names):
    ages = [3, 15, 20, 9, 10, 12, 0, 19, 5, 11, 7, 18]
    weights = [0.5 * number for number in range(COUNT)]
    columns = {"path": names, "label": LABELS, "age": ages, "weight": weights}
    spec = write_csv(tmp_path / "t.csv", columns)
    words = ("--factors", "age,weight", "--bins", "age=0,10,20", "--bins", "weight=3")
    assert run(spec, tmp_path / "out", *words).exit_code == 0
    rows = records(tmp_path / "out")
    assert [row["age"] for row in rows] == ["0 to 10" if a < 10 else "10 to 20" for a in ages]
    limits = details(tmp_path / "out")["bins"]
    assert limits["age"] == [0, 10, 20]
    assert limits["weight"] == [0, 1.5, 3.5, 5.5]
    found = [row["weight"] for row in rows]
    assert found == ["0 to 1.5"] * 3 + ["1.5 to 3.5"] * 4 + ["3.5 to 5.5"] * 5


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (["--factors", "age", "--bins", "age"], "Write --bins AGE=3"),
        (["--factors", "age", "--bins", "age=1"], "Write --bins AGE=3"),
        (["--factors", "age", "--bins", "age=3,2"], "Write --bins AGE=3"),
        (["--bins", "age=3"], "Name its column in --factors too"),
        (["--factors", "age", "--bins", "age=20"], "Ask for fewer"),
        (["--factors", "name", "--bins", "name=2"], "unfit for bins"),
        (["--factors", "age", "--bins", "age=0,5"], "outside the bins of 0 to 5; add a limit"),
        (["--factors", "agee"], "Did you mean 'age'"),
        (["--label", "kimd"], "no such column"),
        (["--image", "pasth"], "Did you mean 'path'"),
        (["--split", "name"], "cannot be told from their names"),
        (["--split", "nothing"], "no such column of splits"),
        (["--root", "elsewhere"], "pass --root DIR"),
    ],
)
def test_an_option_that_is_wrong_says_what_is_right(tmp_path, names, words, fix):
    columns = {"path": names, "label": LABELS, "age": range(COUNT), "name": ["x", "y"] * 6}
    done = run(write_csv(tmp_path / "t.csv", columns), tmp_path / "out", *words)
    assert fix in refusal(done)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../secret.png", "leaves the folder"),
        ("a/../../secret.png", "leaves the folder"),
        ("/etc/secret.png", "leaves the folder"),
        ("pictures/.hidden.png", "begins with a dot"),
        (".cache/a.png", "begins with a dot"),
        ("pictures/missing.png", "there is no such file"),
        ("https://example.org/a.png", "not on this machine"),
        ("", "has no image"),
        ("pictures", "not a regular file"),
    ],
)
def test_a_path_that_cannot_be_read_is_a_dead_letter(tmp_path, names, path, reason):
    folder = tmp_path / "in"
    (tmp_path / "pictures").rename(tmp_path / "moved")
    folder.mkdir()
    (tmp_path / "moved").rename(folder / "pictures")
    for hidden in (tmp_path / "secret.png", folder / "pictures" / ".hidden.png"):
        Image.fromarray(PICTURES[0]).save(hidden)
    paths = [*(names * 30)[:60], path, *(names * 30)[60:]]
    labels = (LABELS * 31)[: len(paths)]
    spec = write_csv(folder / "t.csv", {"path": paths, "label": labels})
    assert run(spec, tmp_path / "out").exit_code == 0
    (letter,) = details(tmp_path / "out")["dead_letters"]
    assert reason in letter["reason"]
    assert letter["record"] == 60
    assert len(records(tmp_path / "out")) == len(paths) - 1
    alone = write_csv(folder / "bad.csv", {"path": [path] * 4, "label": ["a", "b"] * 2})
    assert reason in refusal(run(alone, tmp_path / "bad"))


def test_an_empty_label_is_a_dead_letter(tmp_path, names):
    labels = [*LABELS * 10, ""]
    spec = write_csv(tmp_path / "t.csv", {"path": [*names * 10, names[0]], "label": labels})
    assert run(spec, tmp_path / "out").exit_code == 0
    (letter,) = details(tmp_path / "out")["dead_letters"]
    assert letter["reason"] == "column 'label' is empty"


def test_image_names_without_an_ending_are_found(tmp_path):
    names = [name.removesuffix(".jpg") for name in save_pictures(tmp_path / "jpg", ".jpg")]
    spec = write_csv(tmp_path / "meta.csv", {"image_id": names, "dx": LABELS})
    assert run(spec, tmp_path / "out", "--label", "dx", "--root", tmp_path / "jpg").exit_code == 0
    assert len(images(tmp_path / "out")) == COUNT


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.txt"])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00broken\n1,2", b"PAR1nothing"])
def test_a_damaged_table_is_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    said = refusal(run(f"table:{tmp_path / name}", tmp_path / "out"))
    assert "Expected" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_rows_of_another_length_are_refused(tmp_path, names):
    write_csv(tmp_path / "t.csv", {"path": names, "label": LABELS})
    with (tmp_path / "t.csv").open("a") as stream:
        stream.write("a,b,c\n")
    assert "cannot be read" in refusal(run(f"table:{tmp_path / 't.csv'}", tmp_path / "out"))


def test_other_sources_have_no_columns(tmp_path):
    assert "Drop --split" in refusal(run("builtin:digits", tmp_path / "out", "--split", "x"))


def test_a_class_that_loses_all_its_images_is_refused(tmp_path, names):
    columns = {"path": [*names * 30, "gone.png"], "label": [*LABELS * 30, "rare"]}
    said = refusal(run(write_csv(tmp_path / "t.csv", columns), tmp_path / "out"))
    assert "class 'rare'" in said
    assert "there is no such file" in said
    assert not (tmp_path / "out").exists()
