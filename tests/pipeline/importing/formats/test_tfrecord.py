import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.storage.png import encode_png
from latentloom.pipeline.storage.tf_example import serialize

COUNT = 200
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 5, 6, 3), dtype=np.uint8)


def features(image: str = "image") -> list[dict]:
    return [
        {image: png, "label": row % 3, "kind": "xy"[row % 2], "size": 10 * (row % 4)}
        for row, png in enumerate(encode_png(IMAGES))
    ]


def write(folder: Path, records: list[dict], file: str = "in.tfrecord") -> str:
    """Writes the records with TensorFlow alone."""
    with tf.io.TFRecordWriter(str(folder / file)) as writer:
        for record in records:
            writer.write(serialize(record))
    return f"tfrecord:{folder}/*in*"


@pytest.mark.parametrize("image", ["image", "image/encoded"])
def test_reading_gives_back_the_records(tmp_path, image):
    spec = write(tmp_path, features(image))
    dataset = import_dataset(spec, tmp_path / "out", factors=["kind", "size"])
    assert dataset.manifest.factors == {
        "label": ["0", "1", "2"],
        "kind": ["x", "y"],
        "size": ["0", "10", "20", "30"],
    }
    examples = dataset.read("train")
    np.testing.assert_array_equal(examples.observations, IMAGES)
    np.testing.assert_array_equal(examples.labels, np.arange(COUNT) % 3)
    np.testing.assert_array_equal(examples.factors["size"], np.arange(COUNT) % 4)


def test_labels_with_gaps_become_classes_without(tmp_path):
    records = [r | {"label": (5, 0, 2)[r["label"]]} for r in features()]
    source = open_source(write(tmp_path, records))
    assert source.factors["label"] == ["0", "2", "5"]
    ((examples, _),) = source.batches("train")
    assert examples.labels.tolist() == [(2, 0, 1)[row % 3] for row in range(COUNT)]


def test_a_label_may_be_bytes_under_another_name(tmp_path):
    records = [{"image": r["image"], "image/class/text": f"c{r['label']}"} for r in features()]
    source = open_source(write(tmp_path, records), label="image/class/text")
    assert source.factors == {"label": ["c0", "c1", "c2"]}


def test_jpeg_images_are_read(tmp_path):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(stream, "JPEG")
    source = open_source(write(tmp_path, [{"image": stream.getvalue(), "label": 1}]))
    ((examples, _),) = source.batches("train")
    np.testing.assert_allclose(examples.observations[0, 4, 4], (200, 30, 30), atol=6)


def test_files_named_test_are_the_test_split(tmp_path):
    write(tmp_path, features()[:20], "in-train.tfrecord-00000-of-00001")
    spec = write(tmp_path, features()[20:25], "in-test.tfrecord-00000-of-00001")
    assert open_source(spec).splits == {"train": 20, "test": 5}


def test_a_flipped_bit_is_one_dead_letter(tmp_path):
    spec = write(tmp_path, features())
    data = bytearray((tmp_path / "in.tfrecord").read_bytes())
    data[30] ^= 1
    (tmp_path / "in.tfrecord").write_bytes(data)
    dataset = import_dataset(spec, tmp_path / "out")
    assert dataset.manifest.totals["dead"] == 1
    (letter,) = dataset.manifest.details["dead_letters"]
    assert (letter["shard"], letter["record"]) == ("in.tfrecord", 0)
    assert "checksum" in letter["reason"]
    assert dataset.read("train").ids[0].endswith("00000001")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": ["a", "b"]}, "'label' is missing or not one"),
        ({"image": b"no image"}, "cannot be read"),
        ({"image": 3}, "'image' is missing"),
    ],
)
def test_an_unfit_record_is_a_dead_letter(tmp_path, change, reason):
    records = features()
    records[5] |= change
    ((examples, (letter,)),) = open_source(write(tmp_path, records)).batches("train")
    assert len(examples) == COUNT - 1
    assert letter.record == 5
    assert reason in letter.reason


@pytest.mark.parametrize("option", [{"label": "kindd"}, {"factors": ["kindd"]}])
def test_a_missing_field_names_the_nearest(tmp_path, option):
    with pytest.raises(ValueError, match="no field 'kindd'.*Did you mean 'kind'.*--label"):
        open_source(write(tmp_path, features()), **option)


def test_images_of_different_size_need_an_image_size(tmp_path):
    records = features()
    records[9]["image"] = encode_png(np.zeros((1, 9, 9, 3), np.uint8))[0]
    spec = write(tmp_path, records)
    with pytest.raises(ValueError, match="Pass --image-size 64"):
        open_source(spec)
    ((examples, _),) = open_source(spec, image_size=8).batches("train")
    assert examples.observations.shape == (COUNT, 8, 8, 3)


def test_a_pattern_without_files_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Check the pattern"):
        open_source(f"tfrecord:{tmp_path}/none*")
