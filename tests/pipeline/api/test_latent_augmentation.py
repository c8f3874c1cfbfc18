"""The layer replaces a share of the images of a batch by variants of their class, in training."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from bundles import digits_bundle, digits_data

import latentloom
from latentloom.keras import LatentAugmentation
from latentloom.pipeline.importing.import_dataset import import_dataset

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
TRAINING = {"training": True}


def layer(**options):
    return LatentAugmentation(os.fspath(digits_bundle()), **options)


def batch(count=20):
    records = latentloom.open_dataset(digits_data())[:count]
    images = np.stack([record["image"] for record in records])
    return images, np.array([record["label"] for record in records], np.int32)


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def changed(images, found):
    return (array(found) != images).any(axis=(1, 2, 3))


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.3, 6), (0.475, 10), (1.0, 20)])
def test_a_share_of_the_images_is_replaced(share, expected):
    images, _ = batch()
    found = layer(share=share, gate=None)(images, **TRAINING)
    assert changed(images, found).sum() == expected
    assert (found.shape, keras.backend.standardize_dtype(found.dtype)) == (images.shape, "uint8")


def test_nothing_is_replaced_outside_training():
    images, _ = batch()
    augment = layer(share=1.0, gate=None)
    for found in (augment(images), augment(images, training=False)):
        np.testing.assert_array_equal(array(found), images)


def test_equal_seeds_give_equal_batches_and_every_batch_is_new():
    images, _ = batch()
    first, same, other = (layer(seed=seed, gate=0.5) for seed in (3, 3, 4))
    one, two = array(first(images, **TRAINING)), array(first(images, **TRAINING))
    np.testing.assert_array_equal(one, array(same(images, **TRAINING)))
    np.testing.assert_array_equal(two, array(same(images, **TRAINING)))
    assert (one != two).any()
    assert (one != array(other(images, **TRAINING))).any()


def test_labels_and_all_else_come_back_as_they_came():
    images, labels = batch()
    one_hot, weights = np.eye(10, dtype=np.float32)[labels], np.ones(20, np.float32)
    for codes in (labels, labels[:, None], one_hot):
        _, kept, others = layer(share=1.0)((images, codes, weights), **TRAINING)
        np.testing.assert_array_equal(array(kept), codes)
        np.testing.assert_array_equal(array(others), weights)
    given = {"images": images, "labels": labels, "row": np.arange(20)}
    found = layer(share=1.0, gate=0.5)(given, **TRAINING)
    assert list(found) == list(given)
    np.testing.assert_array_equal(array(found["row"]), given["row"])
    assert changed(images, found["images"]).any()


def test_equal_labels_in_any_form_give_equal_variants():
    images, labels = batch()
    forms = (labels, labels[:, None], np.eye(10, dtype=np.float32)[labels])
    found = [array(layer(gate=0.5)((images, form), **TRAINING)[0]) for form in forms]
    assert changed(images, found[0]).any()
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_judge_reads_the_label_of_the_image_in_every_variant():
    images, labels = batch()
    found = array(layer(share=1.0, gate=0.6)((images, labels), **TRAINING)[0])
    new = changed(images, found)
    read = latentloom.load_bundle(digits_bundle()).judge(found)["label"]
    assert 0 < new.sum() < 20
    assert (read.argmax(axis=1) == labels)[new].all()
    assert (read[np.arange(20), labels][new] >= 0.6 - 1e-5).all()


def test_a_wrong_or_unknown_label_rejects_every_variant():
    images, labels = batch()
    for wrong in ((labels + 1) % 10, np.full_like(labels, 99), np.full_like(labels, -1)):
        found = layer(share=1.0, gate=0.6)((images, wrong), **TRAINING)[0]
        assert changed(images, found).sum() <= 1  # a judge errs


def test_a_strict_gate_keeps_every_image():
    images, labels = batch()
    found = layer(share=1.0, gate=1.0)((images, labels), **TRAINING)[0]
    assert not changed(images, found).any()


def test_without_labels_the_class_is_what_the_judge_reads_in_the_image():
    images, _ = batch()
    bundle = latentloom.load_bundle(digits_bundle())
    found = array(layer(share=1.0, gate=0.6)(images, **TRAINING))
    before, after = (bundle.judge(each)["label"].argmax(axis=1) for each in (images, found))
    assert changed(images, found).any()
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(("dtype", "value_range"), [("float32", (0, 1)), ("float16", (-1, 1))])
def test_floats_keep_type_and_range(dtype, value_range):
    images, labels = batch()
    low, high = value_range
    scaled = (images / 255 * (high - low) + low).astype(dtype)
    options = {"share": 1.0, "gate": None, "value_range": value_range}
    found = array(layer(**options)((scaled, labels), **TRAINING)[0])
    stored = array(layer(share=1.0, gate=None)((images, labels), **TRAINING)[0])
    assert found.dtype == dtype
    tolerance = 2e-3 if dtype == "float16" else 1e-6
    np.testing.assert_allclose(found, stored / 255 * (high - low) + low, atol=tolerance)


def test_images_that_are_not_replaced_stay_bit_for_bit():
    images, labels = batch()
    scaled = np.random.default_rng(0).uniform(size=images.shape).astype("float32")
    found = array(layer(share=0.5, gate=None, value_range=(0, 1))((scaled, labels), **TRAINING)[0])
    assert changed(scaled, found).sum() == 10


@pytest.mark.parametrize("count", [0, 1])
def test_small_batches_work(count):
    images, _ = batch(1)
    assert layer(share=1.0)(images[:count], **TRAINING).shape == (count, 8, 8, 1)


def test_reconstructions_with_all_detail_are_the_images():
    images, labels = batch()
    for detail, equal in ((0.0, False), (1.0, True)):
        options = {"recipe": "reconstruct", "share": 1.0, "gate": None, "detail": detail}
        found = array(layer(**options)((images, labels), **TRAINING)[0])
        difference = np.abs(found.astype(int) - images).max()
        assert (difference <= 1) == equal


def test_a_small_step_stays_near_the_reconstruction():
    images, labels = batch()
    options = {"share": 1.0, "gate": None}
    plain = array(layer(recipe="reconstruct", **options)((images, labels), **TRAINING)[0])
    near, far = (
        np.abs(array(layer(options={"step": step}, **options)(images, **TRAINING)) - 1.0 * plain)
        for step in (0.05, 1.0)
    )
    assert near.mean() < 0.3 * far.mean()


def test_sample_class_draws_the_class_of_the_label():
    images, labels = batch()
    found = layer(recipe="sample_class", share=1.0, gate=None)((images, labels), **TRAINING)[0]
    read = latentloom.load_bundle(digits_bundle()).judge(array(found))["label"].argmax(axis=1)
    assert (read == labels).mean() > 0.5


def small_model(augment, shape=(8, 8, 1)):
    inputs = keras.Input(shape, dtype="uint8")
    hidden = keras.layers.Rescaling(1 / 255)(augment(inputs))
    outputs = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(hidden))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_a_model_trains_with_it_and_holds_no_weights_of_the_bundle():
    images, labels = batch()
    keras.utils.set_random_seed(0)
    augment = layer()
    model = small_model(augment)
    history = model.fit(images, labels, batch_size=8, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert len(model.trainable_weights) == 2
    assert [weight.shape for weight in augment.weights] == []
    assert array(augment.generator.state)[1] > 0  # it ran


def test_a_saved_model_has_the_same_layer(tmp_path):
    images, _ = batch()
    options = {"share": 0.25, "gate": 0.5, "options": {"step": 0.5}, "seed": 5}
    model = small_model(layer(**options))
    model.fit(*batch(), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
    before, after = model.layers[1], loaded.layers[1]
    assert before.get_config() == after.get_config()
    found, expected = (array(each(images, **TRAINING)) for each in (after, layer(**options)))
    assert changed(images, found).any()
    np.testing.assert_array_equal(found, expected)


def test_a_model_predicts_without_the_bundle_and_says_what_training_lacks(tmp_path):
    images, labels = batch()
    here = tmp_path / "bundle"
    here.symlink_to(digits_bundle())
    model = small_model(LatentAugmentation(here))
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    here.unlink()
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
    with pytest.raises(FileNotFoundError, match="Put it there and load the model again"):
        loaded.layers[1](images, **TRAINING)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="tf.data runs TensorFlow alone")
def test_it_maps_a_tf_data_set_reproducibly():
    import tensorflow as tf

    images, labels = batch()

    def mapped(augment):
        data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
        data = data.map(lambda x, y: augment((x, y), training=True))
        assert data.element_spec[0].shape[1:] == (8, 8, 1)
        parts = list(data.as_numpy_iterator())
        return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))

    found, kept = mapped(layer(gate=None))
    np.testing.assert_array_equal(kept, labels)
    assert changed(images, found).sum() == 4 + 4 + 2
    np.testing.assert_array_equal(found, mapped(layer(gate=None))[0])
    assert not changed(images, mapped(layer(share=0.05))[0]).any()  # of 8 images, none


@pytest.mark.skipif(ON_TENSORFLOW, reason="TensorFlow maps it")
def test_on_jax_a_tf_data_set_is_refused_with_the_fix():
    tf = pytest.importorskip("tensorflow")
    images, _ = batch()
    data = tf.data.Dataset.from_tensor_slices(images).batch(8)
    with pytest.raises(RuntimeError, match="Put the layer into the model"):
        data.map(lambda x: layer()(x, training=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.5}, r"`share`.*Expected: a number in \[0, 1\].*share=1.5"),
        ({"share": "half"}, "share='half'"),
        ({"gate": -0.1}, "gate=-0.1"),
        ({"detail": 2}, "detail=2"),
        ({"value_range": (1, 0)}, "the lower first"),
        ({"recipe": "swap_zu"}, "needs donors.*class_preserving, reconstruct, sample_class"),
        ({"recipe": "traverse"}, "needs donors or a plan.*latentloom.generate"),
        ({"recipe": "recombine_factors"}, "needs donors or a plan"),
        ({"recipe": "clas_preserving"}, "There is no recipe"),
        ({"options": {"stap": 1}}, "has no option 'stap'"),
        ({"options": {"step": 0}}, "step"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        layer(**options)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda images: images[:, :7], ValueError, r"Expected: a batch \(n, 8, 8, 1\).*7, 8, 1"),
        (lambda images: images[0], ValueError, "batch them first"),
        (lambda images: images.astype(np.int32), TypeError, "uint8 of 0 to 255.*int32"),
        (lambda images: {"image": images}, ValueError, "a key 'images'"),
        (lambda images: (images, np.zeros((20, 3))), ValueError, r"one-hot \(n, 10\)"),
    ],
)
def test_a_wrong_batch_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        layer()(change(batch()[0]), **TRAINING)


def test_images_of_another_shape_are_refused_when_the_model_is_built():
    with pytest.raises(ValueError, match="do not fit the bundle"):
        small_model(layer(), (9, 8, 1))


def test_a_missing_bundle_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a model bundle"):
        LatentAugmentation(tmp_path / "none")


@pytest.mark.skipif(not ON_TENSORFLOW, reason="trains a bundle")
def test_a_bundle_of_vectors_is_refused(tmp_path):
    import_dataset("builtin:moons", tmp_path / "moons", max_examples=60)
    config = {"model": {"name": "zszu_vae", "args": {"network": "dense", "hidden_dim": 8}}}
    quick = {"train.steps": 2, "judge.steps": 2, "judge.width": 4}
    latentloom.train(config, tmp_path / "moons", tmp_path / "bundle", settings=quick)
    with pytest.raises(ValueError, match="Expected: a bundle of images.*kind 'vector'"):
        LatentAugmentation(tmp_path / "bundle")


def test_mixed_precision_of_the_program_changes_no_variant():
    images, labels = batch()
    expected = array(layer(gate=0.5)((images, labels), **TRAINING)[0])
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = array(layer(gate=0.5)((images, labels), **TRAINING)[0])
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert changed(images, found).any()
    np.testing.assert_array_equal(found, expected)


def test_it_runs_compiled_by_xla():
    images, labels = batch()
    model = small_model(layer(gate=0.5))
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=True)
    history = model.fit(images, labels, batch_size=8, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(history).all()


@pytest.mark.skipif(not ON_TENSORFLOW, reason="a setting of TensorFlow")
def test_it_is_loaded_when_used_and_leaves_the_settings_of_the_program():
    program = (
        "import sys, latentloom; assert 'keras' not in sys.modules; "
        "assert 'keras' in dir(latentloom); import tensorflow as tf; "
        "before = tf.config.optimizer.get_experimental_options(); "
        "latentloom.keras.LatentAugmentation(sys.argv[1]); "
        "assert tf.config.optimizer.get_experimental_options() == before"
    )
    subprocess.run([sys.executable, "-c", program, digits_bundle()], check=True)
