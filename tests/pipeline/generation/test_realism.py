"""`generate` with the gate for realism: reasons, older bundles, and what stays when it is off."""

import json
import shutil
from pathlib import Path

import pytest
from bundles import hashes
from letters import letters_bundle, letters_config, letters_data
from rewriting import edit_bundle
from typer.testing import CliRunner

from latentloom.model_zoo.bundle import load_bundle, save_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.command import app
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.training.fit_realism import fit_realism
from latentloom.pipeline.training.train import divide_examples
from latentloom.pipeline.verification.verify import verify

ON = "generate.gate.realism=true"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """The bundle of exact letters, with the features of its exact judge."""
    exact, data = load_bundle(letters_bundle()), DatasetDir.open(letters_data())
    folds, _ = divide_examples(letters_config(), data.read("train"), data.manifest)
    exact.realism = fit_realism(exact, folds)
    folder = tmp_path_factory.mktemp("bundles") / "exact"
    shutil.copytree(letters_bundle(), folder)
    save_bundle(exact, folder)
    return folder


@pytest.fixture(scope="module")
def older(bundle, tmp_path_factory) -> Path:
    """The same, as an older version saved it."""
    folder = tmp_path_factory.mktemp("bundles") / "older"
    shutil.copytree(bundle, folder)
    (folder / "realism.npz").unlink()
    loaded = load_bundle(bundle)
    loaded.realism = {}
    save_bundle(loaded, folder)
    return folder


def test_the_report_opens_with_what_passes_both_gates(bundle, tmp_path):
    settings = (ON, "generate.gate.false_refusals=0.3", "generate.recipe=swap_zu")
    config, made = letters_config(*settings), tmp_path / "made"
    generate(config, letters_data(), bundle, made)
    report_on(config, letters_data(), bundle, made)
    report = json.loads((made / "report.json").read_text())
    shares = passed(report)
    assert list(shares) == [f"variants/passed/{gate}" for gate in ("both", "class", "realism")]
    assert 0 < shares["variants/passed/both"] <= min(shares.values())
    assert report["summary"][0].startswith(f"{shares['variants/passed/both']:.1%} of the first")
    reasons = {reason for found in report["rejections"].values() for reason in found}
    assert reasons & {"unlike_real", "wrong_detail", "unlikely_code"}
    card = (made / "README.md").read_text()
    assert "as realistic as all but 30% of real examples" in card
    assert verify(made, letters_data()).ok


def passed(report: dict) -> dict[str, float]:
    """The shares of candidates that pass the gates."""
    return {n["key"]: n["value"] for n in report["numbers"] if "/passed/" in n["key"]}


def test_off_it_computes_no_features_and_the_bytes_are_those_of_an_older_bundle(
    bundle, older, tmp_path, monkeypatch
):
    def fail(*_):
        raise AssertionError("features were computed")

    monkeypatch.setattr(Codec, "render_with_features", fail)
    made = {name: tmp_path / name for name in ("new", "old")}
    generate(letters_config(), letters_data(), bundle, made["new"])
    generate(letters_config(), letters_data(), older, made["old"])
    assert hashes(made["new"]) == hashes(made["old"]) != {}
    report_on(letters_config(), letters_data(), bundle, made["new"])
    assert passed(json.loads((made["new"] / "report.json").read_text())) == {}


@pytest.mark.parametrize("verb", ["generate", "evaluate"])
def test_an_older_bundle_is_refused_before_work_starts(older, tmp_path, verb):
    config = [tmp_path / "config.yaml"] if verb == "generate" else []
    (tmp_path / "config.yaml").write_text(letters_config().to_yaml())
    words = [verb, *config, "--data", letters_data(), "--model", older]
    words += ["--out", tmp_path / "out", "--set", ON]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(result.exception, ValueError)
    assert "Train the bundle again, or set generate.gate.realism to false" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("contents", [b"", b"no archive", None])
def test_a_damaged_file_is_one_message_whether_the_gate_is_on_or_off(bundle, tmp_path, contents):
    shutil.copytree(bundle, tmp_path / "bundle")
    file = tmp_path / "bundle" / "realism.npz"
    file.write_bytes(file.read_bytes()[:2000] if contents is None else contents)
    edit_bundle(tmp_path / "bundle")  # the digest is that of the damaged file
    (tmp_path / "config.yaml").write_text(letters_config().to_yaml())
    words = ["generate", tmp_path / "config.yaml", "--data", letters_data()]
    words += ["--model", tmp_path / "bundle", "--out", tmp_path / "out"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(result.exception, ValueError)
    assert "realism.npz' cannot be read. Expected: " in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_run_that_gives_nothing_realistic_says_what_to_lower(bundle, tmp_path):
    loaded = load_bundle(bundle)
    loaded.realism = {
        **loaded.realism,
        "fineness/held_out": loaded.realism["fineness/held_out"] + 9,
    }
    shutil.copytree(bundle, tmp_path / "bundle")
    save_bundle(loaded, tmp_path / "bundle")
    with pytest.raises(RuntimeError, match=r"or lower `generate.gate.false_refusals`"):
        generate(letters_config(ON), letters_data(), tmp_path / "bundle", tmp_path / "made")
