import hashlib
import json
import shutil

import keras
import numpy as np
import pytest

from latentloom.model_zoo.bundle import (
    DESCRIPTION,
    PRIORS,
    Bundle,
    load_bundle,
    read_description,
    save_bundle,
    scaling_of,
    weight_files,
)
from latentloom.model_zoo.description import check_description
from latentloom.model_zoo.networks.classifier import CLASSIFIERS, image_classifier
from latentloom.model_zoo.registry import build_model
from latentloom.model_zoo.scaling import PIXELS, Standardization

ARGS = {"zs_dim": 3, "zu_dim": 4, "hidden_dim": 8}


@pytest.fixture(scope="module")
def bundle():
    """A bundle whose model has an optimizer, as after training."""
    keras.utils.set_random_seed(0)
    model = build_model("zszu_vae", ARGS, (8, 8, 1), 2, class_probabilities=[0.75, 0.25])
    model.compile(keras.optimizers.Adam(0.1))
    model.optimizer.build(model.trainable_variables)
    return Bundle(
        model=model,
        judge=image_classifier((8, 8, 1), 2, width=2),
        auditor=image_classifier((8, 8, 1), 2, width=2),
        priors={"zs/loc": np.arange(6, dtype=np.float32).reshape(2, 1, 3)},
        model_name="zszu_vae",
        model_args=ARGS,
        factors={"label": ["cat", "dog"], "size": ["small", "large"]},
        judge_width=2,
        details={"accuracy": 0.5, "folds": [1, 2]},
    )


@pytest.fixture(scope="module")
def saved(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "toy"
    save_bundle(bundle, folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    """A copy of the saved bundle to spoil."""
    return shutil.copytree(saved, tmp_path / "toy")


@pytest.fixture(scope="module")
def loaded(saved):
    return load_bundle(saved)


def edit(folder, **changes):
    description = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps(description | changes))


def test_round_trip_gives_equal_networks(bundle, loaded):
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)
    latents, again = bundle.model.encode(images), loaded.model.encode(images)
    for name, code in latents.items():
        np.testing.assert_array_equal(again[name], code)
    np.testing.assert_array_equal(loaded.model.decode(latents), bundle.model.decode(latents))
    scores = bundle.model.class_scores(latents)
    np.testing.assert_array_equal(loaded.model.class_scores(latents), scores)
    np.testing.assert_array_equal(loaded.judge(images), bundle.judge(images))
    np.testing.assert_array_equal(loaded.auditor(images), bundle.auditor(images))
    assert not np.array_equal(loaded.judge(images), loaded.auditor(images))


def test_round_trip_keeps_the_rest(bundle, loaded):
    assert list(loaded.priors) == list(bundle.priors)
    np.testing.assert_array_equal(loaded.priors["zs/loc"], bundle.priors["zs/loc"])
    assert loaded.priors["zs/loc"].dtype == np.float32
    for name in ("model_name", "model_args", "factors", "judge_width", "details", "digest"):
        assert getattr(loaded, name) == getattr(bundle, name), name
    assert loaded.class_names == ["cat", "dog"]
    assert loaded.observation_shape == (8, 8, 1)


def test_a_bundle_of_vectors_keeps_their_scaling(tmp_path):
    bundle = Bundle(
        model=build_model("zszu_vae", ARGS, (2,), 2),
        judge=image_classifier((2,), 2),
        auditor=image_classifier((2,), 2),
        priors={},
        model_name="zszu_vae",
        model_args=ARGS,
        factors={"label": ["cat", "dog"]},
        scaling=Standardization((0.5, 1 / 3), (2.0, 0.1)),
    )
    save_bundle(bundle, tmp_path)
    loaded = load_bundle(tmp_path)
    assert loaded.scaling == bundle.scaling
    assert loaded.observation_shape == (2,)


def test_a_bundle_keeps_the_architecture_and_the_temperatures_of_its_auditor(tmp_path):
    shape = (16, 16, 1)
    bundle = Bundle(
        model=build_model("zszu_vae", ARGS, shape, 2),
        judge=image_classifier(shape, 2, width=8),
        auditor=CLASSIFIERS["residual"](shape, 2, width=8),
        priors={},
        model_name="zszu_vae",
        model_args=ARGS,
        factors={"label": ["cat", "dog"]},
        judge_width=8,
        auditor_network="residual",
        auditor_temperatures={"label": 2.0},
    )
    save_bundle(bundle, tmp_path)
    loaded = load_bundle(tmp_path)
    images = np.random.default_rng(0).uniform(-1, 1, (5, *shape)).astype(np.float32)
    np.testing.assert_array_equal(loaded.auditor(images), bundle.auditor(images))
    assert loaded.auditor_temperatures == {"label": 2.0}


