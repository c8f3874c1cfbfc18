"""`import latentloom` is light, complete and typed; its functions agree with the command."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bundles import CONFIGS, digits_bundle, digits_config, digits_data, hashes, make

import latentloom
from latentloom.augment import identity_keys

HEAVY = ("tensorflow", "keras", "jax", "apache_beam", "numpy", "pydantic", "matplotlib")
IMPORT = f"import sys, latentloom; assert not (found := set({HEAVY}) & set(sys.modules)), found"
OPEN = """
import sys, latentloom
records = latentloom.open_dataset(sys.argv[1])
assert latentloom.verify(sys.argv[1]).ok
assert len(records[2:9]) == 7 and records[-1]["image"].ndim == 3
assert not (found := {"tensorflow", "keras", "apache_beam", "matplotlib"} & set(sys.modules)), found
"""
FACE = Path(latentloom.__file__)


def run(program, *words):
    command = [sys.executable, "-c", program, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_the_import_is_light():
    run(IMPORT)


def test_data_sets_are_opened_and_verified_without_tensorflow(dataset):
    run(OPEN, dataset.path)


def test_every_name_is_there_for_programs_and_for_type_checkers():
    (typed, _) = (node for node in ast.parse(FACE.read_text()).body if isinstance(node, ast.If))
    declared = {
        alias.name: node.module
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(declared) == sorted(latentloom.__all__)
    for name, module in declared.items():
        assert getattr(latentloom, name) is getattr(sys.modules[module], name)
        assert getattr(latentloom, name).__doc__
    assert set(latentloom.__all__) <= set(dir(latentloom))
    assert FACE.with_name("py.typed").exists()


@pytest.mark.parametrize(("module", "name"), [("beam", "Augment"), ("keras", "LatentAugmentation")])
def test_modules_beside_the_face_load_when_they_are_asked_for(module, name):
    assert callable(getattr(getattr(latentloom, module), name))
    assert module in dir(latentloom)
    assert module not in latentloom.__all__  # a star would hide Keras itself


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        latentloom.trian  # noqa: B018


def images_of(path, count=3):
    return np.stack([record["image"] for record in latentloom.open_dataset(path)[:count]])


def test_a_bundle_encodes_decodes_and_judges_as_its_codec_does():
    bundle, images = latentloom.load_bundle(digits_bundle()), images_of(digits_data())
    latents = bundle.encode(images)
    assert list(latents) == list(bundle.spec.names) == list(bundle.priors)
    decoded = bundle.decode(dict(reversed(latents.items())))
    rendered, probabilities = bundle._codec.render(latents)
    np.testing.assert_array_equal(decoded, rendered)
    np.testing.assert_allclose(bundle.judge(decoded)["label"], probabilities, atol=1e-6)
    assert bundle.encode(images[:0])["zu"].shape == (0, bundle.spec["zu"].dim)
    assert bundle.decode({name: block[:0] for name, block in latents.items()}).shape[0] == 0


def test_priors_draw_codes_of_a_class():
    bundle = latentloom.load_bundle(digits_bundle())
    keys, labels = identity_keys(0, "draws", [str(row) for row in range(60)]), np.arange(60) % 10
    drawn = {name: prior.sample(keys, labels) for name, prior in bundle.priors.items()}
    read = bundle.judge(bundle.decode(drawn))["label"].argmax(axis=1)
    assert (read == labels).mean() > 0.5


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda images: images / 255, TypeError, "Expected: uint8.*float64.*astype"),
        (lambda images: images[0], ValueError, r"Expected: \(n, 8, 8, 1\).*one batch"),
        (lambda images: images[:, :7], ValueError, r"Received: shape=\(3, 7, 8, 1\)"),
        (lambda images: images + np.uint16(300), ValueError, "Expected: 0 to 255.*Correct them"),
        (lambda images: "cat", TypeError, "wrong type"),
    ],
)
def test_wrong_observations_are_refused(change, error, message):
    bundle = latentloom.load_bundle(digits_bundle())
    for use in (bundle.encode, bundle.judge):
        with pytest.raises(error, match=message):
            use(change(images_of(digits_data())))


@pytest.mark.parametrize(
    ("latents", "error", "message"),
    [
        ({"zu": np.zeros((2, 16))}, ValueError, "Pass every block under its name"),
        ({"zs": np.zeros((2, 8)), "zu": np.zeros((3, 16))}, ValueError, "one row per example"),
        ({"zs": np.zeros((1, 8)), "zu": np.full((1, 16), np.nan)}, ValueError, "not finite"),
        ({"zs": np.zeros((1, 8), int), "zu": np.zeros((1, 16))}, TypeError, "not floats"),
        (
            {"zs": np.zeros((1, 8)), "zu": np.zeros((1, 16)), "no": np.zeros((1, 1))},
            ValueError,
            "other blocks than the spec",
        ),
    ],
)
def test_wrong_codes_are_refused(latents, error, message):
    with pytest.raises(error, match=message):
        latentloom.load_bundle(digits_bundle()).decode(latents)


def test_generated_bytes_are_those_of_the_command(tmp_path):
    settings = ("generate.gate.min_confidence=0.5", "generate.variants_per_example=1")
    config = digits_config("evaluate.accuracy_steps=0").model_dump()
    changes = {"generate.gate.min_confidence": 0.5, "generate.variants_per_example": 1}
    out = tmp_path / "made"
    made = latentloom.generate(config, digits_data(), digits_bundle(), out, settings=changes)
    make(tmp_path / "same", *settings, "evaluate.accuracy_steps=0")
    assert hashes(out) == hashes(tmp_path / "same")
    assert len(made) == made.splits["train"] > 0
    assert json.loads((out / "report.json").read_text())["numbers"]
    assert latentloom.verify(out, data=digits_data()).ok


REFUSED = {
    "a missing configuration": (
        lambda out, data: latentloom.train("none.yaml", data, out),
        FileNotFoundError,
        "The configuration 'none.yaml' is missing",
    ),
    "a misspelt key": (
        lambda out, data: latentloom.train({"trian": {"epochs": 1}}, data, out),
        ValueError,
        "the dictionary `config`.*train",
    ),
    "a misspelt setting": (
        lambda out, data: latentloom.train({}, data, out, settings={"train.epoch": 1}),
        ValueError,
        "epochs",
    ),
    "a setting that is an array": (
        lambda out, data: latentloom.train({}, data, out, settings={"train.seed": np.arange(3)}),
        TypeError,
        "not plain data.*tolist",
    ),
    "a configuration of another type": (
        lambda out, data: latentloom.train(3, data, out),
        TypeError,
        "Pass one of these",
    ),
    "a remote output": (
        lambda out, data: latentloom.train("auto", data, "gs://bucket/bundle"),
        ValueError,
        "is a remote path",
    ),
    "an output that holds the data": (
        lambda out, data: latentloom.train({}, data, Path(data).parent),
        ValueError,
        "Choose another output directory",
    ),
    "a bundle that is missing": (
        lambda out, data: latentloom.load_bundle(out),
        FileNotFoundError,
        "is not a model bundle",
    ),
    "a data set in place of a bundle": (
        lambda out, data: latentloom.evaluate(data, data, out),
        FileNotFoundError,
        "is not a model bundle",
    ),
    "a runner that Beam has not": (
        lambda out, data: latentloom.generate({}, data, data, out, runner="Spork"),
        ValueError,
        "Beam has no such runner",
    ),
    "an empty path": (lambda out, data: latentloom.open_dataset(""), ValueError, "path is empty"),
    "an unknown split": (
        lambda out, data: latentloom.open_dataset(data, "dev"),
        ValueError,
        "no such split",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_in_the_call_gets_the_error_of_the_command(dataset, tmp_path, case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call(tmp_path / "out", dataset.path)
    assert not (tmp_path / "out").exists()


def test_a_configuration_file_is_read_with_changes(dataset, tmp_path):
    config, changes = CONFIGS / "zszu_digits.yaml", {"train.steps": -1}
    with pytest.raises(ValueError, match="train.steps"):
        latentloom.train(config, dataset.path, tmp_path / "out", settings=changes)
