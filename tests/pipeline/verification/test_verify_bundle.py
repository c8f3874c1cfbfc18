"""`verify BUNDLE` checks digest, weights, priors and figures; `inspect` says what has changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bundles import digits_bundle, digits_data
from rewriting import edit_bundle, edit_json
from typer.testing import CliRunner

from latentloom.pipeline.command import app
from latentloom.pipeline.terminal.exit_codes import USERS_MISTAKE, exit_code

FILES = ("model.weights.h5", "judge.weights.h5", "auditor.weights.h5", "priors.npz", "realism.npz")


@pytest.fixture
def bundle(tmp_path) -> Path:
    return Path(shutil.copytree(digits_bundle(), tmp_path / "bundle"))


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def problem(path: Path) -> str:
    """The one problem that the command names."""
    result = run("verify", path)
    assert result.exit_code == 1, result.output
    assert not result.stdout
    (line,) = result.stderr.splitlines()
    return line


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_whole_bundle_is_whole(bundle):
    result = run("verify", bundle)
    assert result.exit_code == 0, result.stderr
    assert "is whole: a bundle of the model zszu_vae" in result.stdout


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("verb", ["verify", "inspect"])
def test_a_changed_byte_is_named(bundle, file, verb):
    flip_a_byte(bundle / file)
    result = run(verb, bundle)
    assert result.exit_code == 1
    assert result.stderr == f"{file} does not match the digest in bundle.json\n"


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(bundle, file):
    (bundle / file).unlink()
    assert problem(bundle) == f"{file} is missing"


@pytest.mark.parametrize("verb", ["verify", "inspect"])
def test_a_changed_description_does_not_match_its_digest(bundle, verb):
    edit_json(bundle / "bundle.json", lambda description: description.update(judge_width=7))
    result = run(verb, bundle)
    assert result.exit_code == 1
    assert result.stderr == "bundle.json does not match its digest\n"


@pytest.mark.parametrize("text", ["", "[]", "7", "[" * 100_000])
def test_a_description_that_is_none_is_named(bundle, text):
    (bundle / "bundle.json").write_text(text)
    assert problem(bundle).startswith("bundle.json describes no bundle that can be loaded")


def test_a_description_without_files_is_named(bundle):
    edit_json(bundle / "bundle.json", lambda description: description.pop("files"))
    lines = run("verify", bundle).stderr.splitlines()
    assert lines[0] == "bundle.json does not match its digest"
    assert {line.split()[0] for line in lines[1:]} == set(FILES)


def test_a_file_outside_the_bundle_is_not_read(bundle):
    def change(description: dict[str, Any]) -> None:
        description["files"]["../model.weights.h5"] = "0" * 64

    shutil.copy(bundle / "model.weights.h5", bundle.parent)
    edit_bundle(bundle, change)
    assert problem(bundle).startswith("bundle.json describes no bundle that can be loaded")


def edit_weights(file: Path, change) -> None:
    """Changes the first array of a file of weights."""
    with h5py.File(file, "r+") as weights:
        found: list[str] = []

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.ndim:
                found.append(name)

        weights.visititems(visit)
        values = change(weights[found[0]][...])  # type: ignore[index]
        del weights[found[0]]
        weights[found[0]] = values


def test_weights_of_another_shape_do_not_load(bundle):
    edit_weights(bundle / "judge.weights.h5", lambda values: values[..., :-1])
    edit_bundle(bundle)
    assert problem(bundle).startswith("bundle.json describes no bundle that can be loaded")


def test_weights_that_are_not_finite_are_named(bundle):
    edit_weights(bundle / "model.weights.h5", lambda values: np.full_like(values, np.nan))
    edit_bundle(bundle)
    assert problem(bundle).startswith("model.weights.h5 has weights that are not finite: ")


def axes_of(priors, more=0):
    """Axes of `zu` like those of its entries; `more` too many."""
    return np.eye(priors["zu/loc"].shape[-1] + more, dtype=np.float32)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda priors: priors["zu/loc"].fill(np.nan), "holds invalid priors"),
        (lambda priors: priors["zu/weights"].fill(3), "holds invalid priors"),
        (lambda priors: priors.pop("zu/scale"), "holds invalid priors"),
        (lambda priors: priors.update({"zu/axes": axes_of(priors) * np.nan}), "holds invalid"),
    ],
)
def test_invalid_priors_are_named(bundle, change, reason):
    with np.load(bundle / "priors.npz") as archive:
        priors = dict(archive)
    change(priors)
    np.savez(bundle / "priors.npz", allow_pickle=False, **priors)
    edit_bundle(bundle)
    assert problem(bundle).startswith(f"priors.npz {reason}")


def of_three_classes(priors):
    for name in ("zs/weights", "zs/loc", "zs/scale"):
        priors[name] = np.repeat(priors[name][:1], 3, axis=0)


@pytest.mark.parametrize(
    "change",
    [of_three_classes, lambda priors: priors.update({"zu/axes": axes_of(priors, more=1)})],
    ids=["classes", "axes"],
)
def test_priors_of_another_shape_are_named(bundle, change):
    with np.load(bundle / "priors.npz") as archive:
        priors = dict(archive)
    change(priors)
    np.savez(bundle / "priors.npz", allow_pickle=False, **priors)
    edit_bundle(bundle)
    assert "priors.npz' cannot be read" in problem(bundle)


@pytest.mark.parametrize("place", ["figures", "config"])
def test_numbers_that_are_not_finite_are_named(bundle, place):
    def change(description: dict[str, Any]) -> None:
        if place == "figures":
            description["details"]["figures"][0]["value"] = float("inf")
        else:
            description["details"]["config"]["train"]["learning_rate"] = float("nan")

    edit_bundle(bundle, change)
    result = run("verify", bundle)
    assert result.exit_code == 1
    assert f"numbers that are not finite: details/{place}" in result.stderr


def test_a_figure_of_no_form_is_named(bundle):
    edit_bundle(bundle, lambda description: description["details"]["figures"].append({}))
    assert problem(bundle).startswith("bundle.json has invalid figures")


def test_blocks_that_its_model_does_not_have_are_named(bundle):
    edit_bundle(bundle, lambda d: d["latent_spec"]["zu"].update(factors=["label"]))
    assert problem(bundle).startswith("bundle.json")


def test_another_configuration_than_the_trained_one_is_named(bundle):
    (bundle / "config.yaml").write_text("train: {epochs: 1}\n")
    assert problem(bundle) == "config.yaml does not match the digest in bundle.json"
    edit_bundle(bundle, lambda description: description["details"].pop("files"))
    assert problem(bundle) == "config.yaml holds another configuration than bundle.json"


def test_a_bundle_has_no_source(bundle):
    error = run("verify", bundle, "--data", digits_data()).exception
    assert isinstance(error, ValueError)
    assert "Leave it out" in str(error)
    assert exit_code(error) == USERS_MISTAKE


def test_inspect_refuses_a_description_that_is_none(bundle):
    (bundle / "bundle.json").write_text("{")
    error = run("inspect", bundle).exception
    assert "Copy the bundle again" in str(error)
    assert exit_code(error) == USERS_MISTAKE


def test_inspect_prints_a_changed_bundle(bundle):
    flip_a_byte(bundle / "priors.npz")
    result = run("inspect", bundle, "--json")
    assert json.loads(result.stdout)["model"] == "zszu_vae"


@pytest.mark.parametrize("file", ["history.csv", "curves.png"])
@pytest.mark.parametrize("verb", ["verify", "inspect"])
def test_what_a_training_kept_is_covered(bundle, file, verb):
    flip_a_byte(bundle / file)
    result = run(verb, bundle)
    assert result.exit_code == 1
    assert result.stderr == f"{file} does not match the digest in bundle.json\n"
    (bundle / file).unlink()
    assert run(verb, bundle).stderr == f"{file} is missing\n"


def test_a_missing_configuration_is_named(bundle):
    (bundle / "config.yaml").unlink()
    assert problem(bundle) == "config.yaml is missing"


def test_a_bundle_of_an_older_version_has_no_digest_of_its_history(bundle):
    edit_bundle(bundle, lambda description: description["details"].pop("files"))
    (bundle / "history.csv").unlink()
    flip_a_byte(bundle / "curves.png")
    assert run("verify", bundle).exit_code == 0


@pytest.mark.parametrize("name", ["../secret", "manifest.json", "model.weights.h5"])
def test_a_bundle_lists_no_other_files(bundle, name):
    edit_bundle(bundle, lambda d: d["details"]["files"].update({name: "0" * 64}))
    assert problem(bundle).startswith("bundle.json has invalid figures")


@pytest.mark.parametrize(
    "stranger", ["notes.txt", ".secret", ".git/config", "train_state/run.json"]
)
def test_strangers_in_a_bundle_are_named(bundle, stranger):
    (bundle / stranger).parent.mkdir(exist_ok=True)
    (bundle / stranger).write_text("mine")
    name = stranger if stranger.startswith(".") else stranger.partition("/")[0]
    assert problem(bundle) == f"{name} is no file of a bundle"


def test_the_files_of_a_training_under_way_are_no_strangers(bundle):
    (bundle / ".lock").write_text('{"latentloom writes": "bundle"}\n')
    (bundle / ".bundle.json.tmp").write_text("half")
    (bundle / ".model.tmp.weights.h5").write_text("half")
    (bundle / "train_state").mkdir()
    assert run("verify", bundle).exit_code == 0
