"""Training from arrays in memory: what is refused, and what is warned of, before work starts."""

import logging
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from bundles import digits_config, digits_data

from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.folds import Folds, divide
from latentloom.pipeline.terminal.progress import silent_display
from latentloom.pipeline.training.checks import check_settings
from latentloom.pipeline.training.early_estimate import EarlyEstimate
from latentloom.pipeline.training.fit_bundle import fit_bundle, fitted_examples

FACTORS = {"label": [str(digit) for digit in range(10)]}


@pytest.fixture
def folds() -> Folds:
    return divide(DatasetDir.open(digits_data()).read("train"), 0.05, 0)


def test_priors_are_fitted_to_some_examples_of_every_class_where_codes_are_large(
    folds, monkeypatch
):
    spec, train = {"zu": {"dim": 100, "factors": []}}, folds.train
    assert fitted_examples(train, spec, num_classes=10) is train
    monkeypatch.setattr("latentloom.pipeline.training.fit_bundle.CODE_BYTES", 400 * 50)
    some = fitted_examples(train, spec, num_classes=10)
    assert np.bincount(some.labels, minlength=10).tolist() == [5] * 10
    monkeypatch.setattr("latentloom.pipeline.training.fit_bundle.CODE_BYTES", 1)
    assert sorted(fitted_examples(train, spec, num_classes=10).labels) == list(range(10))


def test_an_image_with_nan_is_refused_before_work_starts(folds, tmp_path):
    images = np.asarray(folds.train.observations).astype(np.float32)
    images[4, 2, 3] = np.nan
    bad = replace(folds, train=replace(folds.train, observations=images))
    with pytest.raises(ValueError, match=f"'{folds.train.ids[4]}' of the fold 'train' is not fin"):
        fit_bundle(digits_config(), bad, FACTORS, tmp_path / "state", silent_display())
    assert not (tmp_path / "state").exists()


def test_a_label_without_a_name_is_refused_before_work_starts(folds, tmp_path):
    names = {"label": FACTORS["label"][:9]}
    with pytest.raises(ValueError, match="labels 0 to 8.*Received: label=9"):
        fit_bundle(digits_config(), folds, names, tmp_path / "state", silent_display())
    assert not (tmp_path / "state").exists()


def test_a_batch_that_cannot_hold_every_class_is_warned_of_and_trained_on(folds, tmp_path, caplog):
    config = digits_config("train.batch_size=8", "train.epochs=1", "judge.epochs=1")
    with caplog.at_level(logging.WARNING, "latentloom.pipeline.training.fit_bundle"):
        bundle, history = fit_bundle(config, folds, FACTORS, tmp_path / "s", silent_display())
    assert "A batch of 8 is too small for an example of each of the 10 classes" in caplog.text
    assert "--set train.batch_size=10" in caplog.text
    assert np.isfinite(history[0]["loss"])
    assert bundle.class_names == FACTORS["label"]


def test_a_model_is_told_the_number_of_examples_that_it_learns_from(folds, tmp_path):
    short = ("train.epochs=1", "judge.epochs=1")
    config = digits_config("model.name=hfvae", "model.args={hidden_dim: 8}", *short)
    bundle, _ = fit_bundle(config, folds, FACTORS, tmp_path / "s", silent_display())
    assert bundle.model.settings.num_examples == len(folds.train)


def test_the_early_estimate_changes_no_weight(folds, tmp_path, monkeypatch):
    config = digits_config("train.epochs=3", "judge.epochs=1")
    estimated, history = fit_bundle(config, folds, FACTORS, tmp_path / "a", silent_display())
    monkeypatch.setattr(EarlyEstimate, "_estimate", lambda self, model: [])
    plain, plain_history = fit_bundle(config, folds, FACTORS, tmp_path / "b", silent_display())
    assert history == plain_history
    pairs = zip(estimated.model.get_weights(), plain.model.get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)


def test_the_auditor_is_calibrated_on_what_the_judge_learnt_from(folds, tmp_path):
    short = ("train.epochs=1", "judge.epochs=30")
    bundle, _ = fit_bundle(digits_config(*short), folds, FACTORS, tmp_path / "s", silent_display())
    held_out, (temperature,) = folds.judge, bundle.auditor_temperatures.values()
    assert temperature != 1
    errors = {}
    for name, temperatures in (("fitted", {"label": temperature}), ("plain", {})):
        bundle.auditor_temperatures = temperatures
        said = Codec(bundle).judge(held_out.observations, "auditor")
        errors[name] = -np.mean(np.log(said[np.arange(len(said)), held_out.labels]))
    assert errors["fitted"] < errors["plain"]


def test_a_residual_auditor_of_small_images_is_refused_before_work_starts(tmp_path):
    config = digits_config("judge.auditor=residual")
    with pytest.raises(ValueError, match="16 x 16 pixels.*judge.auditor to convolutional"):
        check_settings(config, DatasetDir.open(digits_data()).manifest)


def test_model_and_judges_learn_from_deformed_images(folds, tmp_path):
    settings = ("train.epochs=1", "judge.epochs=1")
    bundles = [
        fit_bundle(
            digits_config(*settings, *more), folds, FACTORS, tmp_path / name, silent_display()
        )
        for name, more in (("plain", ()), ("deformed", ("data.deform={}",)))
    ]
    for part in ("model", "judge", "auditor"):
        plain, deformed = (getattr(bundle, part).get_weights() for bundle, _ in bundles)
        assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(plain, deformed, strict=True))


def test_training_and_measuring_need_no_tensorflow_on_jax():
    rooms = ("training.fit_bundle", "dataset.held_out_cells", "evaluation.latents.class_probes")
    modules = ", ".join(f"latentloom.pipeline.{room}" for room in rooms)
    script = f"import sys; sys.modules['tensorflow'] = None; import {modules}"
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
