"""The report that `generate` writes: what the variants teach, and the same bytes in every run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bundles import CONFIGS, digits_bundle, digits_data
from letters import letters_bundle, letters_config, letters_data
from typer.testing import CliRunner

from latentloom.pipeline.command import app
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate

SCORE = [f"variants/accuracy_score/{name}" for name in ("made", "real", "ratio")]


def run(out: Path, *settings: str) -> str:
    """Runs the command on a small sample; returns what it says on standard error."""
    quick = ("evaluate.anchors=40", "evaluate.variants=2", "generate.gate.min_confidence=0.3")
    words = ["generate", CONFIGS / "zszu_digits.yaml", "--data", digits_data()]
    words += ["--model", digits_bundle(), "--out", out]
    words += [word for setting in (*quick, *settings) for word in ("--set", setting)]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.exception
    return done.stderr


def read(out: Path) -> dict:
    return json.loads((out / "report.json").read_text())


def keys(report: dict) -> list[str]:
    return [number["key"] for number in report["numbers"] if "accuracy_score" in number["key"]]


def test_the_page_says_what_the_variants_teach_and_a_second_run_writes_the_same(tmp_path):
    told = run(tmp_path / "o", "evaluate.accuracy_steps=8")
    assert "accuracy score: 16/16" in told
    report = read(tmp_path / "o")
    assert keys(report) == SCORE
    assert any(line.startswith("A classifier trained on ") for line in report["summary"])
    assert any(line.startswith("Precision of accepted variants ") for line in report["summary"])
    assert report["tables"][0]["title"] == "What variants teach a classifier"
    assert next(iter(report["captions"])) == "class_by_class"
    files = {name: (tmp_path / "o" / name).read_bytes() for name in ("report.html", "report.json")}
    assert b"What variants teach a classifier" in files["report.html"]
    run(tmp_path / "o", "evaluate.accuracy_steps=8")
    assert {name: (tmp_path / "o" / name).read_bytes() for name in files} == files


def test_without_steps_nothing_is_trained(tmp_path):
    told = run(tmp_path / "o", "evaluate.accuracy_steps=0")
    assert "accuracy score" not in told
    assert keys(read(tmp_path / "o")) == []


@pytest.mark.parametrize("recipe", ["class_preserving", "recombine_factors"])
def test_without_a_test_split_the_page_says_so(tmp_path, recipe):
    config = letters_config(f"generate.recipe={recipe}")
    generate(config, letters_data(), letters_bundle(), tmp_path / "o")
    report = report_on(config, letters_data(), letters_bundle(), tmp_path / "o")
    told = "\n".join(report.summary)
    assert "not measured: there is no test split" in told
    assert "anchors and 0 real test images: at least 10 anchors and real ones are needed" in told
    unmeasured = [number.key for number in report.numbers if number.value is None]
    assert {"variants/precision", "variants/recall"} <= set(unmeasured)
    assert "class_by_class" in report.captions
