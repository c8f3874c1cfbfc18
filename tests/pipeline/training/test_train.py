"""Training from a data set directory: folds, resumption, and what a bundle says of itself."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from bundles import CONFIGS, digits_bundle, digits_config, digits_data

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.training.resuming import STATE_FOLDER
from latentloom.pipeline.training.train import train_bundle


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    """Every array of the model's weights, the optimizer's state left out."""
    arrays = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            arrays[name] = item[()]

    with h5py.File(folder / "model.weights.h5") as file:
        file.visititems(keep)
    return arrays


def test_a_fresh_process_loads_the_bundle_without_the_sources_beside_it(tmp_path):
    program = (
        "import sys; from pathlib import Path; from latentloom.model_zoo.bundle import load_bundle;"
        "bundle = load_bundle(Path(sys.argv[1])); print(bundle.digest, bundle.class_names)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(digits_bundle())],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "['0', '1', '2'," in run.stdout


def test_a_bundle_has_figures_curves_history_and_no_checkpoints():
    assert (digits_bundle() / "curves.png").read_bytes().startswith(b"\x89PNG")
    rows = (digits_bundle() / "history.csv").read_text().splitlines()
    assert len(rows) == 1 + 50
    assert "val_negative_elbo" in rows[0]
    assert not (digits_bundle() / STATE_FOLDER).exists()
    assert (digits_bundle() / "config.yaml").exists()


def test_judges_that_learnt_nothing_are_told_of_after_training_and_in_the_evaluation(
    tmp_path, caplog
):
    bundle = tmp_path / "bundle"
    train_bundle(digits_config("judge.epochs=1", "train.epochs=1"), digits_data(), bundle)
    told = [record.getMessage() for record in caplog.records if "judge.epochs" in record.message]
    assert [sentence.split(" classifies")[0] for sentence in told] == ["The judge", "The auditor"]
    report = evaluate(digits_data(), bundle, tmp_path / "evaluation")
    assert "The auditor classifies the class correctly in" in report.summary[-1]


def test_killed_training_goes_on_and_ends_with_the_same_weights(tmp_path):
    settings = ["train.epochs=30", "judge.epochs=1"]
    smoke = ["data.limit=300", "evaluate.anchors=40", "evaluate.variants=4"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train_bundle(digits_config(*settings), digits_data(), whole)
    line = [
        *(sys.executable, "-m", "latentloom.pipeline.command", "train"),
        str(CONFIGS / "zszu_digits.yaml"),
        *("--data", str(digits_data()), "--out", str(broken)),
        *(word for setting in settings + smoke for word in ("--set", setting)),
    ]
    run = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(broken.glob(f"{STATE_FOLDER}/0000[3-9]-last*")):
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    with pytest.raises(FileExistsError, match="Pass --resume to continue"):
        train_bundle(digits_config(*settings), digits_data(), broken)
    with pytest.raises(ValueError, match="belongs to another run"):
        train_bundle(digits_config("train.seed=9"), digits_data(), broken, resume=True)
    train_bundle(digits_config(*settings), digits_data(), broken, resume=True)
    assert (broken / "history.csv").read_text() == (whole / "history.csv").read_text()
    expected, found = weights_of(whole), weights_of(broken)
    assert list(expected) == list(found)
    for name, array in expected.items():
        np.testing.assert_array_equal(array, found[name], err_msg=name)


def test_a_finished_bundle_is_not_replaced_unless_told():
    before = (digits_bundle() / "bundle.json").read_bytes()
    with pytest.raises(FileExistsError, match="pass --overwrite"):
        train_bundle(digits_config(), digits_data(), digits_bundle())
    assert (digits_bundle() / "bundle.json").read_bytes() == before


def test_the_data_are_never_overwritten(tmp_path):
    data = tmp_path / "runs" / "data"
    shutil.copytree(digits_data(), data)
    (tmp_path / "runs" / "report.html").touch()  # a file of ours: --overwrite would empty it
    for out in (data, data.parent):
        with pytest.raises(ValueError, match="holds the input.*Choose another output directory"):
            train_bundle(digits_config(), data, out, overwrite=True)
    assert sorted(f.name for f in data.iterdir()) == sorted(f.name for f in digits_data().iterdir())


def test_resuming_a_finished_run_changes_nothing():
    before = (digits_bundle() / "bundle.json").read_bytes()
    config = digits_config("train.epochs=50", "judge.epochs=150")
    bundle = train_bundle(config, digits_data(), digits_bundle(), resume=True)
    assert (digits_bundle() / "bundle.json").read_bytes() == before
    assert bundle.digest in before.decode()


def test_resuming_a_finished_run_with_other_settings_is_refused():
    with pytest.raises(ValueError, match="belongs to another run"):
        train_bundle(digits_config("train.epochs=7"), digits_data(), digits_bundle(), resume=True)


def test_resuming_in_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="not empty"):
        train_bundle(digits_config(), digits_data(), tmp_path, resume=True)


def test_the_figures_are_of_the_test_split():
    from latentloom.model_zoo.bundle import read_description

    figures = {f["name"]: f for f in read_description(digits_bundle())["details"]["figures"]}
    assert "test images" in figures["Accuracy of the judge"]["meaning"]
    assert figures["Class read from the code by the model"]["value"] > 0.8
    assert DatasetDir.open(digits_data()).manifest.num_examples("test") > 50
