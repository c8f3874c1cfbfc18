"""The demo, as a newcomer runs it."""

import functools
import json
import re
import subprocess
import sys

import pytest
import tensorflow_datasets as tfds
from bundles import CONFIGS

from latentloom.pipeline.command import demo_run
from latentloom.pipeline.command.demo_run import RECOMBINED, demo_config, run_demo
from latentloom.pipeline.config import load_config, parse_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.terminal.progress import ProgressDisplay
from latentloom.pipeline.verification.verify import verify

STAGES = (
    *("import", "model", "judge", "auditor", "generate variants", "generate recombined"),
    *("verify", "report"),
)


def test_the_demo_is_the_configuration_of_the_letters():
    file = load_config(CONFIGS / "gzs_net_letters.yaml")
    assert demo_config().model_dump() == file.model_dump()


def check_promises(out):
    """What every demo leaves behind, however little it has learnt."""
    for made in ("variants", "recombined"):
        assert verify(out / made).ok
        totals = DatasetDir.open(out / made).manifest.totals
        assert totals["requested"] == totals["written"] + totals["rejected"] + totals["dead"]
        page = (out / made / "report.html").read_text()
        assert len(re.findall(r'src="data:image/png;base64,', page)) >= 3
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    records = tfds.builder_from_directory(str(out / "recombined")).as_dataset(split="train")
    assert not any(record["seen_combination"] for record in tfds.as_numpy(records))


@pytest.fixture
def short_demo(monkeypatch):
    """Lets a demo in this process learn a few letters for an epoch."""
    few = functools.partial(import_dataset, max_examples=1200)
    monkeypatch.setattr(demo_run, "import_dataset", few)
    config = demo_config
    monkeypatch.setattr(demo_run, "demo_config", lambda made=RECOMBINED: short(config(made)))


def short(config):
    overrides = ["train.epochs=1", "train.batch_size=90", "train.warmup_steps=0", "judge.epochs=1"]
    measures = ["evaluate.anchors=40", "evaluate.variants=4", "generate.gate.enabled=false"]
    measures.append("evaluate.accuracy_steps=2")
    return parse_config(config.model_dump(mode="json"), "the demo", overrides + measures)


def test_a_short_demo_leaves_the_same_behind_and_a_second_keeps_it(short_demo, tmp_path, capsys):
    out = tmp_path / "demo"
    run_demo(out, overwrite=False, display=ProgressDisplay())
    told = capsys.readouterr().err
    for stage in STAGES:
        assert f"{stage}: " in told
    check_promises(out)
    figures = read_figures(out / "recombined/report.json")
    assert figures["Cells without an example, after"] < figures["Cells without an example, before"]

    run_demo(out, overwrite=False, display=ProgressDisplay())
    assert "model: " not in capsys.readouterr().err, "a second demo must keep what is finished"


@pytest.mark.slow
def test_the_demo_makes_variants_and_unseen_combinations_with_reports(tmp_path):
    out = tmp_path / "demo"
    line = [sys.executable, "-m", "latentloom.pipeline.command", "demo", "--out", str(out)]
    run = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert run.returncode == 0, run.stderr
    for stage in STAGES:
        assert f"{stage}: " in run.stderr
    check_promises(out)
    figures = read_figures(out / "variants/report.json")
    assert figures["Class kept, before the gate"] > 0.5
    assert figures["Class kept, after the gate"] > 0.95
    figures = read_figures(out / "recombined/report.json")
    assert figures["Cells without an example, after"] < figures["Cells without an example, before"]
    assert figures["Cell read back, after the gate"] > 0.8

    again = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert again.returncode == 0, again.stderr
    assert "model: " not in again.stderr, "a second demo must keep what the first has finished"


def read_figures(path):
    """Values of a report by name."""
    return {n["name"]: n["value"] for n in json.loads(path.read_text())["numbers"]}
