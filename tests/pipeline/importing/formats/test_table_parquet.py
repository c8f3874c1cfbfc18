"""Parquet files whose columns inflate, through the command: bounded, whatever they declare."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from independent import images, records
from PIL import Image
from pyarrow import parquet
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app
from latentloom.pipeline.importing.formats import parquet_pages
from latentloom.pipeline.importing.formats.parquet_pages import Page, read_pages
from latentloom.pipeline.importing.formats.table_parquet import ParquetTable

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 9, 7, 3), np.uint8)
WRITINGS = (
    {},
    {"data_page_version": "2.0", "compression": "zstd"},
    {"use_dictionary": False, "compression": "gzip"},
    {"compression": "none", "data_page_size": 100},
    {"write_page_checksum": True, "write_page_index": True},
    {"row_group_size": 5},
)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def refusal(result: Result) -> str:
    assert result.exit_code != 0
    return " ".join(f"{result.exception} {result.output}".split())


def png(picture: np.ndarray, padding: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue() + b"\0" * padding


def write(path: Path, padding: int = 0, **how) -> str:
    """Writes images, each followed by zeros that pack well."""
    columns = {
        "image": [png(picture, padding) for picture in PICTURES],
        "label": ["cat", "dog", "eel"] * 4,
    }
    parquet.write_table(pa.table(columns), path, **how)
    return f"table:{path}"


def pages_of(path: Path) -> list[Page]:
    metadata, found = parquet.read_metadata(path), []
    with path.open("rb") as stream:
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for chunk in map(group.column, range(group.num_columns)):
                start = chunk.dictionary_page_offset or chunk.data_page_offset
                pages = list(read_pages(stream, start, chunk.total_compressed_size))
                sizes = (chunk.total_compressed_size, chunk.total_uncompressed_size)
                heads = sizes[0] - sum(page.packed for page in pages)
                assert sum(page.inflated for page in pages) + heads == sizes[1]
                found += pages
    return found


@pytest.mark.parametrize("how", WRITINGS)
def test_pages_add_up_to_the_footer_that_pyarrow_writes(tmp_path, how):
    write(tmp_path / "a.parquet", **how)
    assert len(pages_of(tmp_path / "a.parquet")) >= 2


@pytest.mark.parametrize("how", WRITINGS)
def test_rows_come_back_however_they_are_written(tmp_path, how):
    assert run(write(tmp_path / "a.parquet", **how), tmp_path / "out").exit_code == 0
    np.testing.assert_array_equal(images(tmp_path / "out"), PICTURES)


@pytest.mark.parametrize("compression", ["zstd", "gzip", "snappy"])
def test_a_page_that_inflates_beyond_the_limit_is_refused(tmp_path, monkeypatch, compression):
    monkeypatch.setattr(parquet_pages, "MOST_INFLATED", 100_000)
    spec = write(tmp_path / "a.parquet", 50_000, compression=compression)
    told = refusal(run(spec, tmp_path / "out"))
    for part in ("a.parquet", "'image'", "row group 0", "inflates", "more than 100,000"):
        assert part in told
    assert not (tmp_path / "out").exists()


def varint(number: int) -> bytes:
    """A number as Thrift's compact protocol writes it."""
    number, found = 2 * number, b""
    while number >= 0x80:
        number, found = number >> 7, found + bytes([number & 0x7F | 0x80])
    return found + bytes([number])


def test_a_footer_that_hides_what_a_page_takes_is_not_believed(tmp_path, monkeypatch):
    file = tmp_path / "a.parquet"
    spec = write(file, 50_000, compression="zstd")
    real = parquet.read_metadata(file).row_group(0).column(0).total_uncompressed_size
    told = 1 << 14  # of as many bytes as the real number
    assert file.read_bytes().count(varint(real)) == 1
    file.write_bytes(file.read_bytes().replace(varint(real), varint(told)))
    assert parquet.read_metadata(file).row_group(0).column(0).total_uncompressed_size == told
    monkeypatch.setattr(parquet_pages, "MOST_INFLATED", 100_000)
    assert "inflates" in refusal(run(spec, tmp_path / "out"))


def test_a_large_page_that_does_not_inflate_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_pages, "MOST_INFLATED", 4_000)
    spec = write(tmp_path / "a.parquet", compression="none")
    assert run(spec, tmp_path / "out").exit_code == 0
    assert len(records(tmp_path / "out")) == len(PICTURES)


def test_a_value_that_a_dictionary_repeats_is_not_held_for_all_rows(tmp_path, monkeypatch):
    value, count = b"\0" * 400_000, 2_000
    table = pa.table({"image": [value] * count, "label": [0] * count})
    parquet.write_table(table, tmp_path / "a.parquet", compression="none")
    assert (tmp_path / "a.parquet").stat().st_size < 1_000_000
    monkeypatch.setattr(parquet_pages, "MOST_INFLATED", 1_000_000)
    tracemalloc.start()
    rows = [len(b["image"]) for b in ParquetTable(tmp_path / "a.parquet").rows(0, ["image"])]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(rows) == count
    assert max(rows) == 2
    assert peak < 4_000_000


def test_only_the_rows_at_hand_are_held(tmp_path):
    path, rng = tmp_path / "large.parquet", np.random.default_rng(0)
    values = pa.table({"image": [rng.bytes(20_000) for _ in range(500)]})
    options = {"compression": "none", "use_dictionary": False, "write_batch_size": 10}
    parquet.write_table(values, path, **options)
    size, before, most = values.nbytes, pa.total_allocated_bytes(), 0
    for _ in ParquetTable(path).rows(0, ["image"]):
        most = max(most, pa.total_allocated_bytes() - before)
    assert 0 < most < size / 2  # pyarrow's own way holds all


def test_more_rows_than_a_file_can_tell_apart_are_refused(tmp_path):
    table = pa.table({"image": ["a.png"] * 200_000, "label": [0] * 200_000})
    parquet.write_table(table, tmp_path / "a.parquet")
    told = refusal(run(f"table:{tmp_path / 'a.parquet'}", tmp_path / "out"))
    assert "200,000 rows" in told
    assert "a.parquet" in told


@pytest.mark.parametrize("image", [[1, 2], {"bytes": [1, 2]}, {"bytes": {"deep": b"a"}}])
def test_columns_with_several_values_in_a_row_are_refused_unread(tmp_path, image):
    parquet.write_table(pa.table({"image": [image] * 3, "label": [0, 1, 0]}), tmp_path / "a.pq")
    told = refusal(run(f"table:{tmp_path / 'a.pq'}", tmp_path / "out"))
    assert "several values in a row" in told
    assert "--image" in told


@pytest.mark.parametrize("place", [4, 5, 6, 9])
def test_a_damaged_page_header_is_told_with_the_file(tmp_path, place):
    spec = write(tmp_path / "a.parquet")
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[place] ^= 0xFF
    (tmp_path / "a.parquet").write_bytes(data)
    told = refusal(run(spec, tmp_path / "out"))
    assert "a.parquet" in told
    assert not (tmp_path / "out").exists()


def test_categories_of_pandas_are_names(tmp_path):
    labels = pa.array(["cat", "dog"] * 6).dictionary_encode()
    table = pa.table({"image": [png(picture) for picture in PICTURES], "label": labels})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert run(f"table:{tmp_path / 'a.parquet'}", tmp_path / "out").exit_code == 0
    assert [row["label"] for row in records(tmp_path / "out")] == ["cat", "dog"] * 6
