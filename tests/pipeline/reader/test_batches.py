"""`load` mixes, balances and selects exactly as it says."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from bundles import digits_data, make

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.reader import load
from latentloom.pipeline.storage.tf_example import Example
from latentloom.pipeline.storage.tfrecords import frame, read_records


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    return make(tmp_path_factory.mktemp("reader") / "variants", "generate.gate.min_confidence=0.5")


def labels_of(batches) -> np.ndarray:
    return np.concatenate([labels for _, labels in batches.as_numpy_iterator()])


def images_of(batches) -> np.ndarray:
    return np.concatenate([images for images, _ in batches.as_numpy_iterator()])


def test_batches_are_the_examples_scaled_to_one(dataset):
    batches = load(dataset.path, "test", shuffle=False, batch_size=5)
    examples = dataset.read("test")
    np.testing.assert_array_equal(images_of(batches), examples.observations / np.float32(255))
    np.testing.assert_array_equal(labels_of(batches), examples.labels)
    assert [len(labels) for _, labels in batches] == [5, 5, 2]
    assert batches.cardinality() == 3


def test_an_order_belongs_to_its_seed_and_changes_every_epoch(dataset):
    first, same, other = (load(dataset.path, seed=seed) for seed in (1, 1, 2))
    epochs = [images_of(first), images_of(first)]
    np.testing.assert_array_equal(epochs, [images_of(same), images_of(same)])
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[0], images_of(other))
    np.testing.assert_array_equal(np.sort(epochs[0], axis=0), np.sort(epochs[1], axis=0))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_an_epoch_has_every_real_example_once_and_the_share_of_generated_ones(variants, share):
    batches = load(digits_data(), generated=variants.path, share=share)
    real = load(digits_data(), shuffle=False)
    found, known = images_of(batches), {image.tobytes() for image in images_of(real)}
    is_real = np.array([image.tobytes() in known for image in found])
    assert is_real.sum() == len(images_of(real))
    assert 1 - is_real.mean() == pytest.approx(share, abs=0.5 / len(found))
    assert len(found) == sum(len(labels) for _, labels in batches)


def test_generated_examples_of_several_directories_are_mixed(variants, tmp_path):
    other = make(tmp_path / "other", "generate.recipe=swap_zu", "generate.gate.min_confidence=0.5")
    places = [variants.path, other.path]
    both = load(digits_data(), generated=places)
    assert both.cardinality() == load(digits_data(), generated=variants.path).cardinality()
    swapped = load(digits_data(), generated=places, recipes=["swap_zu"])
    known = {
        image.tobytes() for place in (digits_data(), other.path) for image in images_of(load(place))
    }
    assert {image.tobytes() for image in images_of(swapped)} <= known


def test_balanced_classes_are_as_frequent_as_the_largest_and_none_is_lost(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), [40, 7, 16])
    images = rng.integers(0, 256, (63, 6, 5, 1), dtype=np.uint8)
    np.savez(tmp_path / "odd.npz", images=images, label=labels, split=np.full(63, "train"))
    odd = import_dataset(f"npz:{tmp_path / 'odd.npz'}", tmp_path / "odd")
    batches = load(odd.path, balanced=True)
    assert np.bincount(labels_of(batches)).tolist() == [40, 40, 40]
    assert batches.cardinality() == 2
    found, counts = np.unique(images_of(batches), axis=0, return_counts=True)
    assert len(found) == 63
    assert set(counts) == {1, 2, 3, 5, 6}  # 40 = 5 * 7 + 5 = 2 * 16 + 8


def test_the_selection_is_of_the_generated_examples_alone(variants):
    sure = load(variants.path, min_confidence=0.99)
    assert 0 < len(labels_of(sure)) < variants.manifest.num_examples("train")
    mixed = load(digits_data(), generated=variants.path, min_confidence=0.99)
    known = {image.tobytes() for place in (load(digits_data()), sure) for image in images_of(place)}
    assert {image.tobytes() for image in images_of(mixed)} == known


def test_vectors_come_in_their_own_units(tmp_path):
    data = import_dataset("builtin:moons", tmp_path / "moons", max_examples=300)
    vectors = images_of(load(data.path, shuffle=False))
    np.testing.assert_array_equal(vectors, data.read("train").observations)


def test_the_shuffle_buffer_counts_bytes(dataset, monkeypatch):
    in_order = labels_of(load(dataset.path, shuffle=False))
    assert not np.array_equal(labels_of(load(dataset.path)), in_order)
    monkeypatch.setattr("latentloom.pipeline.reader.batches.SHUFFLE_BYTES", 1)
    np.testing.assert_array_equal(labels_of(load(dataset.path)), in_order)


def test_a_damaged_image_is_an_error(dataset):
    shard = Path(dataset.shard_path("train", 0))
    records = list(read_records(shard))
    record = Example.FromString(records[3])
    (image,) = record.features.feature["image"].bytes_list.value
    record.features.feature["image"].bytes_list.value[0] = image[:-14] + b"?" + image[-13:]
    records[3] = record.SerializeToString()
    shard.write_bytes(b"".join(map(frame, records)))
    with pytest.raises(tf.errors.OpError, match="An image is unreadable.*Leave out"):
        labels_of(load(dataset.path))


def test_batches_are_ready_for_fit(variants):
    batches = load(digits_data(), generated=variants.path, balanced=True)
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], jit_compile=False)
    history = model.fit(batches, epochs=3, shuffle=False, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 1.0}, "Expected: 0 < share < 1.*Load generated ones alone"),
        ({"share": 0}, "Expected: 0 < share < 1"),
        ({"recipes": ["swap_zu"]}, "no selected example.*Select more"),
    ],
)
def test_what_cannot_be_mixed_is_refused(variants, settings, message):
    with pytest.raises(ValueError, match=message):
        load(digits_data(), generated=variants.path, **settings)


def test_generated_examples_of_other_data_are_refused(variants, dataset):
    with pytest.raises(ValueError, match="does not fit.*Expected: the same shape"):
        load(dataset.path, generated=variants.path)


def test_real_examples_have_no_recipe(dataset):
    with pytest.raises(ValueError, match="are real. Expected"):
        load(dataset.path, recipes=["class_preserving"])
