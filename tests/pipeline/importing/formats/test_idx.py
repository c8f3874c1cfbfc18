import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source


def idx(array: np.ndarray, magic: int) -> bytes:
    return struct.pack(f">I{array.ndim}I", magic, *array.shape) + array.tobytes()


def write(folder: Path, name: str, array: np.ndarray, magic: int, suffix: str = ".gz") -> Path:
    data = idx(array, magic)
    path = folder / f"{name}{suffix}"
    path.write_bytes(gzip.compress(data) if suffix == ".gz" else data)
    return path


@pytest.fixture(params=["-", "."])
def arrays(request, tmp_path) -> dict[str, np.ndarray]:
    """Train gzipped and test plain, with either spelling of the names."""
    rng, mark = np.random.default_rng(0), request.param
    arrays = {}
    for split, prefix, count, suffix in (("train", "train", 30, ".gz"), ("test", "t10k", 7, "")):
        images = rng.integers(0, 256, (count, 5, 4), dtype=np.uint8)
        labels = (np.arange(count) % 4).astype(np.uint8)
        write(tmp_path, f"{prefix}-images{mark}idx3-ubyte", images, 2051, suffix)
        write(tmp_path, f"{prefix}-labels{mark}idx1-ubyte", labels, 2049, suffix)
        arrays |= {f"{split}_images": images, f"{split}_labels": labels}
    return arrays


def test_reading_gives_back_the_files(tmp_path, arrays):
    dataset = import_dataset(f"idx:{tmp_path}", f"{tmp_path}_out", name="tiny")
    assert dataset.manifest.class_names == ["0", "1", "2", "3"]
    for split in ("train", "test"):
        examples = dataset.read(split).loaded()
        np.testing.assert_array_equal(examples.observations[..., 0], arrays[f"{split}_images"])
        np.testing.assert_array_equal(examples.labels, arrays[f"{split}_labels"])


@pytest.fixture
def folder(tmp_path) -> Path:
    write(tmp_path, "train-images-idx3-ubyte", np.zeros((30, 5, 4), np.uint8), 2051)
    write(tmp_path, "train-labels-idx1-ubyte", np.arange(30, dtype=np.uint8) % 3, 2049)
    return tmp_path


def test_the_test_split_may_be_absent(folder):
    assert open_source(f"idx:{folder}").splits == {"train": 30}


def test_labels_with_gaps_become_classes_without(folder):
    labels = np.array([5, 0, 2], np.uint8)[np.arange(30) % 3]
    write(folder, "train-labels-idx1-ubyte", labels, 2049)
    write(folder, "t10k-images-idx3-ubyte", np.zeros((4, 5, 4), np.uint8), 2051)
    write(folder, "t10k-labels-idx1-ubyte", np.array([9, 0, 5, 2], np.uint8), 2049)
    source = open_source(f"idx:{folder}")
    assert source.factors == {"label": ["0", "2", "5", "9"]}
    ((examples, _),) = source.batches("train")
    np.testing.assert_array_equal(np.array([0, 2, 5, 9])[examples.labels], labels)
    ((examples, _),) = source.batches("test")
    assert examples.labels.tolist() == [3, 0, 2, 1]


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"])
def test_a_truncated_gzip_is_named(folder, name):
    rng = np.random.default_rng(0)
    write(folder, "train-images-idx3-ubyte", rng.integers(0, 256, (30, 5, 4), np.uint8), 2051)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-15])
    with pytest.raises(ValueError, match=f"{name}' is truncated .* Download it again"):
        import_dataset(f"idx:{folder}", f"{folder}_out")
    assert not Path(f"{folder}_out").exists()


def test_what_is_no_gzip_is_named(folder):
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(ValueError, match="Download it again"):
        open_source(f"idx:{folder}")


def test_too_few_pixels_are_an_error(folder):
    data = idx(np.zeros((30, 5, 4), np.uint8), 2051)[:-1]
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(data))
    with pytest.raises(ValueError, match="599 of 600 bytes"):
        import_dataset(f"idx:{folder}", f"{folder}_out")


def test_a_wrong_magic_number_is_an_error(folder):
    write(folder, "train-images-idx3-ubyte", np.zeros((30, 5, 4), np.uint8), 2049)
    with pytest.raises(ValueError, match="magic number 2051. Received: 2049"):
        open_source(f"idx:{folder}")


def test_other_counts_of_images_and_labels_are_an_error(folder):
    write(folder, "train-labels-idx1-ubyte", np.zeros(29, np.uint8), 2049)
    with pytest.raises(ValueError, match="30 images, 29 labels"):
        open_source(f"idx:{folder}")


def test_splits_of_different_sizes_are_an_error(folder):
    write(folder, "t10k-images-idx3-ubyte", np.zeros((3, 6, 6), np.uint8), 2051)
    write(folder, "t10k-labels-idx1-ubyte", np.zeros(3, np.uint8), 2049)
    with pytest.raises(ValueError, match="Keep files of one data set"):
        open_source(f"idx:{folder}")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte .*Check the folder"):
        open_source(f"idx:{tmp_path}")


@pytest.mark.data
def test_mnist_is_read_whole(tmp_path, real_data):
    dataset = import_dataset(f"idx:{real_data('mnist')}", tmp_path / "out", shards=3)
    assert [dataset.manifest.num_examples(split) for split in ("train", "test")] == [60_000, 10_000]
    assert dataset.manifest.label_counts("train")["0"] == 5923
    with gzip.open(real_data("mnist") / "t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 28, 28, 1)
    examples = dataset.read("test")
    np.testing.assert_array_equal(examples.take(np.argsort(examples.ids)).observations, pixels)
