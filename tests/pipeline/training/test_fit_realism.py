"""The gate for realism accepts real images and refuses blurred ones, means and noise."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from textures import realism_cases, share_realistic, textures_bundle, textures_config, textures_data

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.folds import divide
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.training.fit_realism import REFERENCES, choose_references
from latentloom.pipeline.training.train import train_bundle

UNWANTED = 0.02
"""Share of what nobody wants that may pass."""


def shares(bundle, data) -> dict[str, float]:
    codec, dataset = Codec(load_bundle(bundle)), DatasetDir.open(data)
    cases = realism_cases(dataset.read("test").loaded(), dataset.read("train").loaded())
    return {name: share_realistic(codec, *case) for name, case in cases.items()}


def check(found: dict[str, float]) -> None:
    assert found.pop("real") >= 0.9, found
    assert max(found.values()) <= UNWANTED, found


def test_textures_are_told_from_their_blurs_their_means_and_noise():
    check(shares(textures_bundle(), textures_data()))


@pytest.mark.slow
def test_letters_are_told_from_their_blurs_their_means_and_noise(tmp_path):
    import_dataset("builtin:letters", tmp_path / "letters", max_examples=2000)
    train_bundle(textures_config("judge.steps=300"), tmp_path / "letters", tmp_path / "bundle")
    check(shares(tmp_path / "bundle", tmp_path / "letters"))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", ["coil20", "flowers"])
def test_photographs_are_told_from_their_blurs_their_means_and_noise(real_data, tmp_path, name):
    source = {"coil20": coil20, "flowers": flowers}[name](real_data(name), tmp_path)
    import_dataset(source, tmp_path / "data", image_size=64)
    settings = ("judge.steps=600", "judge.width=32", "judge.batch_size=64")
    train_bundle(textures_config(*settings), tmp_path / "data", tmp_path / "bundle")
    check(shares(tmp_path / "bundle", tmp_path / "data"))


def coil20(folder: Path, scratch: Path) -> str:
    """Twenty objects; a fifth of the poses of each is the split `test`."""
    with np.load(folder / "coil20.npz") as found:
        split = np.where(found["pose"] % 5 == 0, "test", "train")
        np.savez(scratch / "coil", images=found["images"], label=found["label"], split=split)
    return f"npz:{scratch / 'coil.npz'}"


def flowers(folder: Path, scratch: Path) -> str:
    """Five flowers, a folder a split."""
    with zipfile.ZipFile(folder / "flowers128_jpg.zip") as pack:
        pack.extractall(scratch / "flowers")
    return f"folder:{scratch / 'flowers'}"


def test_features_come_with_the_very_images_and_probabilities_of_the_class_gate():
    codec = Codec(load_bundle(textures_bundle()))
    real = DatasetDir.open(textures_data()).read("test").loaded().observations[:50]
    codes = codec.encode(real)
    images, probabilities = codec.render_factors(codes)
    same, read, features = codec.render_with_features(codes)
    np.testing.assert_array_equal(same, images)
    np.testing.assert_array_equal(read["label"], probabilities["label"])
    assert list(read) == list(probabilities)
    np.testing.assert_allclose(features, codec.features(images, "judge"), rtol=1e-4, atol=1e-4)


def test_references_are_of_the_fold_that_the_auditor_never_sees():
    folds = divide(DatasetDir.open(textures_data()).read("train"), 0.05, 0)
    chosen = choose_references(folds.judge, 3)
    assert set(chosen.ids) <= set(folds.judge.ids)
    assert not set(chosen.ids) & set(folds.auditor.ids)
    assert np.bincount(chosen.labels).tolist() == [min(REFERENCES, 100)] * 3
    again = choose_references(folds.judge.take(np.arange(len(folds.judge))[::-1]), 3)
    assert again.ids == chosen.ids


def test_vectors_have_no_detail(tmp_path):
    import_dataset("builtin:moons", tmp_path / "moons", max_examples=300)
    config = parse_config(
        {
            "model": {"name": "zszu_vae", "args": {"zs_dim": 2, "zu_dim": 2, "hidden_dim": 8}},
            "train": {"steps": 5, "batch_size": 32},
            "judge": {"steps": 5, "batch_size": 32},
        },
        "moons",
    )
    bundle = train_bundle(config, tmp_path / "moons", tmp_path / "bundle")
    statistics = {name.partition("/")[0] for name in bundle.realism}
    assert statistics == {"distance", "density"}
    assert set(Codec(load_bundle(tmp_path / "bundle")).realism.gate(0.05).bounds) == statistics
