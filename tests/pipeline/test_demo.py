"""The demo, as a newcomer runs it."""

import json
import re
import subprocess
import sys

from bundles import CONFIGS

from pipeline.config import load_config
from pipeline.dataset_dir import DatasetDir
from pipeline.demo import demo_config
from pipeline.verification import verify


def test_the_demo_is_the_digits_configuration():
    file = load_config(CONFIGS / "zszu_digits.yaml")
    assert demo_config().model_dump() == file.model_dump()


def test_the_demo_makes_a_verified_data_set_and_a_report(tmp_path):
    out = tmp_path / "demo"
    line = [sys.executable, "-m", "pipeline.command", "demo", "--out", str(out)]
    run = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert run.returncode == 0, run.stderr
    assert "Class kept, after the gate" in run.stdout
    for stage in ("import", "model", "judge", "auditor", "generate", "verify", "report"):
        assert f"{stage}: " in run.stderr
    assert verify(out / "variants").ok
    totals = DatasetDir.open(out / "variants").manifest.totals
    assert totals["requested"] == totals["written"] + totals["rejected"] + totals["dead"]
    report = json.loads((out / "variants/report.json").read_text())
    figures = {number["name"]: number["value"] for number in report["numbers"]}
    assert figures["Class kept, before the gate"] > 0.9
    assert figures["Class kept, after the gate"] > 0.97
    assert figures["Linear probe: class from sampled zu"] < 0.25
    assert figures["Diversity"] > 0.5
    page = (out / "variants/report.html").read_text()
    assert len(re.findall(r'src="data:image/png;base64,', page)) >= 3
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)

    again = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert again.returncode == 0, again.stderr
    assert "model: " not in again.stderr, "a second demo must keep what the first has finished"
