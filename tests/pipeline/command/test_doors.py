"""Names, pipes and channels as `import` meets them: exit code, message, what lies on disk."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tfds_directories import write_directory

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.storage.png import encode_png
from latentloom.pipeline.storage.tf_example import serialize


def save(path: Path, color: tuple[int, ...] = (7,), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (6, 6), color if len(color) > 1 else color[0]).save(path, "PNG")


@pytest.fixture
def photos(tmp_path) -> Path:
    """200 grey images of two classes."""
    for number in range(100):
        for name in ("cat", "dog"):
            save(tmp_path / "photos" / name / f"{number:03d}.png", (number,))
    return tmp_path / "photos"


def refused(run, out: Path, *words: str) -> None:
    """Checks one message, exit code 2 and nothing on disk."""
    assert run.returncode == 2, run.stderr
    assert run.stderr.count("\n") == 1
    for word in words:
        assert word in run.stderr
    assert not out.exists()
    assert not [path for path in out.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", [b"c\xffat", b"c\nat", b"\x1b[31mcat", "c\u202eat".encode()])
def test_a_class_folder_that_is_no_plain_text_is_refused(latentloom, tmp_path, photos, name):
    os.rename(photos / "cat", os.fsencode(photos) + b"/" + name)
    run = latentloom("import", f"folder:{photos}", tmp_path / "out")
    refused(run, tmp_path / "out", "The values of factor 'label' are invalid", "Rename them")
    assert "\x1b" not in run.stderr


@pytest.mark.parametrize("split", ["all", "te+st", "a b", "x[0]", "-", "tra.in", "x" * 99])
def test_a_split_that_tfds_cannot_read_is_refused(latentloom, tmp_path, photos, split):
    (tmp_path / "in").mkdir()
    photos.rename(tmp_path / "in" / "train")
    save(tmp_path / "in" / split / "cat" / "1.png")
    run = latentloom("import", f"folder:{tmp_path / 'in'}", tmp_path / "out")
    refused(run, tmp_path / "out", split, "is an invalid name of a split", "Rename it")


@pytest.mark.parametrize("name", [b"a\xff.png", b"a\n.png", b"a\x1b.png"])
def test_a_file_name_that_is_no_plain_text_is_a_dead_letter(latentloom, tmp_path, photos, name):
    os.rename(photos / "cat" / "050.png", os.fsencode(photos) + b"/cat/" + name)
    run = latentloom("import", f"folder:{photos}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    manifest = DatasetDir.open(tmp_path / "out").manifest
    (letter,) = manifest.details["dead_letters"]
    assert "rename it" in letter["reason"]
    assert letter["shard"].startswith("cat/a\\")
    assert manifest.totals["written"] == 199


def test_names_of_arrays_are_checked_too(latentloom, tmp_path):
    images, out = np.zeros((4, 5, 5), np.uint8), tmp_path / "out"
    for values, word in (
        (np.array(["a", "b\x07"])[np.arange(4) % 2], "x07"),
        (np.array(["a", "b\ud800"])[np.arange(4) % 2], "ud800"),
        (np.array([b"a", b"b\xff"])[np.arange(4) % 2], "bytes in UTF-8"),
    ):
        np.savez(tmp_path / "a.npz", images=images, label=values)
        refused(latentloom("import", f"npz:{tmp_path / 'a.npz'}", out), out, word)


def test_words_of_a_vocabulary_are_checked_too(latentloom, tmp_path):
    rows = {"data": [1, 1], "indices": [0, 1], "indptr": [0, 1, 2], "labels": [0, 1]}
    arrays = {name: np.array(values) for name, values in rows.items()}
    for vocabulary, mention in (
        (np.array(["moon", "st\x1bar"]), "st\\x"),
        (np.array([b"moon", b"st\xffar"]), "0xff"),
    ):
        np.savez(tmp_path / "a.npz", vocab=vocabulary, **arrays)
        run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
        refused(run, tmp_path / "out", mention)


def test_an_archive_with_two_arrays_of_labels_is_refused(latentloom, tmp_path):
    rows = {"data": [1, 1], "indices": [0, 1], "indptr": [0, 1, 2], "labels": [0, 1]}
    rows |= {"label": [1, 0]}
    arrays = {name: np.array(values) for name, values in rows.items()}
    np.savez(tmp_path / "a.npz", vocab=np.array(["moon", "star"]), **arrays)
    run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    refused(run, tmp_path / "out", "label and labels", "Leave one out")


def records(path: Path, labels: list) -> str:
    images = encode_png(np.zeros((len(labels), 5, 5, 1), np.uint8))
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image, label in zip(images, labels, strict=True):
            writer.write(serialize({"image": image, "label": label}))
    return f"tfrecord:{path.parent}/*.tfrecord"


def test_labels_of_records_are_checked_too(latentloom, tmp_path):
    out, path = tmp_path / "out", tmp_path / "a.tfrecord"
    spec = records(path, [b"cat", b"d\nog"])
    refused(latentloom("import", spec, out), out, "d\\nog", "Rename them")
    spec = records(path, [b"cat", b"dog"] * 100 + [b"d\xffog"])
    assert latentloom("import", spec, out).returncode == 0
    (letter,) = DatasetDir.open(out).manifest.details["dead_letters"]
    assert letter["reason"] == "field 'label' is not UTF-8"


def test_names_of_tfds_are_checked_too(latentloom, tmp_path):
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(5, 5, 1)),
            "label": tfds.features.ClassLabel(names=["cat", "dog"]),
        }
    )
    columns = {"image": list(np.zeros((4, 5, 5, 1), np.uint8)), "label": np.arange(4) % 2}
    write_directory(tmp_path / "in", features, columns)
    (tmp_path / "in" / "label.labels.txt").write_text("cat\nd\x1bog\n")
    run = latentloom("import", f"tfds:{tmp_path / 'in'}", tmp_path / "out")
    refused(run, tmp_path / "out", "d\\x1bog", "Rename them")


def test_splits_and_encodings_of_tfds_are_checked_too(latentloom, tmp_path):
    import tensorflow_datasets as tfds

    features = {
        "image": tfds.features.Image(shape=(5, 5, 1)),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
    }
    columns = {"image": list(np.zeros((4, 5, 5, 1), np.uint8)), "label": np.arange(4) % 2}
    spec = write_directory(tmp_path / "in", features, columns)
    info, shard = tmp_path / "in" / "dataset_info.json", next((tmp_path / "in").glob("*tfrecord*"))
    whole, renamed = info.read_text(), Path(str(shard).replace("-train.", "-all."))
    info.write_text(whole.replace('"train"', '"all"'))
    shard.rename(renamed)
    refused(latentloom("import", spec, tmp_path / "out"), tmp_path / "out", "name of a split")
    info.write_text(whole)
    renamed.rename(shard)
    (tmp_path / "in" / "label.labels.txt").write_bytes(b"cat\nd\xffog\n")
    refused(latentloom("import", spec, tmp_path / "out"), tmp_path / "out", "label.labels.txt")


def test_a_source_whose_name_is_no_plain_text_is_refused(latentloom, tmp_path, photos):
    named = tmp_path / "pho\ntos"
    photos.rename(named)
    run = latentloom("import", f"folder:{named}", tmp_path / "out")
    refused(run, tmp_path / "out", "pho\\ntos", "Rename it")
    run = latentloom("import", f"folder:{tmp_path}/\udcff", tmp_path / "out")
    refused(run, tmp_path / "out", "is not UTF-8", "Rename the file")
    run = latentloom("import", "builtin:digits", f"{tmp_path}/out\udcff")
    refused(run, tmp_path / "out", "is not UTF-8", "Rename the file")


def test_pipes_and_devices_in_a_folder_are_dead_letters(latentloom, tmp_path, photos):
    os.mkfifo(photos / "cat" / "pipe.png")
    (photos / "dog" / "device.png").symlink_to("/dev/zero")
    run = latentloom("import", f"folder:{photos}", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    letters = DatasetDir.open(tmp_path / "out").manifest.details["dead_letters"]
    assert [letter["shard"] for letter in letters] == ["cat/pipe.png", "dog/device.png"]
    assert {letter["reason"] for letter in letters} == {"it is not a regular file"}


@pytest.mark.parametrize(
    ("file", "spec"),
    [
        ("a.npz", "npz:{}/a.npz"),
        ("train-images-idx3-ubyte", "idx:{}"),
        ("train-images-idx3-ubyte.gz", "idx:{}"),
        ("a.tfrecord", "tfrecord:{}/*.tfrecord"),
        ("features.json", "tfds:{}"),
    ],
)
def test_a_pipe_in_place_of_a_file_is_refused(latentloom, tmp_path, file, spec):
    (tmp_path / "in").mkdir()
    os.mkfifo(tmp_path / "in" / file)
    run = latentloom("import", spec.format(tmp_path / "in"), tmp_path / "out")
    refused(run, tmp_path / "out", file, "not a regular file")


@pytest.mark.parametrize("file", ["pets-train.tfrecord-00000-of-00001", "manifest.json"])
def test_a_pipe_in_a_data_set_is_reported_by_verify(latentloom, tmp_path, dataset, file):
    path = dataset / file
    path.unlink()
    os.mkfifo(path)
    run = latentloom("verify", dataset)
    assert run.returncode != 0
    assert file in run.stderr


def test_a_pipe_in_a_bundle_is_refused(latentloom, tmp_path, dataset):
    (tmp_path / "bundle").mkdir()
    os.mkfifo(tmp_path / "bundle" / "bundle.json")
    words = ("--data", dataset, "--model", tmp_path / "bundle", "--out", tmp_path / "out")
    run = latentloom("evaluate", *words)
    refused(run, tmp_path / "out", "bundle.json", "not a regular file")


@pytest.fixture
def dataset(latentloom, tmp_path) -> Path:
    np.savez(tmp_path / "pets.npz", images=np.zeros((4, 5, 5), np.uint8), label=np.arange(4) % 2)
    run = latentloom("import", f"npz:{tmp_path / 'pets.npz'}", tmp_path / "data")
    assert run.returncode == 0
    return tmp_path / "data"


def test_one_image_in_colour_counts_wherever_it_stands(latentloom, tmp_path, photos):
    save(photos / "dog" / "zzz.png", (200, 10, 10), "RGB")
    spec = f"folder:{photos}"
    for out, words, channels in (
        ("asked", (), 3),
        ("grey", ("--channels", 1), 1),
        ("rgb", ("--channels", 3), 3),
    ):
        run = latentloom("import", spec, tmp_path / out, *words)
        assert run.returncode == 0, run.stderr
        manifest = DatasetDir.open(tmp_path / out).manifest
        assert manifest.observation_shape == (6, 6, channels)
        assert manifest.source.get("channels") == (words[1] if words else None)
        assert manifest.totals["dead"] == 0


def test_channels_apply_to_every_source_of_images(latentloom, tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (4, 5, 5, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=colours, label=np.arange(4) % 2)
    run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "grey", "--channels", 1)
    assert run.returncode == 0, run.stderr
    expected = [np.asarray(Image.fromarray(image).convert("L")) for image in colours]
    found = DatasetDir.open(tmp_path / "grey").read("train").loaded().observations[..., 0]
    np.testing.assert_array_equal(found, expected)
    run = latentloom("import", "builtin:digits", tmp_path / "rgb", "--channels", 3)
    assert run.returncode == 0
    assert DatasetDir.open(tmp_path / "rgb").manifest.observation_shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("spec", "channels", "words"),
    [("builtin:digits", 2, "Pass --channels 1 or"), ("builtin:moons", 1, "Drop --channels")],
)
def test_impossible_channels_are_refused(latentloom, tmp_path, spec, channels, words):
    run = latentloom("import", spec, tmp_path / "out", "--channels", channels)
    refused(run, tmp_path / "out", words)


def test_an_output_inside_the_source_is_refused(latentloom, tmp_path, photos):
    for out in (photos / "out", photos / "cat" / "out"):
        refused(latentloom("import", f"folder:{photos}", out), out, "lies in the input")
    (photos / "cat").rename(tmp_path / "cats")
    (photos / "cat").symlink_to(tmp_path / "cats")
    out = tmp_path / "cats" / "out"
    refused(latentloom("import", f"folder:{photos}", out), out, "lies in the input")
    (tmp_path / "idx").mkdir()
    header = struct.pack(">4I", 2051, 1, 2, 2) + bytes(4)
    (tmp_path / "idx" / "train-images-idx3-ubyte").write_bytes(header)
    out = tmp_path / "idx" / "out"
    refused(latentloom("import", f"idx:{tmp_path / 'idx'}", out), out, "lies in the input")


def test_the_name_of_a_data_set_fits_into_a_file_name(latentloom, tmp_path, photos):
    run = latentloom("import", f"folder:{photos}", tmp_path / "out", "--name", "x" * 200)
    refused(run, tmp_path / "out", "--name")
    photos.rename(tmp_path / ("y" * 200))
    run = latentloom("import", f"folder:{tmp_path / ('y' * 200)}", tmp_path / "out")
    refused(run, tmp_path / "out", "--name")