def test_an_auditor_of_an_older_bundle_is_built_as_the_judge(saved, loaded):
    description = read_description(saved)
    assert description.pop("auditor") == {"network": "convolutional", "temperatures": {}}
    check_description(description)
    assert loaded.auditor_temperatures == {}


@pytest.mark.parametrize(
    "auditor", [{"network": "magic"}, {"temperatures": {"label": 0}}, {"temperatures": {"hue": 1}}]
)
def test_an_auditor_that_cannot_be_built_is_refused(saved, auditor):
    with pytest.raises(ValueError, match="network|temperatures"):
        check_description(read_description(saved) | {"auditor": auditor})


def test_a_description_without_a_scaling_is_of_images(saved):
    description = read_description(saved)
    del description["scaling"]
    assert scaling_of(description) == PIXELS


def test_description_can_be_read_without_a_model(bundle, saved):
    description = read_description(saved)
    assert description["latent_spec"] == bundle.model.latent_spec
    assert description["value_range"] == [-1.0, 1.0]
    assert set(description["files"]) == set(weight_files())


def test_files_of_a_bundle_hold_no_pickle(saved):
    assert {path.name for path in saved.iterdir()} == {DESCRIPTION, *weight_files()}
    with np.load(saved / PRIORS, allow_pickle=False) as arrays:
        assert [arrays[name].dtype.hasobject for name in arrays.files] == [False]


def test_objects_among_the_priors_are_refused(bundle, tmp_path):
    spoilt = Bundle(**{**vars(bundle), "priors": {"zs/loc": np.array([{}, None])}})
    with pytest.raises(ValueError, match="allow_pickle"):
        save_bundle(spoilt, tmp_path)
    assert not (tmp_path / DESCRIPTION).exists()


def test_saving_again_gives_the_same_digest(bundle, tmp_path):
    assert save_bundle(bundle, tmp_path / "one") == save_bundle(bundle, tmp_path / "two")


@pytest.mark.parametrize("name", weight_files())
def test_a_flipped_byte_is_an_error_that_names_the_file(copy, name):
    contents = bytearray((copy / name).read_bytes())
    contents[len(contents) // 2] ^= 1
    (copy / name).write_bytes(contents)
    with pytest.raises(ValueError, match=f"'{name}'.*Copy the bundle again or retrain"):
        load_bundle(copy)


@pytest.mark.parametrize("name", weight_files())
def test_a_missing_file_is_an_error_that_names_it(copy, name):
    (copy / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"lacks '{name}'.*Copy the whole bundle again"):
        load_bundle(copy)


def test_no_byte_of_the_description_can_be_flipped(copy):
    contents = (copy / DESCRIPTION).read_bytes()
    for position in range(len(contents.rstrip())):
        spoilt = bytearray(contents)
        spoilt[position] ^= 1
        (copy / DESCRIPTION).write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"Copy the bundle again|Upgrade latentloom"):
            read_description(copy)


def test_an_edited_description_is_an_error(copy):
    edit(copy, factors={"label": ["dog", "cat"]})
    with pytest.raises(ValueError, match="'bundle.json'.*Copy the bundle again or retrain"):
        load_bundle(copy)


def test_a_description_without_its_digest_is_an_error(copy):
    description = json.loads((copy / DESCRIPTION).read_text())
    del description["digest"]
    (copy / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(ValueError, match="'bundle.json'.*Copy the bundle again or retrain"):
        load_bundle(copy)


def test_a_newer_schema_is_an_error(copy):
    edit(copy, schema_version=2)
    with pytest.raises(ValueError, match="schema_version up to 1.*Upgrade latentloom"):
        load_bundle(copy)


def test_another_directory_is_no_bundle(tmp_path):
    with pytest.raises(FileNotFoundError, match="not a model bundle.*latentloom train --out"):
        load_bundle(tmp_path)


def test_judges_of_several_factors_survive_a_round_trip(bundle, tmp_path):
    judges = {name: image_classifier((8, 8, 1), [2, 2], width=2) for name in ("judge", "auditor")}
    both = Bundle(**{**vars(bundle), **judges, "judge_factors": ("label", "size")})
    save_bundle(both, tmp_path / "both")
    loaded = load_bundle(tmp_path / "both")
    assert loaded.judge_sizes == {"label": 2, "size": 2}
    images = np.zeros((3, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(loaded.judge(images), both.judge(images))


def test_a_bundle_that_does_not_say_what_its_judges_read_has_judges_of_the_class(copy):
    description = json.loads((copy / DESCRIPTION).read_text())
    del description["judge_factors"], description["digest"]
    text = json.dumps(description, sort_keys=True).encode()
    description["digest"] = hashlib.sha256(text).hexdigest()
    (copy / DESCRIPTION).write_text(json.dumps(description))
    assert load_bundle(copy).judge_sizes == {"label": 2}
