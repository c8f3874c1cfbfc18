"""What every registered model must satisfy. A new model adds one line to `ARGUMENTS`."""

import functools
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from latentloom.model_zoo import contract
from latentloom.model_zoo.backend.devices import placement
from latentloom.model_zoo.backend.probability import stateless_seed, tfd
from latentloom.model_zoo.contract import LatentModel
from latentloom.model_zoo.registry import MODELS, build_model
from latentloom.model_zoo.scaling import PIXELS
from latentloom.model_zoo.training.fit import fit

ARGUMENTS = {
    "zszu_vae": {
        **{"zs_dim": 3, "zu_dim": 4, "hidden_dim": 16, "dropout": 0.1},
        **{"gan_weight": 0.1, "discriminator_rate": 2.0, "mmd_weight": 1.0, "tc_weight": 1.0},
        **{"cir_weight": 0.01},
    },
    "st_rkm": {"dim": 3, "feature_dim": 6, "hidden_dim": 16, "num_components": 2},
    "hfvae": {
        "blocks": {"digit": {"factor": "label"}, "style": {"dim": 3}, "kind": {"values": 2}},
        **{"label_share": 0.5, "hidden_dim": 16},
    },
    "gzs_net": {
        **{"block_dims": 3, "unlabelled_dims": {"style": 2}, "hidden_dim": 16},
        **{"cycle_weight": 0.5, "cir_weight": 0.01, "cir_blocks": ["third"]},
    },
    "elegant": {"width": 4, "code_channels": 4},
    "drit": {
        **{"width": 2, "content_channels": 2, "style_dim": 3, "hidden_dim": 8},
        **{"adversary_width": 4, "squared_weight": 1.0, "mode_weight": 1.0, "cir_weight": 1.0},
    },
}
SIDES = {"drit": 16}
"""Sides of the images, in pixels; digits have 8."""
CAPABILITIES = {
    contract.MakesBatches: {"drit", "elegant", "gzs_net", "hfvae"},
    contract.LearnsAtOtherRates: {"drit", "elegant", "gzs_net", "zszu_vae"},
    contract.HasStiefelMatrices: {"st_rkm", "zszu_vae"},
    contract.KeepsLastWeights: {"drit", "elegant"},
    contract.SettlesAxes: {"st_rkm", "zszu_vae"},
    contract.ShowsDivergence: {"zszu_vae"},
    contract.HasClassPrior: {"zszu_vae"},
    contract.HasBound: {"hfvae"},
    contract.HasTopics: {"hfvae"},
}
NUM_CLASSES = 10
FACTOR_SIZES = {"label": NUM_CLASSES, "third": 3}

RESTORE = """
import json, pathlib, sys
import numpy as np
from latentloom.model_zoo.registry import MODELS

for folder in map(pathlib.Path, sys.argv[1:]):
    model = MODELS[folder.name].from_config(json.loads((folder / "config.json").read_text()))
    model.load_weights(folder / "model.weights.h5")
    latents = model.encode(np.load(folder / "observations.npy"))
    outputs = {"decoded": model.decode(latents), **latents}
    np.savez(folder / "outputs.npz", **{name: np.asarray(each) for name, each in outputs.items()})
"""


class Snapshot(keras.callbacks.Callback):
    """Copies the checkpoints as they lie after an epoch, which is what a killed run leaves."""

    def __init__(self, checkpoints, copy, epoch):
        super().__init__()
        self.checkpoints, self.copy, self.epoch = checkpoints, copy, epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            shutil.copytree(self.checkpoints, self.copy)


def tiny(name, seed=0):
    """Builds a small model whose initial weights follow `seed`."""
    keras.utils.set_random_seed(seed)
    sizes = {"factor_sizes": FACTOR_SIZES}
    side = SIDES.get(name, 8)
    return build_model(name, ARGUMENTS[name], (side, side, 1), NUM_CLASSES, **sizes)


def enlarged(model, images):
    """Images as large as the model has them."""
    times = model.observation_shape[0] // images.shape[1]
    return images.repeat(times, axis=1).repeat(times, axis=2)


