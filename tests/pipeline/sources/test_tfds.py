from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pipeline.dataset_dir import shard_file
from pipeline.importing import import_dataset
from pipeline.records import ShardWriter, serialize
from pipeline.sources import open_source

COUNT = 40
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (COUNT, 5, 6, 3), dtype=np.uint8)


def write(folder: Path, extra: dict, values: dict, shape=(5, 6, 3), images=IMAGES) -> str:
    """Writes a TFDS directory with TFDS alone."""
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(shape=shape), **extra})
    folder.mkdir()
    with ShardWriter(folder / shard_file("other", "train", 0, 1)) as writer:
        for row in range(COUNT):
            example = {"image": images[row], **{k: v[row] for k, v in values.items()}}
            writer.write(features.serialize_example(example))
    split = tfds.core.SplitInfo(name="train", shard_lengths=[COUNT], num_bytes=writer.num_bytes)
    tfds.folder_dataset.write_metadata(
        data_dir=folder, features=features, split_infos=[split], check_data=False
    )
    return f"tfds:{folder}"


LABEL = {"label": tfds.features.ClassLabel(names=["cat", "dog"])}
LABELS = {"label": np.arange(COUNT) % 2}


def test_reading_gives_back_the_data_set(tmp_path):
    extra = LABEL | {
        "size": tfds.features.Scalar(np.int32),
        "note": tfds.features.Text(),
        "weight": tfds.features.Scalar(np.float32),
    }
    values = LABELS | {
        "size": RNG.choice([7, 3, 12], COUNT),
        "note": ["x"] * COUNT,
        "weight": np.zeros(COUNT, np.float32),
    }
    dataset = import_dataset(write(tmp_path / "in", extra, values), tmp_path / "out")
    assert dataset.manifest.factors == {"label": ["cat", "dog"], "size": ["3", "7", "12"]}
    examples = dataset.read("train")
    np.testing.assert_array_equal(examples.images, IMAGES)
    np.testing.assert_array_equal(examples.labels, LABELS["label"])
    np.testing.assert_array_equal(np.array([3, 7, 12])[examples.factors["size"]], values["size"])


def test_our_own_directory_is_read_back(tmp_path, dataset):
    again = import_dataset(f"tfds:{dataset.path}", tmp_path / "again")
    assert again.manifest.factors == dataset.manifest.factors
    for split in ("train", "test"):
        np.testing.assert_array_equal(again.read(split).images, dataset.read(split).images)
        np.testing.assert_array_equal(again.read(split).labels, dataset.read(split).labels)


def test_provenance_is_no_factor(tmp_path):
    extra = LABEL | {"seed": tfds.features.Scalar(np.int64)}
    spec = write(tmp_path / "in", extra, LABELS | {"seed": np.arange(COUNT)})
    assert list(open_source(spec).factors) == ["label"]


def test_another_label_may_be_named(tmp_path):
    extra = {"shape": tfds.features.ClassLabel(num_classes=3)}
    spec = write(tmp_path / "in", extra, {"shape": np.arange(COUNT) % 3})
    with pytest.raises(ValueError, match=r"\['shape'\].*Pass --label"):
        open_source(spec)
    source = open_source(spec, label="shape")
    assert source.factors == {"label": ["0", "1", "2"]}


def test_an_example_without_a_class_is_a_dead_letter(tmp_path):
    labels = LABELS["label"].copy()
    labels[7] = -1
    source = open_source(write(tmp_path / "in", LABEL, {"label": labels}))
    ((examples, (letter,)),) = source.batches("train")
    assert len(examples) == COUNT - 1
    assert letter.record == 7


def test_images_of_any_size_need_an_image_size(tmp_path):
    images = [RNG.integers(0, 256, (4 + row % 3, 5, 3), dtype=np.uint8) for row in range(COUNT)]
    spec = write(tmp_path / "in", LABEL, LABELS, (None, None, 3), images)
    with pytest.raises(ValueError, match="Pass --image-size 64"):
        open_source(spec)
    dataset = import_dataset(spec, tmp_path / "out", image_size=8)
    assert dataset.read("train").images.shape == (COUNT, 8, 8, 3)


def test_a_data_set_that_is_not_prepared_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="tfds build mnist"):
        open_source("tfds:mnist")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'mnist'"):
        open_source("tfds:mnistt")


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="features.json"):
        open_source(f"tfds:{tmp_path}")


def test_a_data_set_without_image_is_refused(tmp_path):
    features = tfds.features.FeaturesDict(LABEL)
    with ShardWriter(tmp_path / shard_file("other", "train", 0, 1)) as writer:
        writer.write(serialize({"label": 0}))
    split = tfds.core.SplitInfo(name="train", shard_lengths=[1], num_bytes=writer.num_bytes)
    tfds.folder_dataset.write_metadata(
        data_dir=tmp_path, features=features, split_infos=[split], check_data=False
    )
    with pytest.raises(ValueError, match="has no image"):
        open_source(f"tfds:{tmp_path}")
