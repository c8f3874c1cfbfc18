"""TFRecord files of others, as `import` reads and explains them.

They are written with TensorFlow alone; the shards are read without our reader.
"""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image
from stored_records import manifest_of, stored
from tfds_directories import write_directory

COUNT = 200
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 5, 6, 3), dtype=np.uint8)
Features = dict[str, bytes | list]


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def feature(value: bytes | list) -> tf.train.Feature:
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if value and isinstance(value[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=value))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value))


def example(features: Features) -> bytes:
    named = {name: feature(value) for name, value in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=named)).SerializeToString()


def write(path: Path, records: list[bytes], packing: str = "") -> str:
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(packing)) as writer:
        for record in records:
            writer.write(record)
    return f"tfrecord:{path}"


def rows(**changes) -> list[bytes]:
    """Records with an image and a label; a change is a field of all of them, None drops one."""
    found = []
    for row in range(COUNT):
        features = {"image": png(IMAGES[row]), "label": [row % 3]}
        for name, value in changes.items():
            features |= {name: value(row) if callable(value) else value}
        found.append(
            example({n.replace("__", "/"): v for n, v in features.items() if v is not None})
        )
    return found


def holds(out: Path, labels: list[str] | None = None) -> None:
    """Checks pixels and classes of every example."""
    found = stored(out)
    assert [label for label, _ in found] == (labels or [str(row % 3) for row in range(COUNT)])
    np.testing.assert_array_equal([pixels for _, pixels in found], IMAGES)


def refused(run, out: Path, *words: str, unsaid: tuple[str, ...] = ()) -> None:
    assert run.returncode == 2, run.stderr
    told = [line for line in run.stderr.splitlines() if not line.startswith("import: ")]
    assert len(told) == 1
    for word in words:
        assert word in run.stderr
    for word in unsaid:
        assert word not in run.stderr
    assert not out.exists()


@pytest.mark.parametrize("packing", ["", "GZIP", "ZLIB"])
def test_packed_files_are_read(latentloom, tmp_path, packing):
    run = latentloom("import", write(tmp_path / "a.tfrecord", rows(), packing), tmp_path / "out")
    assert run.returncode == 0, run.stderr
    holds(tmp_path / "out")