def fit_to(model, folds, *settings):
    """Trains a model on images of its size."""
    return fit(model, *((enlarged(model, images), f) for images, f in folds), *settings)


def factors_of(labels):
    """The label and a second factor."""
    return {"label": labels, "third": np.arange(len(labels)) % 3}


def scaled(model, digits):
    """A few digits as the model sees them."""
    return PIXELS.to_model(enlarged(model, digits[0][:12]).astype(np.float32), model.value_range)


@pytest.fixture(scope="module", params=sorted(MODELS))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folds(folds):
    return tuple((images, factors_of(labels)) for images, labels in folds)


@pytest.fixture(scope="module")
def model(name):
    return tiny(name)


@pytest.fixture(scope="module")
def schedule(schedule):
    """One step at once: several are traced for longer, and are the same (`test_fit`)."""
    return replace(schedule, steps_per_execution=1)


@pytest.fixture(scope="module")
def train(folds, schedule, tmp_path_factory):
    """Returns a function that trains each model once: the model, its history, a broken run."""

    @functools.cache
    def run(name):
        model, folder = tiny(name), tmp_path_factory.mktemp(name)
        snapshot = Snapshot(folder / "run", folder / "broken", epoch=0)
        return model, fit_to(model, folds, schedule, folder / "run", [snapshot]), folder / "broken"

    return run


@pytest.fixture(scope="module")
def trained(name, train):
    """A model after a run that nothing broke, with its history."""
    return train(name)[:2]


@pytest.fixture(scope="module")
def restored(train, digits, tmp_path_factory):
    """By model what it gave before it was saved, and what it gave in another process."""
    folder, before, after = tmp_path_factory.mktemp("saved"), {}, {}
    for name in MODELS:
        model, place = train(name)[0], folder / name
        place.mkdir()
        observations = scaled(model, digits)
        (place / "config.json").write_text(json.dumps(model.get_config()))
        model.save_weights(place / "model.weights.h5")
        np.save(place / "observations.npy", observations)
        latents = model.encode(observations)
        before[name] = {"decoded": model.decode(latents), **latents}
    line = [sys.executable, "-c", RESTORE, *(str(folder / name) for name in MODELS)]
    subprocess.run(line, check=True, cwd=Path(__file__).parents[2])
    for name in MODELS:
        with np.load(folder / name / "outputs.npz") as outputs:
            after[name] = dict(outputs)
    return before, after


@pytest.fixture(scope="module")
def observations(model, digits):
    return scaled(model, digits)


@pytest.fixture(scope="module")
def latents(model, observations):
    return {block: np.asarray(code) for block, code in model.encode(observations).items()}


def test_every_registered_model_is_tested():
    assert set(ARGUMENTS) == set(MODELS)


def test_model_satisfies_the_contract(model):
    assert isinstance(model, LatentModel)
    low, high = model.value_range
    assert low < high


def test_capabilities_are_told_by_their_protocols(name, model):
    offered = {protocol for protocol in CAPABILITIES if isinstance(model, protocol)}
    assert offered == {protocol for protocol, names in CAPABILITIES.items() if name in names}


def test_some_block_carries_the_label(model):
    assert any("label" in block["factors"] for block in model.latent_spec.values())


def test_encode_returns_exactly_the_declared_blocks(model, latents):
    shapes = [(name, (12, block["dim"])) for name, block in model.latent_spec.items()]
    assert [(name, code.shape) for name, code in latents.items()] == shapes


def test_encode_is_deterministic(model, observations, latents):
    again = model.encode(observations)
    for name, code in latents.items():
        np.testing.assert_array_equal(again[name], code)


def test_decode_is_deterministic(model, latents):
    np.testing.assert_array_equal(model.decode(latents), model.decode(latents))


def test_decoded_images_look_like_observations(model, observations, latents):
    images = np.asarray(model.decode(latents))
    low, high = model.value_range
    assert images.shape == observations.shape
    assert low <= images.min() <= images.max() <= high


