"""Cells, names and files of tables as programs write them, through the command."""

from __future__ import annotations

import gzip
import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from independent import records
from PIL import Image
from pyarrow import parquet
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app

COUNT = 6
PICTURES = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 5), np.uint8)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def refusal(result: Result) -> str:
    assert result.exit_code != 0
    return " ".join(f"{result.exception} {result.output}".split())


@pytest.fixture
def folder(tmp_path) -> Path:
    for row, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(tmp_path / f"{row}.png")
    return tmp_path


def labels_of(folder: Path, text: str, *words: object, name: str = "a.csv") -> list[str]:
    (folder / name).write_text(text)
    done = run(f"table:{folder / name}", folder / "out", *words)
    assert done.exit_code == 0, done.exception
    rows = records(folder / "out")
    np.testing.assert_array_equal([row["image"] for row in rows], PICTURES)
    return [row["label"] for row in rows]


def lines(line, head: str = "path,label") -> str:
    return "\n".join([head, *map(line, range(COUNT))]) + "\n"


def test_whole_numbers_are_one_class_however_they_are_written(folder):
    text = lines(lambda row: f"{row}.png,{row % 2}{'.0' if row < 3 else ''}")
    assert labels_of(folder, text) == ["0", "1"] * 3


def test_other_numbers_keep_their_digits(folder):
    text = lines(lambda row: f"{row}.png,{row % 2}.50")
    assert labels_of(folder, text) == ["0.50", "1.50"] * 3


@pytest.mark.parametrize("number", [float, Decimal])
def test_numbers_of_parquet_are_named_as_those_of_csv(folder, number):
    cells = [number(row % 2) for row in range(COUNT)]
    paths = [f"{row}.png" for row in range(COUNT)]
    parquet.write_table(pa.table({"image": paths, "label": cells}), folder / "a.parquet")
    assert run(f"table:{folder / 'a.parquet'}", folder / "out").exit_code == 0
    assert [row["label"] for row in records(folder / "out")] == ["0", "1"] * 3


def test_spaces_around_names_and_cells_do_not_count(folder):
    text = lines(lambda row: f" {row}.png , {'ab'[row % 2]} ", " path , label ")
    assert labels_of(folder, text) == ["a", "b"] * 3


def test_quoted_cells_may_have_line_ends(folder):
    text = lines(lambda row: f'{row}.png,{row % 2},"a\nb, ""c"""', "path,label,note")
    assert labels_of(folder, text) == ["0", "1"] * 3


def test_paths_may_be_absolute_below_the_root(folder):
    assert labels_of(folder, lines(lambda row: f"{folder}/{row}.png,{row % 2}")) == ["0", "1"] * 3
    told = refusal(run(f"table:{folder / 'a.csv'}", folder / "o", "--root", folder / "out"))
    assert "leaves the folder" in told
    (folder / "tables").mkdir()
    (folder / "a.csv").rename(folder / "tables" / "a.csv")
    words = ("--root", folder)
    assert run(f"table:{folder / 'tables' / 'a.csv'}", folder / "o", *words).exit_code == 0


def test_a_text_file_with_tabs_is_a_table(folder):
    text = lines(lambda row: f"{row}.png\t{row % 2}", "path\tlabel")
    assert labels_of(folder, text, name="a.txt") == ["0", "1"] * 3


def test_a_list_of_paths_and_numbers_is_not_taken_for_splits(folder):
    (folder / "a.txt").write_text("".join(f"{row}.png {row % 2}\n" for row in range(COUNT)))
    assert "Write it as CSV" in refusal(run(f"table:{folder / 'a.txt'}", folder / "out"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'[{"path": "0.png", "label": 1}]', "JSON"),
        (b' {"path": "0.png", "label": 1}\n', "JSON"),
        (gzip.compress(b"path,label\n"), "GZIP"),
        (b"PK\3\4" + bytes(99), "Excel"),
        (b"ARROW1\0\0", "Arrow"),
        (b"", "no names of columns"),
        (b"path,label\n", "no rows"),
        (b"path,label,label\n0.png,1,1\n", "two columns of one name"),
    ],
)
def test_what_is_no_table_is_named(folder, content, told):
    (folder / "a.csv").write_bytes(content)
    assert told in refusal(run(f"table:{folder / 'a.csv'}", folder / "out"))


def test_two_columns_of_one_name_are_refused_in_parquet(folder):
    columns = [pa.array(["0.png"]), pa.array([1]), pa.array([1])]
    table = pa.Table.from_arrays(columns, ["image", "label", "label"])
    parquet.write_table(table, folder / "a.parquet")
    told = refusal(run(f"table:{folder / 'a.parquet'}", folder / "out"))
    assert "two columns of one name" in told


def test_an_image_in_two_splits_is_refused_with_its_rows(folder):
    text = lines(lambda row: f"{row}.png,{row % 2},train", "path,label,split")
    (folder / "a.csv").write_text(text + "0.png,0,test\n")
    told = refusal(run(f"table:{folder / 'a.csv'}", folder / "out"))
    assert "different splits" in told
    assert "rows 1 and 7" in told


def test_a_row_that_stands_twice_is_kept_twice(folder):
    (folder / "a.csv").write_text(lines(lambda row: f"{row}.png,{row % 2}") + "0.png,0\n")
    assert run(f"table:{folder / 'a.csv'}", folder / "out").exit_code == 0
    assert len(records(folder / "out")) == COUNT + 1


def test_rows_without_a_label_are_told_as_such(folder):
    file = io.BytesIO()
    Image.fromarray(PICTURES[0]).save(file, "PNG")
    columns = {"image": [file.getvalue()] * 3, "label": pa.nulls(3)}
    parquet.write_table(pa.table(columns), folder / "a.parquet")
    told = refusal(run(f"table:{folder / 'a.parquet'}", folder / "out"))
    assert "No image can be used" in told
    assert "'a.parquet': column 'label' is empty" in told
