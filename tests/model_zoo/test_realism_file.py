"""`realism.npz`: saved and loaded alike, covered by the digest, refused where it does not fit."""

import shutil

import keras
import numpy as np
import pytest

from latentloom.model_zoo.bundle import Bundle, load_bundle, read_description, save_bundle
from latentloom.model_zoo.bundle_damage import find_damage
from latentloom.model_zoo.bundle_files import DESCRIPTION, REALISM, sha256_of
from latentloom.model_zoo.networks.classifier import NUM_FEATURES, image_classifier
from latentloom.model_zoo.realism_file import realism_statistics
from latentloom.model_zoo.registry import build_model

ARGS = {"zs_dim": 3, "zu_dim": 4, "hidden_dim": 8}
DIM, CLASSES = 7, 2


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    measured = {
        f"{statistic}/{name}": rng.normal(size=size).astype(np.float32)
        for statistic in realism_statistics("image", DIM)
        for name, size in (("centres", CLASSES), ("held_out", 9))
    }
    return measured | {
        "distance/references": rng.normal(size=(5, NUM_FEATURES)).astype(np.float32),
        "distance/labels": np.array([0, 1, 0, 1, 1], np.int32),
        "density/means": np.zeros((CLASSES, DIM), np.float32),
        "density/whitening": np.eye(DIM, dtype=np.float32),
    }


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    keras.utils.set_random_seed(0)
    bundle = Bundle(
        model=build_model("zszu_vae", ARGS, (8, 8, 1), CLASSES),
        judge=image_classifier((8, 8, 1), CLASSES, width=2),
        auditor=image_classifier((8, 8, 1), CLASSES, width=2),
        priors={"zs/loc": np.zeros((2, 1, 3), np.float32)},
        model_name="zszu_vae",
        model_args=ARGS,
        factors={"label": ["cat", "dog"]},
        judge_width=2,
        realism=arrays(),
    )
    folder = tmp_path_factory.mktemp("bundles") / "toy"
    save_bundle(bundle, folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "toy")


def test_what_is_saved_is_loaded(saved):
    found = load_bundle(saved).realism
    assert set(found) == set(arrays())
    for name, array in arrays().items():
        np.testing.assert_array_equal(found[name], array)
    assert read_description(saved)["files"][REALISM] == sha256_of(saved / REALISM)
    assert find_damage(saved) == {}


def test_a_flipped_byte_or_a_missing_file_is_named(copy):
    contents = bytearray((copy / REALISM).read_bytes())
    contents[len(contents) // 2] ^= 1
    (copy / REALISM).write_bytes(contents)
    with pytest.raises(ValueError, match=f"'{REALISM}'.*Copy the bundle again or retrain"):
        load_bundle(copy)
    assert list(find_damage(copy)) == [REALISM]
    (copy / REALISM).unlink()
    with pytest.raises(FileNotFoundError, match=f"lacks '{REALISM}'"):
        load_bundle(copy)
    assert find_damage(copy) == {REALISM: "is missing"}


def test_a_bundle_of_an_older_version_has_none(saved, tmp_path):
    bundle = load_bundle(saved)
    bundle.realism = {}
    save_bundle(bundle, tmp_path / "older")
    assert not (tmp_path / "older" / REALISM).exists()
    assert load_bundle(tmp_path / "older").realism == {}
    assert find_damage(tmp_path / "older") == {}
    shutil.copy(saved / REALISM, tmp_path / "older")  # a file that the digest does not cover
    assert load_bundle(tmp_path / "older").realism == {}
    assert find_damage(tmp_path / "older") == {
        REALISM: f"does not match the digest in {DESCRIPTION}"
    }


SPOILT = {
    "a missing array": {"gradient/centres": None},
    "an unknown array": {"charm/centres": np.zeros(2, np.float32)},
    "features of another judge": {"distance/references": np.zeros((5, 9), np.float32)},
    "other classes": {"distance/centres": np.zeros(3, np.float32)},
    "an axis too many": {"distance/centres": np.zeros((2, 1), np.float32)},
    "integers": {"distance/centres": np.zeros(2, np.int32)},
    "a code of another size": {"density/means": np.zeros((2, 6), np.float32)},
    "rows that do not agree": {"density/held_out": np.zeros(8, np.float32)},
    "a class that is not there": {"distance/labels": np.array([0, 1, 0, 1, 2], np.int32)},
    "not finite": {"density/means": np.full((2, 7), np.nan, np.float32)},
    "no spread": {"density/whitening": np.zeros((7, 7), np.float32)},
}


@pytest.mark.parametrize("changes", SPOILT.values(), ids=SPOILT)
def test_arrays_that_do_not_fit_are_one_message_that_names_the_file(saved, tmp_path, changes):
    bundle = load_bundle(saved)
    kept = {**bundle.realism, **changes}
    bundle.realism = {name: array for name, array in kept.items() if array is not None}
    save_bundle(bundle, tmp_path / "spoilt")
    with pytest.raises(ValueError, match=rf"{REALISM}' cannot be read. Expected: .*Received: "):
        load_bundle(tmp_path / "spoilt")


def test_large_codes_have_no_density_and_vectors_no_detail():
    assert realism_statistics("image", 10**6) == ("distance", "gradient", "fineness")
    assert realism_statistics("vector", 8) == ("distance", "density")
