from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import Manifest, ShardEntry
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.dataset.writing import shard_file, write_manifest
from latentloom.pipeline.observations.tfds_features import scalar, sequence, text
from latentloom.pipeline.storage.png import encode_png
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import ShardWriter

GOOD = {"image": encode_png(np.zeros((1, 4, 4, 1), np.uint8))[0], "label": 0, "example_id": "x"}


def write_shard(folder: Path, records: list[bytes]) -> DatasetDir:
    """A data set of one shard with these records, counted as class 0."""
    file = shard_file("tiny", "train", 0, 1)
    with ShardWriter(folder / file) as writer:
        for record in records:
            writer.write(record)
    count = len(records)
    entry = ShardEntry(
        file=file,
        records=count,
        num_bytes=writer.num_bytes,
        sha256=writer.sha256,
        label_counts=[count, 0],
    )
    manifest = Manifest(
        kind="imported",
        name="tiny",
        observation_shape=(4, 4, 1),
        factors={"label": ["a", "b"]},
        splits={"train": [entry]},
        totals={"requested": count, "written": count, "rejected": 0, "dead": 0},
    )
    write_manifest(folder, manifest, metadata_files(manifest))
    return DatasetDir.open(folder)


def test_reading_gives_back_the_source(dataset, arrays):
    for split in ("train", "test"):
        rows = np.flatnonzero(arrays["split"] == split)
        examples = dataset.read(split)
        order = np.argsort(examples.ids)
        examples = examples.take(order)
        assert examples.ids == [f"pets/{split}/{number:08d}" for number in range(len(rows))]
        np.testing.assert_array_equal(examples.observations, arrays["images"][rows])
        for factor in ("label", "size"):
            names = np.array(dataset.manifest.factors[factor])
            values = arrays[factor][rows].astype(str)
            np.testing.assert_array_equal(names[examples.factors[factor]], values)


def test_tfds_reads_every_record_and_feature(dataset):
    builder = tfds.builder_from_directory(dataset.path)
    assert builder.info.features["label"].names == ["cat", "dog", "eel"]
    assert builder.info.features["size"].names == ["2", "10"]
    assert builder.info.supervised_keys == ("image", "label")
    for split in ("train", "test"):
        ours = dataset.read(split)
        rows = {example_id: row for row, example_id in enumerate(ours.ids)}
        theirs = list(builder.as_dataset(split=split).as_numpy_iterator())
        assert len(theirs) == len(ours) == builder.info.splits[split].num_examples
        for example in theirs:
            row = rows.pop(example["example_id"].decode())
            np.testing.assert_array_equal(example["image"], ours.observations[row])
            assert example["label"] == ours.labels[row]
            assert example["size"] == ours.factors["size"][row]
        assert not rows


def test_tf_data_agrees_with_the_manifest(dataset):
    for split, shards in dataset.splits.items():
        for index, shard in enumerate(shards):
            records = tf.data.TFRecordDataset(dataset.shard_path(split, index))
            examples = [tf.train.Example.FromString(r) for r in records.as_numpy_iterator()]
            labels = [e.features.feature["label"].int64_list.value[0] for e in examples]
            assert len(examples) == shard.records
            assert np.bincount(labels, minlength=3).tolist() == shard.label_counts


def test_tfds_reads_extra_features(tmp_path):
    features = GOOD | {"seed": 7, "donor_ids": ["a", "b"], "seen_combination": True}
    dataset = write_shard(tmp_path, [serialize(features)])
    extra = {"seed": scalar("int64"), "donor_ids": sequence(text())}
    extra |= {"seen_combination": scalar("bool")}
    write_manifest(tmp_path, dataset.manifest, metadata_files(dataset.manifest, extra))
    (example,) = tfds.builder_from_directory(tmp_path).as_dataset("train").as_numpy_iterator()
    assert example["seed"] == 7
    assert example["donor_ids"].tolist() == [b"a", b"b"]
    assert example["seen_combination"]
    assert len(dataset.read("train")) == 1


