"""`export --to array_record` writes what TFDS and Grain read, record by record."""

import errno
import json

import numpy as np
import pytest
from bags import save
from bundles import damaged_digits, make

import latentloom
from latentloom.pipeline.exporting import array_records
from latentloom.pipeline.exporting.array_records import array_record_file
from latentloom.pipeline.importing.import_dataset import import_dataset

pytest.importorskip("array_record")


def exported(path, out):
    latentloom.export(path, out, to="array_record")
    return out


def source_of(folder, split="train"):
    tfds = pytest.importorskip("tensorflow_datasets")
    return tfds.builder_from_directory(folder).as_data_source(split=split)


def test_tfds_reads_the_same_records_in_any_order(dataset, tmp_path):
    out, records = exported(dataset.path, tmp_path / "out"), latentloom.open_dataset(dataset.path)
    source = source_of(out)
    assert len(source) == len(records) == 48
    for number in (47, 0, 23):
        found, expected = source[number], records[number]
        np.testing.assert_array_equal(found["image"], expected["image"])
        assert found["example_id"].decode() == expected["example_id"]
        assert (found["label"], found["size"]) == (expected["label"], expected["size"])
    assert len(source_of(out, "test")) == 12


def test_records_have_the_bytes_of_the_shards(dataset, tmp_path):
    from array_record.python.array_record_data_source import ArrayRecordDataSource

    from latentloom.pipeline.storage.tfrecords import read_records

    out = exported(dataset.path, tmp_path / "out")
    files = [str(out / array_record_file("pets", "train", index, 2)) for index in range(2)]
    whole = [
        data for index in range(2) for data in read_records(dataset.shard_path("train", index))
    ]
    with ArrayRecordDataSource(files) as source:
        assert source.__getitems__(range(48)) == whole


def test_provenance_is_kept(tmp_path):
    variants = make(tmp_path / "variants", "generate.gate.min_confidence=0.5")
    found, expected = (
        source_of(exported(variants.path, tmp_path / "out"))[0],
        latentloom.open_dataset(variants.path)[0],
    )
    assert found["anchor_id"].decode() == expected["anchor_id"]
    assert found["judge_confidence"] == np.float32(expected["judge_confidence"])
    assert found["seed"] == expected["seed"]


@pytest.mark.parametrize("make_data", [lambda folder: "builtin:moons", save])
def test_vectors_and_words_are_exported(tmp_path, make_data):
    data = import_dataset(make_data(tmp_path), tmp_path / "data", shards=1)
    source = source_of(exported(data.path, tmp_path / "out"))
    assert source[1]["example_id"].decode() == latentloom.open_dataset(data.path)[1]["example_id"]
    assert {"observation", "words"} & set(source[1])


def test_the_metadata_tell_the_format_and_the_bytes(dataset, tmp_path):
    out = exported(dataset.path, tmp_path / "out")
    info = json.loads((out / "dataset_info.json").read_text())
    assert info["fileFormat"] == "array_record"
    for split in info["splits"]:
        files = out.glob(f"pets-{split['name']}.array_record-*")
        assert int(split["numBytes"]) == sum(file.stat().st_size for file in files)


def test_grain_reads_them(dataset, tmp_path):
    grain = pytest.importorskip("grain.python")
    source = source_of(exported(dataset.path, tmp_path / "out"))
    batches = list(grain.MapDataset.source(source).shuffle(seed=1).batch(16))
    assert [batch["image"].shape for batch in batches] == [(16, *source[0]["image"].shape)] * 3
    ids = sorted(name for batch in batches for name in batch["example_id"])
    assert ids == sorted(source[number]["example_id"] for number in range(48))


def test_a_damaged_record_is_named(tmp_path):
    damaged = damaged_digits(tmp_path / "damaged")
    with pytest.raises(ValueError, match="record 0 of 'digits-train.tfrecord-00000-of-00003'"):
        exported(damaged, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_an_error_of_the_disk(tmp_path):
    path = tmp_path / "full.array_record"
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="Check its permissions and space") as raised:
        with array_records._writer(str(path)) as write:
            write(bytes(1 << 22))
    assert raised.value.errno == errno.EIO


def test_a_missing_library_is_told_with_what_to_install(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(array_records.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'latentloom\[array_record\]'"):
        exported(dataset.path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
