"""`train --config auto`, `--minutes`, and what `train` says of a model that has not learnt."""

import json

import bags
import pytest
import yaml
from bundles import CONFIGS, digits_bundle, digits_data

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.training.automatic_config import automatic_config

DIGITS = str(CONFIGS / "zszu_digits.yaml")
QUICK = [
    *("train.steps=6", "judge.steps=4", "judge.width=4"),
    *("evaluate.anchors=40", "evaluate.variants=2", "evaluate.accuracy_steps=0"),
]
HEADS = ["Seen", "Chosen", "Budget", "Expected", "To change"]


def words(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def told_of(stderr: str) -> list[str]:
    """The lines that explain the choice."""
    return [line for line in stderr.splitlines() if line.partition(":")[0] in HEADS]


def saved(bundle) -> dict:
    return yaml.safe_load((bundle / "config.yaml").read_text())


def figures_of(bundle) -> dict[str, float]:
    details = json.loads((bundle / "bundle.json").read_text())["details"]
    return {figure["key"]: figure["value"] for figure in details["figures"]}


@pytest.fixture(scope="module")
def kept() -> dict:
    """The results of one training for several tests."""
    return {}


@pytest.fixture
def trained(latentloom, tmp_path_factory, kept, caplog):
    """A bundle of the digits that `--config auto` trained, with what the command said."""
    if not kept:
        bundle = tmp_path_factory.mktemp("auto") / "bundle"
        given = ["--data", digits_data(), "--out", bundle, *words(QUICK)]
        run = latentloom("train", "--config", "auto", *given)
        assert run.returncode == 0, run.stderr
        warnings = [record.getMessage() for record in caplog.get_records("setup")]
        kept |= {"run": (bundle, run, given), "warnings": warnings}
    return kept["run"]


def test_auto_says_what_it_chose_in_five_lines_and_writes_it_into_the_bundle(trained):
    bundle, run, _ = trained
    lines = told_of(run.stderr)
    assert [line.partition(":")[0] for line in lines] == HEADS
    assert run.stderr.splitlines()[:5] == lines
    assert "8 x 8 x 1, 10 classes" in lines[0]
    assert "zszu_vae" in lines[1]
    assert "6 steps of 32" in lines[2]
    assert "minutes" in lines[3]
    config = saved(bundle)
    assert config["model"]["args"]["network"] == "dense"
    assert config["train"]["batch_size"] == 32
    assert config["train"]["steps"] == 6


def test_the_next_line_generates_from_the_configuration_in_the_bundle(
    latentloom, trained, tmp_path
):
    bundle, run, _ = trained
    assert f"Next: latentloom generate {bundle / 'config.yaml'} --data" in run.stdout.replace(
        "\n", " "
    )
    out, settings = tmp_path / "variants", words(["generate.gate.enabled=false"])
    given = ["--data", digits_data(), "--model", bundle, "--out", out, *settings]
    made = latentloom("generate", bundle / "config.yaml", *given)
    assert made.returncode == 0, made.stderr
    report = json.loads((out / "report.json").read_text())
    assert {"model/explained", "model/explained/within_class"} <= {
        number["key"] for number in report["numbers"]
    }


def test_resumed_or_passed_as_argument_auto_chooses_the_same(latentloom, trained, tmp_path):
    bundle, _, given = trained
    before = (bundle / "bundle.json").read_bytes()
    assert latentloom("train", "--config", "auto", *given, "--resume").returncode == 0
    assert latentloom("train", "auto", *given, "--resume").returncode == 0
    assert (bundle / "bundle.json").read_bytes() == before


@pytest.mark.parametrize("given", [[], [DIGITS, "--config", "auto"], ["auto", "--config", DIGITS]])
def test_train_wants_one_configuration(latentloom, tmp_path, given):
    out = tmp_path / "out"
    run = latentloom("train", *given, "--data", digits_data(), "--out", out)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "CONFIG or --config, and not both" in run.stderr
    assert not out.exists()


def test_auto_takes_a_file_of_its_name_only_with_a_path(latentloom, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "auto").write_text("train: {epoch: 3}\n")
    run = latentloom("train", "./auto", "--data", digits_data(), "--out", tmp_path / "out")
    assert run.returncode == 2
    assert "Did you mean 'epochs'" in run.stderr


def test_auto_refuses_a_wrong_setting_and_leaves_no_directory(latentloom, tmp_path):
    out = tmp_path / "out"
    given = ["--data", digits_data(), "--out", out, *words(["train.step=3"])]
    run = latentloom("train", "auto", *given)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "In --config auto" in run.stderr
    assert not out.exists()


@pytest.mark.parametrize("kind", ["vectors", "words", "grid"])
def test_auto_trains_other_kinds_of_data_too(latentloom, tmp_path, kind):
    data, bundle = tmp_path / "data", tmp_path / "bundle"
    source = {"vectors": "builtin:moons", "grid": "builtin:letters"}.get(kind)
    import_dataset(source or bags.save(tmp_path), data, max_examples=1000)
    name = {"vectors": "zszu_vae", "words": "hfvae", "grid": "gzs_net"}[kind]
    settings = [*QUICK, "model.args.hidden_dim=8"]
    run = latentloom("train", "auto", "--data", data, "--out", bundle, *words(settings))
    assert run.returncode == 0, run.stderr
    assert name in told_of(run.stderr)[1]
    assert saved(bundle)["model"]["name"] == name


def test_another_model_keeps_the_rest_of_the_choice(latentloom, tmp_path):
    bundle, settings = tmp_path / "bundle", [*QUICK, "model.name=st_rkm"]
    given = ["--data", digits_data(), "--out", bundle, *words(settings)]
    run = latentloom("train", "auto", *given)
    assert run.returncode == 0, run.stderr
    assert saved(bundle)["model"] == {"name": "st_rkm", "args": {}}
    assert saved(bundle)["train"]["batch_size"] == 32


# --- Time ----------------------------------------------------------------------------------


def test_minutes_are_divided_and_end_model_and_judges(latentloom, tmp_path):
    bundle = tmp_path / "bundle"
    settings = ["train.epochs=100000", "judge.epochs=100000", "evaluate.anchors=40"]
    given = ["--data", digits_data(), "--out", bundle, *words(settings)]
    run = latentloom("train", DIGITS, *given, "--minutes", 0.05)
    assert run.returncode == 0, run.stderr
    config = saved(bundle)
    assert config["train"]["minutes"] == pytest.approx(0.04)
    assert config["judge"]["minutes"] == pytest.approx(0.005)


def test_auto_fits_the_steps_to_the_minutes():
    by_minutes = [automatic_config(digits_data(), [], minutes)[0] for minutes in (1.5, 4, 1000)]
    steps = [config.train.steps for config in by_minutes]
    assert steps == sorted(set(steps))
    usual = automatic_config(digits_data(), [])[0].train.steps
    assert steps[-1] == 4 * usual


def test_epochs_that_are_set_replace_the_chosen_steps_and_shorten_the_warm_up():
    config, seen = automatic_config(digits_data(), ["train.epochs=3", "judge.epochs=2"])
    assert (config.train.steps, config.judge.steps) == (None, None)
    assert config.train.warmup_steps <= 0.3 * seen.examples / config.train.batch_size
    chosen, _ = automatic_config(digits_data(), [])
    assert chosen.train.warmup_steps > 100
    assert chosen.judge.steps


def test_auto_sees_only_what_the_limit_leaves():
    config, seen = automatic_config(digits_data(), ["data.limit=50"])
    assert seen.examples == 50
    assert config.data.limit == 50


@pytest.mark.parametrize("minutes", ["0", "-3", "nan", "inf", "1e9"])
def test_minutes_out_of_range_are_refused(latentloom, tmp_path, minutes):
    out = tmp_path / "out"
    given = ["--data", digits_data(), "--out", out, "--minutes", minutes]
    run = latentloom("train", DIGITS, *given)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "--minutes=" in run.stderr
    assert not out.exists()


# --- A model that has not learnt -----------------------------------------------------------


def test_a_model_that_has_not_learnt_says_so_with_the_steps_it_needs(trained, kept):
    bundle, run, _ = trained
    (line,) = [line for line in kept["warnings"] if "has not learnt" in line]
    assert "after 6 steps" in line
    suggested = int(line.partition("train.steps=")[2].rstrip("."))
    assert 2 * 6 <= suggested <= 20 * 6
    assert figures_of(bundle)["model/explained"] < 0.3
    assert run.stderr.count("early estimate: reconstructions explain") == 1


def test_a_model_that_has_learnt_has_figures_and_no_warning():
    figures = figures_of(digits_bundle())
    assert 0.2 < figures["model/explained/within_class"] < figures["model/explained"] < 1
