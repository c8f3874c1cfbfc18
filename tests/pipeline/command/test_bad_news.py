"""`generate` says what went wrong and what to change: in its last lines and first on the page."""

from __future__ import annotations

import json
from pathlib import Path

from bundles import CONFIGS, digits_bundle, digits_data
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app

QUICK = (
    *("evaluate.anchors=40", "evaluate.variants=4", "evaluate.accuracy_steps=0"),
    "generate.variants_per_example=1",
)


def run(out: Path, *settings: str) -> Result:
    words = ["generate", CONFIGS / "zszu_digits.yaml", "--data", digits_data()]
    words += ["--model", digits_bundle(), "--out", out]
    words += [word for setting in (*QUICK, *settings) for word in ("--set", setting)]
    return CliRunner().invoke(app, [str(word) for word in words])


def test_few_variants_are_said_first_with_the_setting_to_change(tmp_path):
    done = run(tmp_path / "o", "generate.gate.min_confidence=0.98")
    assert done.exit_code == 0
    warnings = json.loads((tmp_path / "o" / "report.json").read_text())["warnings"]
    assert done.stdout.splitlines()[-1 - len(warnings) : -1] == warnings
    assert warnings[0].startswith("Few variants pass: ")
    assert warnings[-1].endswith("lower `generate.gate.min_confidence` (0.98).")
    page = (tmp_path / "o" / "report.html").read_text()
    lead = page.index('<p class="lead">Few variants pass: ')
    assert lead < page.index("variants were written") < page.index("of those that pass the gate")
    assert page.count('class="lead"') == 1


def test_a_run_without_bad_news_opens_as_before(tmp_path):
    done = run(tmp_path / "o", "generate.gate.min_confidence=0")
    assert json.loads((tmp_path / "o" / "report.json").read_text())["warnings"] == []
    assert done.stdout.splitlines()[-1].startswith("Data set in ")
    assert '<div class="warnings">' not in (tmp_path / "o" / "report.html").read_text()


def test_a_run_that_writes_nothing_says_what_to_change(tmp_path):
    done = run(tmp_path / "o", "generate.gate.min_confidence=1")
    assert isinstance(done.exception, RuntimeError)
    assert "No variant was written." in str(done.exception)
    assert "lower `generate.gate.min_confidence` (1)." in str(done.exception)
    assert not (tmp_path / "o" / "manifest.json").exists()


def test_without_a_gate_nothing_is_bad_news(tmp_path):
    run(tmp_path / "o", "generate.gate.enabled=false")
    assert json.loads((tmp_path / "o" / "report.json").read_text())["warnings"] == []