def test_decoded_images_stay_in_range_far_from_the_data(model, latents):
    images = np.asarray(model.decode({name: code + 1e3 for name, code in latents.items()}))
    low, high = model.value_range
    assert low <= images.min() <= images.max() <= high


def test_each_block_reaches_the_output(model, latents):
    reference = np.asarray(model.decode(latents))
    for name, code in latents.items():
        assert not np.allclose(model.decode(latents | {name: code + 1.0}), reference), name


def test_posterior_is_a_distribution_of_every_block(model, observations, latents):
    posterior, seed = model.posterior(observations), stateless_seed(np.array([0, 1], np.int32))
    assert list(posterior) == list(latents)
    for name, code in latents.items():
        assert isinstance(posterior[name], tfd.Distribution)
        assert posterior[name].sample(seed=seed).shape == code.shape


def test_class_scores_are_one_a_class(model, latents):
    scores = np.asarray(model.class_scores(latents))
    assert scores.shape == (12, NUM_CLASSES)
    assert np.isfinite(scores).all()


def test_fitted_priors_have_the_documented_shapes(model, digits):
    images, labels = enlarged(model, digits[0][:100]), digits[1][:100]
    codes = model.encode(PIXELS.to_model(images.astype(np.float32), model.value_range))
    priors = model.fitted_priors(
        {name: np.asarray(c) for name, c in codes.items()}, factors_of(labels)
    )
    assert list(priors) == list(model.latent_spec)
    for name, prior in priors.items():
        classes, components = prior["weights"].shape
        assert classes in (1, NUM_CLASSES)
        for array in ("loc", "scale"):
            assert prior[array].shape == (classes, components, model.latent_spec[name]["dim"])
        assert {array.dtype for array in prior.values()} == {np.dtype(np.float32)}
        np.testing.assert_allclose(prior["weights"].sum(axis=-1), 1, rtol=1e-6)
        assert (prior["scale"] >= 0).all()
        assert np.isfinite(prior["loc"]).all()


def test_training_lowers_the_monitored_figure(trained):
    """`loss` may rise: it has the terms of heads that follow codes which move away from them."""
    model, history = trained
    keeps_last = isinstance(model, contract.KeepsLastWeights)
    assert keeps_last or history[-1][model.monitor] < history[0][model.monitor]


def test_the_monitored_figure_is_logged(trained):
    model, history = trained
    assert all(model.monitor in epoch for epoch in history)


def test_a_broken_run_ends_as_an_unbroken_one(name, train, folds, schedule):
    model, history, broken = train(name)
    resumed = tiny(name, seed=9)
    assert fit_to(resumed, folds, schedule, broken) == history
    for weight, expected in zip(resumed.weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight, expected, err_msg=weight.path)


def test_mixed_precision_learns_the_same_with_losses_in_float32(
    name, trained, folds, schedule, tmp_path
):
    with placement(dtype_policy="mixed_bfloat16"):
        model = tiny(name)
        history = fit_to(model, folds, replace(schedule, epochs=1), tmp_path)
    seen = enlarged(model, folds[0][0][:4]).astype(np.float32)
    outputs = model(PIXELS.to_model(seen, model.value_range))
    assert {keras.backend.standardize_dtype(v.dtype) for v in outputs.values()} == {"float32"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert history[0]["loss"] == pytest.approx(trained[1][0]["loss"], rel=0.03)


def test_config_round_trip_builds_the_same_model(name, model, latents):
    restored = MODELS[name].from_config(json.loads(json.dumps(model.get_config())))
    assert restored.get_config() == model.get_config()
    restored.set_weights(model.get_weights())
    np.testing.assert_array_equal(restored.decode(latents), model.decode(latents))


def test_weights_load_in_a_fresh_process(name, restored):
    before, after = (outputs[name] for outputs in restored)
    assert before.keys() == after.keys()
    for output, value in before.items():
        np.testing.assert_allclose(after[output], value, rtol=1e-6, atol=1e-6)
