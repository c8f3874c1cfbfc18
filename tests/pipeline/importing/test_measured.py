"""Factors measured at import: thirds of the training images, the same limits for all splits."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.strokes import ATTRIBUTES, measure_strokes
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.terciles import VALUES, Terciles
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.verification.verify import verify


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> DatasetDir:
    folder = tmp_path_factory.mktemp("measured") / "digits"
    return import_dataset("builtin:digits", folder, measure=["thickness", "width"])


def write_npz(path, images: np.ndarray) -> str:
    split = np.where(np.arange(len(images)) % 4 == 3, "test", "train")
    np.savez(path, images=images, label=np.arange(len(images)) % 2, split=split)
    return f"npz:{path}"


def bars(widths, side: int = 16) -> np.ndarray:
    """Upright bars, one of each width."""
    columns = np.arange(side) < np.asarray(widths)[:, None]
    images = np.zeros((len(columns), side, side), np.uint8)
    images[:, 3:13, :] = 255 * columns[:, None, :]
    return np.roll(images, 2, axis=2)


def test_every_value_of_a_bar_follows_from_its_width(tmp_path):
    widths = np.tile([1, 2, 3, 5, 6, 7, 9, 10, 11], 8)
    source = write_npz(tmp_path / "bars.npz", bars(widths))
    made = import_dataset(source, tmp_path / "out", measure=["width"])
    for split in ("train", "test"):
        examples = made.read(split).loaded()
        found = (examples.observations[:, 5, :, 0] > 0).sum(axis=1)
        expected = np.searchsorted([4, 8], found)
        np.testing.assert_array_equal(examples.factors["width"], expected)
    assert list(made.manifest.factors) == ["label", "width"]
    assert made.manifest.factors["width"] == list(VALUES)
    assert made.manifest.source["measure"] == ["width"]


def test_all_splits_have_the_limits_that_the_manifest_keeps(digits):
    terciles = Terciles.from_details(digits.manifest.details)
    assert list(terciles.limits) == ["thickness", "width"]
    for split in ("train", "test"):
        examples = digits.read(split)
        for name in terciles.limits:
            values = terciles.codes(name, measure_strokes(examples.observations, name))
            np.testing.assert_array_equal(examples.factors[name], values)
    for name in terciles.limits:
        shares = np.bincount(digits.read("train").factors[name]) / len(digits.read("train"))
        np.testing.assert_allclose(shares, 1 / 3, atol=0.03)


def test_limits_are_those_of_the_training_images_alone(tmp_path):
    widths = np.tile([1, 2, 3, 11], 12)  # the widest are all in the split `test`
    made = import_dataset(
        write_npz(tmp_path / "bars.npz", bars(widths)), tmp_path / "out", measure=["width"]
    )
    assert set(made.read("test").factors["width"].tolist()) == {2}
    assert np.bincount(made.read("train").factors["width"]).tolist() == [12, 12, 12]


def test_measured_factors_change_nothing_else(digits, tmp_path):
    plain = import_dataset("builtin:digits", tmp_path / "plain")
    assert "terciles" not in plain.manifest.details
    assert verify(digits.path).ok
    measured, before = digits.read("test"), plain.read("test")
    assert measured.ids == before.ids
    np.testing.assert_array_equal(measured.observations, before.observations)
    np.testing.assert_array_equal(measured.labels, before.labels)


def test_images_are_measured_as_they_are_stored(tmp_path):
    made = import_dataset(
        "builtin:digits", tmp_path / "out", image_size=16, max_examples=300, measure=["width"]
    )
    low, high = Terciles.from_details(made.manifest.details).limits["width"]
    assert 7 < low < high < 16
    examples = made.read("train")
    widths = measure_strokes(examples.observations, "width")
    np.testing.assert_allclose(np.quantile(widths, [1 / 3, 2 / 3]), [low, high])


@pytest.mark.parametrize(
    ("measure", "options", "message"),
    [
        (["thicknes"], {}, "'thicknes' is unknown.*Did you mean 'thickness'"),
        (["width", "width"], {}, "is a duplicate.*Drop it from --measure"),
        (["width"], {"inks": 3}, r"Expected: grey images.*\(8, 8, 3\).*Drop --measure"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path, measure, options, message):
    with pytest.raises(ValueError, match=message):
        import_dataset("builtin:digits", tmp_path / "out", measure=measure, **options)
    assert not (tmp_path / "out").exists()


def test_vectors_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Received: vectors"):
        import_dataset("builtin:moons", tmp_path / "out", measure=["width"])


def test_dark_ink_on_a_bright_ground_is_refused(tmp_path):
    source = write_npz(tmp_path / "bars.npz", 255 - bars(np.tile([2, 5, 9], 12)))
    with pytest.raises(ValueError, match=r"not bright on dark.*Invert them"):
        import_dataset(source, tmp_path / "out", measure=["width"])


@pytest.mark.data
@pytest.mark.parametrize(
    ("most", "least"),
    [
        (7000, {"train": 15, "test": 2}),
        pytest.param(None, {"train": 150, "test": 20}, marks=pytest.mark.slow),
    ],
)
def test_every_class_of_mnist_has_every_value(tmp_path, real_data, most, least):
    settings = {"measure": ["thickness", "slant", "width"], "max_examples": most}
    made = import_dataset(f"idx:{real_data('mnist')}", tmp_path / "out", **settings)
    for split, fewest in least.items():
        examples = made.read(split)
        for name in ATTRIBUTES:
            counts = np.zeros((10, 3), np.int64)
            np.add.at(counts, (examples.labels, examples.factors[name]), 1)
            assert counts.min() >= fewest, (split, name)
            assert np.ptp(counts.sum(axis=0)) < 0.1 * len(examples)
