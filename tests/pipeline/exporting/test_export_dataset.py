"""`export` writes what other libraries read, and what `import` reads back as it was."""

import csv
import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from bags import save
from bundles import make
from PIL import Image
from pyarrow import parquet

import latentloom
from latentloom.pipeline.exporting.export_dataset import FORMATS
from latentloom.pipeline.exporting.parquet_files import GROUP_ROWS
from latentloom.pipeline.importing.import_dataset import import_dataset

BACK = {"parquet": "table:{}/*.parquet", "folder": "table:{}/metadata.csv"}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def facts(path, *factors):
    """Image and names of the values of every record, in any order."""
    found = []
    for split in ("train", "test"):
        records = latentloom.open_dataset(path, split)
        for record in records:
            named = [records.factors[name][record[name]] for name in ("label", *factors)]
            found.append((split, *named, record["image"].tobytes()))
    return sorted(found)


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    """Variants of digits with donors."""
    settings = ("generate.recipe=swap_zu", "generate.gate.min_confidence=0.5")
    return make(tmp_path_factory.mktemp("exported") / "variants", *settings)


@pytest.mark.parametrize("to", BACK)
def test_what_was_exported_is_imported_as_it_was(dataset, tmp_path, to):
    latentloom.export(dataset.path, tmp_path / to, to=to)
    back = import_dataset(BACK[to].format(tmp_path / to), tmp_path / "back", factors=["size"])
    assert facts(back.path, "size") == facts(dataset.path, "size")


def test_an_exported_folder_is_imported_as_a_folder(dataset, tmp_path):
    latentloom.export(dataset.path, tmp_path / "folder", to="folder")
    back = import_dataset(f"folder:{tmp_path / 'folder'}", tmp_path / "back")
    assert facts(back.path) == facts(dataset.path)


@pytest.mark.parametrize("to", FORMATS)
def test_equal_data_give_equal_files(dataset, tmp_path, to):
    for name in ("one", "two"):
        latentloom.export(dataset.path, tmp_path / name, to=to)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_parquet_has_what_hugging_face_looks_for(dataset, tmp_path):
    latentloom.export(dataset.path, tmp_path / "out", to="parquet")
    names = sorted(path.name for path in (tmp_path / "out").glob("*.parquet"))
    assert names == [f"{s}-0000{n}-of-00002.parquet" for s in ("test", "train") for n in (0, 1)]
    table = parquet.read_table(tmp_path / "out" / names[2])
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == table.column_names == ["image", "label", "size", "example_id"]
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"names": ["cat", "dog", "eel"], "_type": "ClassLabel"}
    record, first = next(dataset_records(dataset)), table.slice(0, 1).to_pylist()[0]
    png = Image.open(io.BytesIO(first["image"]["bytes"]))
    np.testing.assert_array_equal(np.asarray(png), record["image"])
    assert first["image"]["path"] == "00000-00000000.png"
    assert (first["label"], first["size"]) == (record["label"], record["size"])


def dataset_records(dataset):
    return iter(latentloom.open_dataset(dataset.path))


def test_row_groups_are_bounded(tmp_path):
    points = import_dataset("builtin:moons", tmp_path / "moons", shards=1)
    latentloom.export(points.path, tmp_path / "out", to="parquet")
    file = parquet.ParquetFile(next((tmp_path / "out").glob("train-*.parquet")))
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert max(groups) == GROUP_ROWS
    assert sum(groups) == points.manifest.num_examples("train")
    np.testing.assert_array_equal(
        file.read_row_group(0)["observation"].to_pylist()[0],
        next(dataset_records(points))["observation"],
    )


def test_bags_of_words_are_pairs_of_word_and_count(tmp_path):
    bags = import_dataset(save(tmp_path), tmp_path / "bags")
    latentloom.export(bags.path, tmp_path / "out", to="parquet")
    row = parquet.read_table(next((tmp_path / "out").glob("train-*"))).slice(0, 1).to_pylist()[0]
    counts = next(dataset_records(bags))["words"]
    words = np.flatnonzero(counts)
    assert row["words"] == np.stack([words, counts[words]], axis=1).tolist()


def test_provenance_is_kept_in_every_format(variants, tmp_path):
    records = list(latentloom.open_dataset(variants.path))
    for to in FORMATS:
        latentloom.export(variants.path, tmp_path / to, to=to)
    first, donors = records[0], [records[0]["donor_ids"]]
    donors = donors[0] if isinstance(donors[0], list) else donors
    (row,) = parquet.read_table(tmp_path / "parquet").slice(0, 1).to_pylist()
    assert row["donor_ids"] == donors
    assert donors
    for name in ("example_id", "anchor_id", "recipe", "seed", "judge_confidence"):
        assert row[name] == first[name], name
    assert row["seen_combination"] is True
    with tarfile.open(next((tmp_path / "webdataset").glob("*.tar"))) as tar:
        told = json.load(tar.extractfile("00000-00000000.json"))
    with open(tmp_path / "folder" / "metadata.csv", encoding="utf-8", newline="") as file:
        line = next(csv.DictReader(file))
    assert told["donor_ids"] == json.loads(line["donor_ids"]) == donors
    assert told["seed"] == int(line["seed"]) == first["seed"]
    assert told["seen_combination"] is json.loads(line["seen_combination"]) is True


def test_tar_files_hold_image_class_and_facts_without_times(dataset, tmp_path):
    latentloom.export(dataset.path, tmp_path / "out", to="webdataset")
    path = tmp_path / "out" / "pets-train-000000.tar"
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        assert {(member.mtime, member.uid, member.mode) for member in members} == {(0, 0, 0o644)}
        names = [member.name for member in members[:3]]
        assert names == [f"00000-00000000.{end}" for end in ("png", "cls", "json")]
        png, code, told = (tar.extractfile(name).read() for name in names)
    record = next(dataset_records(dataset))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), record["image"])
    assert int(code) == record["label"]
    named = {name: dataset.manifest.factors[name][record[name]] for name in ("label", "size")}
    assert json.loads(told) == {**named, "example_id": record["example_id"]}


def test_a_class_that_no_folder_can_be_named_after_is_refused(arrays, tmp_path):
    arrays["label"] = np.where(arrays["label"] == "cat", "a/b", arrays["label"])
    np.savez(tmp_path / "odd.npz", **arrays)
    odd = import_dataset(f"npz:{tmp_path / 'odd.npz'}", tmp_path / "odd").path
    with pytest.raises(ValueError, match="Class 'a/b' cannot be a folder.*--to parquet"):
        latentloom.export(odd, tmp_path / "out", to="folder")
    assert latentloom.export(odd, tmp_path / "out", to="webdataset")["examples"]["train"] == 48


def test_an_export_needs_no_other_files(dataset, tmp_path):
    latentloom.export(dataset.path, tmp_path / "out", to="parquet")
    shutil.rmtree(dataset.path)
    assert parquet.read_table(tmp_path / "out").num_rows == 60
