"""What the command says of data sets of 10 to 40 images: what was measured, and on how many."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from bundles import CONFIGS

from latentloom.model_zoo.bundle import load_bundle
from latentloom.model_zoo.metrics.shares import wilson_interval
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import load_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.held_out_cells import unseen_halves
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.training.train import divide_examples, train_bundle

QUICK = [
    *("train.steps=4", "judge.steps=4", "judge.width=4", "data.limit=null"),
    *("evaluate.anchors=40", "evaluate.variants=2", "evaluate.accuracy_steps=4"),
    *("generate.gate.enabled=false",),
]
WORDS = [word for setting in QUICK for word in ("--set", setting)]
DIGITS = CONFIGS / "zszu_digits.yaml"
READERS = ("judge", "auditor", "judges")


def data_of(folder: Path, counts: Sequence[int], test: Sequence[int] = ()) -> Path:
    """A data set of 8 x 8 images with so many of each class, in `train` and in `test`."""
    labels = np.concatenate([np.repeat(np.arange(len(n)), n) for n in (counts, test) if len(n)])
    rng = np.random.default_rng(0)
    images = rng.integers(0, 90, (len(labels), 8, 8, 1), dtype=np.uint8)
    images[np.arange(len(labels)), labels % 8] += 150
    split = np.array(["train"] * sum(counts) + ["test"] * sum(test))
    names = np.array([f"c{label:02d}" for label in labels])
    np.savez(folder / "few.npz", images=images, label=names, split=split)
    import_dataset(f"npz:{folder / 'few.npz'}", folder / "data")
    return folder / "data"


def trained(latentloom: Callable, data: Path) -> tuple[str, dict[str, dict]]:
    """Trains through the command; returns what it printed and its figures by key."""
    out = data.parent / "bundle"
    run = latentloom("train", DIGITS, "--data", data, "--out", out, *WORDS)
    assert run.returncode == 0, run.stderr
    return run.stdout, figures_in(out)


def figures_in(bundle: Path) -> dict[str, dict]:
    details = json.loads((bundle / "bundle.json").read_text())["details"]
    return {figure["key"]: figure for figure in details["figures"]}


def numbers_in(path: Path) -> dict[str, dict]:
    return {number["key"]: number for number in json.loads(path.read_text())["numbers"]}


def text_of(page: Path) -> str:
    """The text of a page, one space between words."""
    return " ".join(
        re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.read_text(), flags=re.S).split()
    )


def accuracy(figures: dict[str, dict], who: str) -> dict:
    return figures[f"{who}/accuracy/label"]


def test_24_images_are_judged_by_the_half_that_each_judge_has_not_seen(latentloom, tmp_path):
    printed, figures = trained(latentloom, data_of(tmp_path, [12, 12]))
    assert [accuracy(figures, who)["n"] for who in READERS] == [12, 12, 24]
    for who in READERS:
        found = accuracy(figures, who)
        assert found["classes"] == 2
        assert found["value"] * found["n"] == pytest.approx(round(found["value"] * found["n"]))
        assert found["interval"] == pytest.approx(wilson_interval(found["value"], found["n"]))
        assert found["balanced"] is None  # the classes are equally large
    both = sum(accuracy(figures, who)["value"] for who in READERS[:2]) / 2
    assert accuracy(figures, "judges")["value"] == pytest.approx(both)
    model = accuracy(figures, "model")
    assert (model["value"], model["n"], model["classes"]) == (None, 2, 2)
    assert figures["probe/mlp/mean/zs"]["value"] is None
    assert printed.count("not measured") == 9  # the model and eight probes
    assert re.search(r"0\.\d\d to \d\.\d\d │ 0\.50 +│ 24 in 2 ", printed)


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> tuple[Path, Path]:
    """24 images of two classes, and a bundle trained on them."""
    folder = tmp_path_factory.mktemp("few")
    data = data_of(folder, [12, 12])
    train_bundle(load_config(DIGITS, QUICK), data, folder / "bundle")
    return data, folder / "bundle"


def test_a_judge_is_shown_only_what_it_was_not_trained_on(few):
    data, bundle = few
    config = load_config(bundle / "config.yaml")
    folds, hold_out = divide_examples(
        config, DatasetDir.open(data).read("train"), DatasetDir.open(data).manifest
    )
    halves = unseen_halves(folds, hold_out)
    codec, found = Codec(load_bundle(bundle)), figures_in(bundle)
    for judge, seen in (("judge", folds.judge), ("auditor", folds.auditor)):
        assert not set(halves[judge].ids) & set(seen.ids)
        read = codec.judge(halves[judge].observations, judge).argmax(axis=-1)
        share = np.mean(read == halves[judge].labels)
        assert accuracy(found, judge)["value"] == pytest.approx(share)


def test_generate_and_evaluate_tell_the_same_of_24_images(latentloom, tmp_path, few):
    data, bundle = few
    given = ["--data", data, "--model", bundle]
    made = latentloom("generate", bundle / "config.yaml", *given, "--out", tmp_path / "made")
    found = latentloom("evaluate", *given, "--out", tmp_path / "found")
    assert (made.returncode, found.returncode) == (0, 0), made.stderr + found.stderr
    report = numbers_in(tmp_path / "made" / "report.json")
    evaluation = numbers_in(tmp_path / "found" / "evaluation.json")
    for key, figure in figures_in(bundle).items():
        assert report[key] == figure
        if key in evaluation:
            assert evaluation[key] == figure
    kept = report["variants/kept/label/before"]
    assert (kept["n"], kept["anchors"], kept["classes"]) == (48, 24, 2)
    assert kept["interval"] == pytest.approx(wilson_interval(kept["value"], 24))
    assert evaluation["swap/own"]["value"] is evaluation["prior/refitted"]["value"] is None
    for page in (tmp_path / "made" / "report.html", tmp_path / "found" / "evaluation.html"):
        text = text_of(page)
        assert "held out from the training of the model (2, classes: 2)" in text
        assert "24 in 2 classes" in text
        assert "not measured" in text
    assert "48 first attempts of 24 anchors" in text_of(tmp_path / "made" / "report.html")
    assert "2 validation images of 2 classes" in text_of(tmp_path / "found" / "evaluation.html")
    assert "not measured" in made.stdout
    assert "not measured" in found.stdout


def test_10_images_are_measured_by_both_judges_together(latentloom, tmp_path):
    printed, figures = trained(latentloom, data_of(tmp_path, [5, 5]))
    assert [accuracy(figures, who)["n"] for who in READERS] == [4, 6, 10]
    assert accuracy(figures, "judge")["value"] is None
    assert accuracy(figures, "judge")["interval"] is None
    assert accuracy(figures, "judges")["value"] is not None
    assert "not measured" in printed


def test_4_images_are_trained_on_and_nothing_is_claimed(latentloom, tmp_path, caplog):
    _, figures = trained(latentloom, data_of(tmp_path, [2, 2]))
    assert [accuracy(figures, who)["value"] for who in READERS] == [None] * 3
    assert not [key for key, f in figures.items() if "accuracy" in key and f["value"] is not None]
    assert "(1, classes: 1), so its accuracies on real examples are not measured" in caplog.text


def test_ten_classes_of_four_images_have_each_a_validation_image(latentloom, tmp_path):
    data = data_of(tmp_path, [4] * 10)
    _, figures = trained(latentloom, data)
    model = accuracy(figures, "model")
    assert (model["n"], model["classes"]) == (10, 10)
    assert model["interval"] == pytest.approx(wilson_interval(model["value"], 10))
    assert figures["probe/mlp/mean/zs"]["n"] == 10
    found = latentloom(
        "evaluate", "--data", data, "--model", tmp_path / "bundle", "--out", tmp_path / "e"
    )
    assert found.returncode == 0, found.stderr


def test_unequal_classes_have_their_balanced_accuracy_beside(latentloom, tmp_path):
    data = data_of(tmp_path, [30, 7, 3])
    printed, figures = trained(latentloom, data)
    pooled = accuracy(figures, "judges")
    assert (pooled["n"], pooled["classes"]) == (40, 3)
    assert 0 <= pooled["balanced"] <= 1
    assert pooled["balanced"] != pooled["value"]
    assert "balanced" in printed
    assert accuracy(figures, "model")["n"] == 2  # of 30 and of 7; three images spare none
    given = ["--data", data, "--model", tmp_path / "bundle", "--out", tmp_path / "made"]
    made = latentloom("generate", tmp_path / "bundle" / "config.yaml", *given)
    assert made.returncode == 0, made.stderr
    page = (tmp_path / "made" / "report.html").read_text()
    assert '<th class="n">Balanced</th>' in page


@pytest.mark.parametrize(("test", "pooled"), [([4, 2], True), ([16, 14], False)])
def test_a_test_split_counts_where_it_is_large_enough(latentloom, tmp_path, test, pooled):
    _, figures = trained(latentloom, data_of(tmp_path, [12, 12], test))
    assert accuracy(figures, "model")["n"] == sum(test)
    assert accuracy(figures, "model")["balanced"] is not None
    assert ("judges/accuracy/label" in figures) == pooled
    assert accuracy(figures, "judge")["n"] == (12 if pooled else 30)