@pytest.mark.parametrize("packing", ["GZIP", "ZLIB"])
def test_a_packed_file_that_is_cut_is_refused(latentloom, tmp_path, packing):
    spec = write(tmp_path / "a.tfrecord", rows(), packing)
    data = (tmp_path / "a.tfrecord").read_bytes()
    (tmp_path / "a.tfrecord").write_bytes(data[: len(data) // 2])
    run = latentloom("import", spec, tmp_path / "out")
    refused(run, tmp_path / "out", "truncated", "nobody knows how many follow")


def test_damage_that_hides_the_rest_of_a_file_is_refused(latentloom, tmp_path):
    spec = write(tmp_path / "a.tfrecord", rows())
    data = bytearray((tmp_path / "a.tfrecord").read_bytes())
    first = 16 + int.from_bytes(data[:8], "little")
    data[first] ^= 1  # the length of the second record
    (tmp_path / "a.tfrecord").write_bytes(data)
    run = latentloom("import", spec, tmp_path / "out")
    refused(run, tmp_path / "out", "record 1: ", "length", "nobody knows how many follow")


@pytest.mark.parametrize("names", ["height width depth", "image/height image/width image/channels"])
@pytest.mark.parametrize("channels", [1, 3])
def test_raw_pixels_are_read_by_their_shape_fields(latentloom, tmp_path, names, channels):
    pixels = IMAGES[..., :channels]
    shape = dict(zip(names.split(), ([5], [6], [channels]), strict=True))
    records = [
        example({"image_raw": pixels[row].tobytes(), "label": [row % 3], **shape})
        for row in range(COUNT)
    ]
    run = latentloom("import", write(tmp_path / "a.tfrecord", records), tmp_path / "out")
    assert run.returncode == 0, run.stderr
    found = [image.reshape(5, 6, channels) for _, image in stored(tmp_path / "out")]
    np.testing.assert_array_equal(found, pixels)


def test_an_encoded_image_is_decoded_whatever_its_field_is_called(latentloom, tmp_path):
    changes = {"image": None, "image_raw": lambda row: png(IMAGES[row])}
    shape = {"height": [5], "width": [6], "depth": [3]}
    spec = write(tmp_path / "a.tfrecord", rows(**changes, **shape))
    assert latentloom("import", spec, tmp_path / "out").returncode == 0
    holds(tmp_path / "out")


@pytest.mark.parametrize(
    ("dtype", "channels", "told"), [(np.uint16, 3, "180 bytes"), (np.uint8, 2, "60 bytes")]
)
def test_other_raw_pixels_are_refused_with_their_sizes(latentloom, tmp_path, dtype, channels, told):
    data = np.zeros((5, 6, channels), dtype).tobytes()
    shape = {"height": [5], "width": [6], "depth": [channels]}
    spec = write(tmp_path / "a.tfrecord", rows(image=None, image_raw=data, **shape))
    run = latentloom("import", spec, tmp_path / "out")
    refused(run, tmp_path / "out", "8-bit pixels in 1 or 3 channels", told, f"5 x 6 x {channels}")


def test_fields_are_named_by_options(latentloom, tmp_path):
    changes = {"image": None, "label": None, "x__photo": lambda row: png(IMAGES[row])}
    spec = write(tmp_path / "a.tfrecord", rows(**changes, kind=lambda row: [row % 3]))
    words = ("--image", "x/photo", "--label", "kind")
    run = latentloom("import", spec, tmp_path / "out", *words)
    assert run.returncode == 0, run.stderr
    holds(tmp_path / "out")
    run = latentloom("import", spec, tmp_path / "no", "--image", "x/foto", "--label", "kind")
    refused(run, tmp_path / "no", "no field 'x/foto'", "Did you mean 'x/photo'", "Pass --image")


def test_whole_floats_are_labels(latentloom, tmp_path):
    spec = write(tmp_path / "a.tfrecord", rows(label=lambda row: [float(row % 3)]))
    assert latentloom("import", spec, tmp_path / "out").returncode == 0
    holds(tmp_path / "out")


def test_the_first_of_several_labels_is_taken_by_an_option(latentloom, tmp_path):
    records = rows(label=lambda row: [row % 3, 5, 7][: 1 + row % 3])
    spec, out = write(tmp_path / "a.tfrecord", records), tmp_path / "out"
    refused(latentloom("import", spec, out), out, "'label'", "has 2 values", "--first")
    assert latentloom("import", spec, out, "--label", "label", "--first").returncode == 0
    holds(out)


def test_a_class_of_records_without_images_is_refused(latentloom, tmp_path):
    records = rows(label=lambda row: [0 if row else 4])
    records[0] = example({"image": b"no image", "label": [4]})
    run = latentloom("import", write(tmp_path / "a.tfrecord", records), tmp_path / "out")
    refused(run, tmp_path / "out", "class '4'", "Received: 1 of 1")
    records[0] = example({"label": [4]})
    run = latentloom("import", write(tmp_path / "a.tfrecord", records), tmp_path / "out")
    refused(run, tmp_path / "out", "class '4'", "'image' is missing")


EXPLAINED = {
    "float labels": (lambda row: [0.5], (), ["'label'", "it is the number 0.5", "200 with"]),
    "one-hot labels": (
        lambda row: [int(row % 3 == place) for place in range(3)],
        (),
        ["has 3 values, a 1 among zeros (one-hot)", "number of the class"],
    ),
    "one-hot labels, and the first": (
        lambda row: [float(row % 3 == place) for place in range(3)],
        ("--first",),
        ["are one-hot: a 1 among zeros", "Write the number of the class"],
    ),
    "several labels": (lambda row: [4, 5], (), ["has 2 values; with --first"]),
    "empty labels": (lambda row: [], (), ["'label' is missing or not one"]),
}


@pytest.mark.parametrize("case", EXPLAINED)
def test_records_that_are_all_unusable_keep_their_reasons(latentloom, tmp_path, case):
    label, words, told = EXPLAINED[case]
    spec = write(tmp_path / "a.tfrecord", rows(label=label))
    run = latentloom("import", spec, tmp_path / "out", *words)
    refused(run, tmp_path / "out", *told, unsaid=("No image can be used",))


def test_what_is_no_example_is_one_message_or_a_dead_letter(latentloom, tmp_path):
    spec, out = write(tmp_path / "a.tfrecord", [b"no example %d" % n for n in range(3)]), "out"
    run = latentloom("import", spec, tmp_path / out)
    refused(run, tmp_path / out, "3 with the reason: the record is not a tf.train.Example")
    write(tmp_path / "a.tfrecord", [*rows(), b"no example"])
    run = latentloom("import", spec, tmp_path / out)
    assert run.returncode == 0, run.stderr
    assert "Left out 1: unusable. First: 'a.tfrecord', the record is not a tf.train.Example." in (
        run.stdout
    )
    holds(tmp_path / out)


def test_a_record_of_tfds_that_is_no_example_is_one_message(latentloom, tmp_path):
    features = {
        "image": tfds.features.Image(shape=(5, 6, 3)),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
    }
    values = {"image": IMAGES[:4], "label": np.arange(4) % 2}
    spec = write_directory(tmp_path / "in", features, values)
    (shard,) = (tmp_path / "in").glob("*.tfrecord-*")
    write(shard, [b"no example"] * 4)
    run = latentloom("import", spec, tmp_path / "out")
    refused(run, tmp_path / "out", "A record of TFDS data set", "cannot be read", "Prepare")


def test_a_bad_record_gives_one_manifest_without_addresses(latentloom, tmp_path):
    records = rows()
    records[7] = example({"image": b"no image", "label": [1]})
    records += rows()
    spec = write(tmp_path / "a.tfrecord", records)
    for out in ("one", "two"):
        assert latentloom("import", spec, tmp_path / out).returncode == 0
    manifests = [(tmp_path / out / "manifest.json").read_text() for out in ("one", "two")]
    assert manifests[0] == manifests[1]
    assert "0x" not in str(manifest_of(tmp_path / "one")["details"])


def test_numbers_in_texts_are_in_numeric_order(latentloom, tmp_path):
    spec = write(tmp_path / "a.tfrecord", rows(label=lambda row: b"%d" % (5 * (row % 3))))
    assert latentloom("import", spec, tmp_path / "out").returncode == 0
    assert manifest_of(tmp_path / "out")["factors"]["label"] == ["0", "5", "10"]
    holds(tmp_path / "out", [str(5 * (row % 3)) for row in range(COUNT)])


def test_one_record_in_colour_makes_all_colour_wherever_it_stands(latentloom, tmp_path):
    grey = [png(np.full((5, 6), row, np.uint8)) for row in range(COUNT)]
    records = rows(image=lambda row: grey[row] if row < COUNT - 1 else png(IMAGES[row]))
    run = latentloom("import", write(tmp_path / "a.tfrecord", records), tmp_path / "out")
    assert run.returncode == 0, run.stderr
    found = [pixels for _, pixels in stored(tmp_path / "out")]
    assert found[0].shape == (5, 6, 3)
    np.testing.assert_array_equal(found[-1], IMAGES[-1])


def test_two_images_in_a_record_are_refused_until_one_is_named(latentloom, tmp_path):
    spec = write(tmp_path / "a.tfrecord", rows(image__encoded=lambda row: png(IMAGES[row])))
    run = latentloom("import", spec, tmp_path / "out")
    refused(run, tmp_path / "out", "image and image/encoded", "--image FIELD")
    named = latentloom("import", spec, tmp_path / "out", "--image", "image/encoded")
    assert named.returncode == 0, named.stderr
    holds(tmp_path / "out")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_depth_of_raw_pixels_follows_from_their_size(latentloom, tmp_path, channels):
    pixels = IMAGES[..., :channels]
    records = [
        example(
            {"image_raw": pixels[row].tobytes(), "label": [row % 3], "height": [5], "width": [6]}
        )
        for row in range(COUNT)
    ]
    run = latentloom("import", write(tmp_path / "a.tfrecord", records), tmp_path / "out")
    assert run.returncode == 0, run.stderr
    found = [image.reshape(5, 6, channels) for _, image in stored(tmp_path / "out")]
    np.testing.assert_array_equal(found, pixels)
