"""Archives as people have them: by split, one-hot, channels first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from independent import images, records
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app

RNG = np.random.default_rng(0)
SIZES = {"train": 12, "val": 6, "test": 9}


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def medmnist(path: Path, shape: tuple[int, ...] = (28, 28, 3), **changed) -> dict[str, np.ndarray]:
    """An archive as MedMNIST publishes it."""
    arrays = {}
    for split, size in SIZES.items():
        arrays[f"{split}_images"] = RNG.integers(0, 256, (size, *shape), np.uint8)
        arrays[f"{split}_labels"] = (np.arange(size) % 3).astype(np.uint8)[:, None]
    np.savez_compressed(path, **(arrays | changed))  # pyright: ignore[reportArgumentType]
    return arrays


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3)])
def test_medmnist_is_read_as_it_is(tmp_path, shape):
    arrays = medmnist(tmp_path / "bloodmnist.npz", shape)
    assert run(f"npz:{tmp_path / 'bloodmnist.npz'}", tmp_path / "out").exit_code == 0
    for split, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        rows = records(tmp_path / "out", split)
        np.testing.assert_array_equal([row["image"] for row in rows], arrays[f"{name}_images"])
        assert [int(row["label"]) for row in rows] == arrays[f"{name}_labels"][:, 0].tolist()


def test_a_class_that_one_split_lacks_has_the_same_code_in_all(tmp_path):
    medmnist(tmp_path / "a.npz", test_labels=np.full((9, 1), 2, np.uint8))
    run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    assert {row["label"] for row in records(tmp_path / "out", "test")} == {"2"}


def test_keras_archives_are_read(tmp_path):
    pictures = RNG.integers(0, 256, (10, 8, 8), np.uint8)
    labels = np.arange(10) % 2
    parts = {"x_train": pictures[:7], "y_train": labels[:7]}
    np.savez(tmp_path / "m.npz", **parts, x_test=pictures[7:], y_test=labels[7:])
    run(f"npz:{tmp_path / 'm.npz'}", tmp_path / "out")
    np.testing.assert_array_equal(images(tmp_path / "out"), pictures[:7])
    assert [row["label"] for row in records(tmp_path / "out", "test")] == ["1", "0", "1"]


def test_factors_by_split_are_read_where_all_splits_have_them(tmp_path):
    sexes = {f"{split}_sex": np.array(["f", "m"])[np.arange(n) % 2] for split, n in SIZES.items()}
    medmnist(tmp_path / "a.npz", **sexes, train_site=np.arange(12))
    run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    rows = records(tmp_path / "out", "validation")
    assert [row["sex"] for row in rows] == ["f", "m"] * 3
    assert "site" not in rows[0]


@pytest.mark.parametrize("kind", [np.uint8, np.float32, bool])
def test_one_hot_labels_are_classes(tmp_path, kind):
    pictures = RNG.integers(0, 256, (6, 5, 5), np.uint8)
    numbers = np.array([2, 0, 1, 1, 0, 2])
    np.savez(tmp_path / "a.npz", images=pictures, label=np.eye(3)[numbers].astype(kind))
    assert run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out").exit_code == 0
    assert [int(row["label"]) for row in records(tmp_path / "out")] == numbers.tolist()


@pytest.mark.parametrize("row", [[1, 1, 0], [0, 0, 0], [0.5, 0.5, 0]])
def test_several_labels_an_image_are_refused(tmp_path, row):
    labels = np.eye(3)[[0, 1, 2]]
    labels[1] = row
    np.savez(tmp_path / "a.npz", images=np.full((3, 5, 5), 99, np.uint8), label=labels)
    done = run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    assert done.exit_code != 0
    assert "not one-hot" in str(done.exception)
    assert "row 1" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_channels_first_is_said_by_an_option_that_the_refusal_names(tmp_path):
    pictures = RNG.integers(0, 256, (4, 3, 8, 6), np.uint8)
    np.savez(tmp_path / "a.npz", images=pictures, label=np.arange(4) % 2)
    spec = f"npz:{tmp_path / 'a.npz'}"
    assert "Pass --channels-first" in str(run(spec, tmp_path / "out").exception)
    assert run(spec, tmp_path / "out", "--channels-first").exit_code == 0
    np.testing.assert_array_equal(images(tmp_path / "out"), pictures.transpose(0, 2, 3, 1))


def test_floats_with_channels_first_and_one_hot_labels_go_together(tmp_path):
    pictures = RNG.random((4, 1, 8, 6)).astype(np.float32) * 2 - 1
    np.savez(tmp_path / "a.npz", x_train=pictures, y_train=np.eye(2)[[0, 1, 1, 0]])
    words = ("--channels-first", "--range", "-1,1")
    assert run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", *words).exit_code == 0
    found = images(tmp_path / "out")
    np.testing.assert_allclose(found, 127.5 * (pictures[:, 0] + 1), atol=0.501)


def test_arrays_that_only_some_splits_have_are_told(tmp_path):
    ages = {f"{split}_age": np.arange(size) for split, size in SIZES.items()}
    others = {"train_site": np.arange(12), "notes": np.arange(3), "val_split": np.arange(6)}
    medmnist(tmp_path / "a.npz", **(ages | others | {"test_age": np.arange(4)}))
    done = run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    assert done.exit_code == 0
    for name in (*ages, *others):
        assert f"First: '{name}'" in done.output


@pytest.mark.parametrize("name", ["kind", "label_of_expert"])
def test_an_option_names_the_labels_of_all_splits(tmp_path, name):
    arrays = medmnist(tmp_path / "a.npz")
    renamed = {key.replace("labels", name): values for key, values in arrays.items()}
    np.savez(tmp_path / "a.npz", **renamed)  # pyright: ignore[reportArgumentType]
    spec = f"npz:{tmp_path / 'a.npz'}"
    assert "pass --label" in str(run(spec, tmp_path / "out").exception)
    assert run(spec, tmp_path / "out", "--label", name).exit_code == 0
    assert [row["label"] for row in records(tmp_path / "out", "validation")] == ["0", "1", "2"] * 2


def test_whole_floats_are_classes_and_others_are_refused(tmp_path):
    pictures = RNG.integers(0, 256, (6, 5, 5), np.uint8)
    np.savez(tmp_path / "a.npz", images=pictures, label=np.arange(6) % 2 * 1.0)
    assert run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out").exit_code == 0
    assert [row["label"] for row in records(tmp_path / "out")] == ["0", "1"] * 3
    for bad in (0.5, np.nan, np.inf, 2.0**60):
        np.savez(tmp_path / "a.npz", images=pictures, label=np.array([0, 1, bad] * 2))
        done = run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "bad")
        assert isinstance(done.exception, TypeError)
        assert not (tmp_path / "bad").exists()


def test_a_factor_may_be_a_column(tmp_path):
    pictures = RNG.integers(0, 256, (4, 5, 5), np.uint8)
    column = np.array(["r", "g"] * 2)[:, None]
    np.savez(tmp_path / "a.npz", images=pictures, label=np.arange(4) % 2, colour=column)
    assert run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out").exit_code == 0
    assert [row["colour"] for row in records(tmp_path / "out")] == ["r", "g"] * 2


def test_a_single_array_is_told_from_a_damaged_archive(tmp_path):
    np.save(tmp_path / "a.npy", RNG.integers(0, 256, (4, 5, 5), np.uint8))
    told = str(run(f"npz:{tmp_path / 'a.npy'}", tmp_path / "out").exception)
    assert "single array" in told
    assert "np.savez" in told


def test_channels_that_are_last_already_are_told(tmp_path):
    pictures = RNG.integers(0, 256, (4, 6, 6, 3), np.uint8)
    np.savez(tmp_path / "a.npz", images=pictures, label=np.arange(4) % 2)
    done = run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", "--channels-first")
    assert "Drop --channels-first" in str(done.exception)
