"""The demo, as a newcomer runs it."""

import json
import re
import subprocess
import sys

import tensorflow_datasets as tfds
from bundles import CONFIGS

from latentloom.pipeline.command.demo_run import demo_config
from latentloom.pipeline.config import load_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.verification.verify import verify


def test_the_demo_is_the_configuration_of_the_letters():
    file = load_config(CONFIGS / "gzs_net_letters.yaml")
    assert demo_config().model_dump() == file.model_dump()


def test_the_demo_makes_variants_and_unseen_combinations_with_reports(tmp_path):
    out = tmp_path / "demo"
    line = [sys.executable, "-m", "latentloom.pipeline.command", "demo", "--out", str(out)]
    run = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert run.returncode == 0, run.stderr
    stages = ("import", "model", "judge", "auditor", "generate variants", "generate recombined")
    for stage in (*stages, "verify", "report"):
        assert f"{stage}: " in run.stderr
    for made in ("variants", "recombined"):
        assert verify(out / made).ok
        totals = DatasetDir.open(out / made).manifest.totals
        assert totals["requested"] == totals["written"] + totals["rejected"] + totals["dead"]
        page = (out / made / "report.html").read_text()
        assert len(re.findall(r'src="data:image/png;base64,', page)) >= 3
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    figures = read_figures(out / "variants/report.json")
    assert figures["Class kept, before the gate"] > 0.5
    assert figures["Class kept, after the gate"] > 0.95
    figures = read_figures(out / "recombined/report.json")
    assert figures["Cells without an example, after"] < figures["Cells without an example, before"]
    assert figures["Cell read back, after the gate"] > 0.8
    records = tfds.builder_from_directory(str(out / "recombined")).as_dataset(split="train")
    assert not any(record["seen_combination"] for record in tfds.as_numpy(records))

    again = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert again.returncode == 0, again.stderr
    assert "model: " not in again.stderr, "a second demo must keep what the first has finished"


def read_figures(path):
    """Values of a report by name."""
    return {n["name"]: n["value"] for n in json.loads(path.read_text())["numbers"]}
