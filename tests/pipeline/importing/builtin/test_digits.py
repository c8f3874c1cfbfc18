import numpy as np
import pytest
from sklearn.datasets import load_digits

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source


def test_digits_keep_their_images_and_labels(tmp_path):
    dataset = import_dataset("builtin:digits", tmp_path / "out")
    pixels, labels = load_digits(return_X_y=True)
    found = np.concatenate([dataset.read(split).observations for split in ("train", "test")])
    expected = np.rint(pixels * 255 / 16).astype(np.uint8)
    assert sorted(found.reshape(-1, 64).tolist()) == sorted(expected.tolist())
    counts = [dataset.manifest.label_counts(split) for split in ("train", "test")]
    assert [sum(c[str(d)] for c in counts) for d in range(10)] == np.bincount(labels).tolist()


def test_one_digit_in_five_is_held_out():
    splits = open_source("builtin:digits").splits
    assert sum(splits.values()) == 1797
    assert splits["test"] / 1797 == pytest.approx(0.2, abs=0.02)


def test_digits_span_the_grey_levels():
    examples, dead = next(open_source("builtin:digits").batches("train"))
    assert dead == []
    assert (examples.observations.min(), examples.observations.max()) == (0, 255)
    assert list(examples.factors) == ["label"]