def test_a_limit_takes_a_sample_that_does_not_follow_the_order(dataset):
    whole, some = dataset.read("train"), dataset.read("train", limit=20)
    assert len(some) == 20
    assert some.ids == dataset.read("train", limit=20).ids
    assert some.ids != whole.ids[:20]
    assert set(some.ids) < set(whole.ids)
    assert dataset.read("train", limit=1000).ids == whole.ids


def test_a_shard_is_the_same_in_any_batches(dataset):
    whole, dead = dataset.read_shard("train", 0)
    parts = [examples for examples, _ in dataset.iter_shard("train", 0, batch_size=7)]
    assert dead == []
    assert max(map(len, parts)) == 7
    assert Examples.concatenate(parts).ids == whole.ids
    np.testing.assert_array_equal(Examples.concatenate(parts).observations, whole.observations)


def damaged_png() -> bytes:
    png = bytearray(GOOD["image"])
    png[45] ^= 0xFF
    return bytes(png)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"\xff\xff\xff", "not a tf.train.Example"),
        (serialize({k: v for k, v in GOOD.items() if k != "label"}), "'label' is missing"),
        (serialize(GOOD | {"label": 2}), "outside 0..1"),
        (serialize(GOOD | {"label": -1}), "outside 0..1"),
        (serialize(GOOD | {"label": "a"}), "'label' is missing or not one integer"),
        (serialize({k: v for k, v in GOOD.items() if k != "image"}), "'image'"),
        (serialize(GOOD | {"image": 3}), "'image'"),
        (serialize(GOOD | {"image": b"GIF89a"}), "not a PNG"),
        (serialize(GOOD | {"image": damaged_png()}), "damaged"),
        (
            serialize(GOOD | {"image": encode_png(np.zeros((1, 4, 5, 1), np.uint8))[0]}),
            r"shape \(4, 5, 1\)",
        ),
        (
            serialize(GOOD | {"image": encode_png(np.zeros((1, 4, 4, 3), np.uint8))[0]}),
            r"shape \(4, 4, 3\)",
        ),
    ],
)
def test_a_record_that_does_not_fit_is_one_dead_letter(tmp_path, record, reason):
    good = serialize(GOOD)
    dataset = write_shard(tmp_path, [good, record, good])
    examples, (letter,) = dataset.read_shard("train", 0)
    assert len(examples) == 2
    assert (letter.shard, letter.record) == (dataset.shards("train")[0].file, 1)
    with pytest.raises(ValueError, match=f"(?i)record 1 of .*{reason}"):
        dataset.read("train").loaded()


def test_a_flipped_bit_is_one_dead_letter(dataset):
    path = Path(dataset.shard_path("train", 1))
    data = bytearray(path.read_bytes())
    data[20] ^= 4
    path.write_bytes(data)
    examples, (letter,) = DatasetDir.open(dataset.path).read_shard("train", 1)
    assert (letter.shard, letter.record) == (path.name, 0)
    assert "checksum" in letter.reason
    assert len(examples) == dataset.shards("train")[1].records - 1


def test_a_truncated_shard_is_named(dataset):
    path = Path(dataset.shard_path("train", 1))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=f"'{path.name}' has .*`latentloom verify`"):
        DatasetDir.open(dataset.path)


@pytest.mark.parametrize("file", ["pets-test.tfrecord-00001-of-00002", "features.json"])
def test_a_missing_file_is_named(dataset, file):
    (Path(dataset.path) / file).unlink()
    with pytest.raises(FileNotFoundError, match=f"'{file}' is missing"):
        DatasetDir.open(dataset.path)


def test_a_folder_without_manifest_is_no_data_set(tmp_path):
    with pytest.raises(FileNotFoundError, match="latentloom import"):
        DatasetDir.open(tmp_path)


def test_an_unknown_split_names_the_known_ones(dataset):
    with pytest.raises(ValueError, match=r"\['test', 'train'\].*Name one of these"):
        dataset.read("valid")


def test_rows_are_taken_by_number_or_mask(dataset):
    examples = dataset.read("test")
    mask = examples.labels == 1
    assert examples.take(mask).ids == examples.take(np.flatnonzero(mask)).ids
    assert set(examples.take(mask).labels.tolist()) == {1}


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="Align them"):
        Examples(np.zeros((2, 4, 4, 1), np.uint8), {"label": np.zeros(2, np.int64)}, ["x"])
