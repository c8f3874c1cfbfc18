"""The command as a person or a script meets it: help, exit codes, one clear message."""

import json
import subprocess
import sys

import pytest
from bundles import CONFIGS, digits_bundle, digits_data

DIGITS = str(CONFIGS / "zszu_digits.yaml")


def in_a_process(*words: object) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    line = [sys.executable, "-m", "latentloom.pipeline.command", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    ("verb", "mentions"),
    [
        ((), ("import", "train", "generate", "evaluate", "verify", "inspect", "demo")),
        (
            ("import",),
            ("SOURCE", "OUT", "--name", "--label", "--factors", "--image-size", "--shards"),
        ),
        (("train",), ("CONFIG", "--data", "--out", "--set", "--resume")),
        (("generate",), ("--data", "--model", "--out", "--runner", "--set", "Beam")),
        (("evaluate",), ("--data", "--model", "--out", "--set", "--overwrite")),
        (("verify",), ("DIR", "--compare")),
        (("demo",), ("--out",)),
    ],
)
def test_help_names_every_argument(latentloom, verb, mentions):
    run = latentloom(*verb, "--help")
    assert run.returncode == 0
    for word in mentions:
        assert word in run.stdout


def test_a_users_mistake_is_one_message_and_exit_code_2(tmp_path):
    out = tmp_path / "out"
    run = in_a_process("train", DIGITS, "--data", tmp_path / "nowhere", "--out", out)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "There is no manifest" in run.stderr
    assert "Traceback" not in run.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.epoch=1"], "Did you mean 'epochs'"),
        (["model.name=zszu"], "Did you mean 'zszu_vae'"),
        (["model.args.zs_dimension=3"], "Did you mean 'zs_dim'"),
        (["model.args.network=conv"], "Set `model.args.network` to dense"),
    ],
)
def test_a_wrong_setting_of_train_exits_2_and_leaves_no_directory(
    latentloom, tmp_path, settings, message
):
    words = [word for setting in settings for word in ("--set", setting)]
    out = tmp_path / "out"
    run = latentloom("train", DIGITS, "--data", digits_data(), "--out", out, *words)
    assert run.returncode == 2
    assert message in run.stderr
    assert not out.exists()


@pytest.mark.parametrize("words", [("train",), ("generate", "--model", "bundle")])
def test_a_configuration_is_not_deleted_with_the_output_that_holds_it(latentloom, tmp_path, words):
    config = tmp_path / "bundle.yaml"
    config.write_text("model: {name: zszu_vae}\n")
    (tmp_path / "manifest.json").write_text("{}")  # a directory that --overwrite may empty
    verb, *others = words
    run = latentloom(verb, config, "--data", "data", *others, "--out", tmp_path, "--overwrite")
    assert run.returncode == 2
    assert "holds the input" in run.stderr
    assert config.exists()


def test_evaluate_prints_what_it_measured(latentloom, tmp_path):
    words = ("--data", digits_data(), "--model", digits_bundle(), "--out", tmp_path / "out")
    run = latentloom("evaluate", *words, "--set", "evaluate.anchors=20")
    assert run.returncode == 0, run.stderr
    for figure in ("Swap: class follows zs", "Active units of zu", "nats", "Diversity"):
        assert figure in run.stdout
    assert "evaluation.html" in run.stdout
    assert (tmp_path / "out/evaluation.html").exists()


@pytest.mark.parametrize(
    ("model", "setting", "message"),
    [
        ("nowhere", "generate.seed=1", "is not a model bundle"),
        (None, "evaluate.anchor=1", "Did you mean 'anchors'"),
    ],
)
def test_a_mistake_in_evaluate_exits_2_and_leaves_no_directory(
    latentloom, tmp_path, model, setting, message
):
    bundle, out = model or digits_bundle(), tmp_path / "out"
    words = ("--data", digits_data(), "--model", bundle, "--out", out, "--set", setting)
    run = latentloom("evaluate", *words)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert not out.exists()


def test_an_unknown_source_exits_2(latentloom, tmp_path):
    run = latentloom("import", "builtin:digit", tmp_path / "out")
    assert run.returncode == 2
    assert "digits" in run.stderr


def test_what_follows_the_dashes_goes_to_beam(latentloom, tmp_path):
    run = latentloom(
        *("generate", DIGITS, "--data", digits_data(), "--model", digits_bundle()),
        *("--out", tmp_path / "out", "--", "--direct_running_mode=no_such_mode"),
    )
    assert run.returncode != 0
    assert "no_such_mode" in run.stderr


def test_inspect_prints_json_for_programs_and_a_table_for_people(latentloom):
    data = json.loads(in_a_process("inspect", digits_data(), "--json").stdout)
    assert data["splits"]["train"]["examples"] == 300
    bundle = json.loads(latentloom("inspect", digits_bundle(), "--json").stdout)
    assert bundle["model"] == "zszu_vae"
    table = latentloom("inspect", digits_bundle())
    assert table.returncode == 0
    assert "zszu_vae" in table.stdout
    assert "[label]" in table.stdout


def test_verify_exits_1_and_names_the_bad_shard(latentloom, tmp_path):
    assert latentloom("import", "builtin:digits", tmp_path / "d", "--shards", 2).returncode == 0
    assert latentloom("verify", tmp_path / "d").returncode == 0
    shard = sorted((tmp_path / "d").glob("*-train.tfrecord-*"))[1]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    run = latentloom("verify", tmp_path / "d")
    assert run.returncode == 1
    assert shard.name in run.stderr
