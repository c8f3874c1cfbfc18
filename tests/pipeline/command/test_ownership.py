"""What a run may replace, and who may run: through every verb, in directories of other people."""

import fcntl
import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from bundles import CONFIGS, digits_bundle, digits_data, make

from latentloom.pipeline.importing import import_dataset as importing
from latentloom.pipeline.storage.locks import LOCK_FILE, locked

DIGITS, STUDY = CONFIGS / "zszu_digits.yaml", CONFIGS / "study_mnist.yaml"
VERBS = ("import", "train", "generate", "evaluate", "study")
OUR_NAMES = {
    "import": ("manifest.json", "features.json"),
    "train": ("bundle.json", "train_state/run.json"),
    "generate": ("manifest.json", ".job/job.json", "report.html"),
    "evaluate": ("evaluation.html", "evaluation.json"),
    "study": ("study_run.json", "study.html"),
}


def words(verb: str, out: Path) -> list[object]:
    data, model = ("--data", digits_data()), ("--model", digits_bundle())
    return {
        "import": ["import", "builtin:digits", out, "--max-examples", 300],
        "train": ["train", DIGITS, *data, "--out", out, "--set", "train.epochs=1"],
        "generate": ["generate", DIGITS, *data, *model, "--out", out],
        "evaluate": ["evaluate", *data, *model, "--out", out],
        "study": ["study", STUDY, *data, "--out", out, "--set", "study.sizes=[8]"],
    }[verb]


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize("content", ["{}", '{"name": "a web app", "version": "1.0"}', "<html>"])
@pytest.mark.parametrize("verb", VERBS)
def test_files_with_our_names_do_not_make_a_directory_ours(latentloom, tmp_path, verb, content):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.js").write_text("years of work")
    for name in OUR_NAMES[verb]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    before = contents(tmp_path)
    run = latentloom(*words(verb, tmp_path), "--overwrite")
    assert run.returncode == 2
    assert "holds files that latentloom did not write" in run.stderr
    assert contents(tmp_path) == before


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> dict[str, Path]:
    """An output of each verb that is quick to make."""
    folder = tmp_path_factory.mktemp("outputs")
    make(folder / "generate")
    importing.import_dataset("builtin:digits", folder / "import", max_examples=300)
    return {
        "import": folder / "import",
        "generate": folder / "generate",
        "train": digits_bundle(),
    }


@pytest.mark.parametrize(
    "stranger", ["thesis.tex", "src/app.js", "more-train.tfrecord-00000-of-00001"]
)
@pytest.mark.parametrize("verb", ["import", "generate", "train"])
def test_overwrite_names_the_first_stranger_and_touches_nothing(
    latentloom, tmp_path, outputs, verb, stranger
):
    out = tmp_path / "out"
    shutil.copytree(outputs[verb], out)
    (out / stranger).parent.mkdir(exist_ok=True)
    (out / stranger).write_text("years of work")
    before = contents(out)
    run = latentloom(*words(verb, out), "--overwrite")
    assert run.returncode == 2
    assert stranger in run.stderr
    assert "so everything there stays" in run.stderr
    assert contents(out) == before


@pytest.mark.parametrize(
    ("verb", "other"), [("evaluate", "train"), ("train", "import"), ("import", "train")]
)
def test_the_output_of_another_verb_is_not_overwritten(latentloom, tmp_path, outputs, verb, other):
    out = tmp_path / "out"
    shutil.copytree(outputs[other], out)
    before = contents(out)
    run = latentloom(*words(verb, out), "--overwrite")
    assert run.returncode == 2
    assert "holds files that latentloom did not write" in run.stderr
    assert contents(out) == before


def test_overwrite_replaces_an_import_and_leaves_nothing_of_it(latentloom, tmp_path, outputs):
    out = tmp_path / "out"
    shutil.copytree(outputs["import"], out)
    run = latentloom(*words("import", out), "--overwrite", "--shards", "2", "--name", "numbers")
    assert run.returncode == 0, run.stderr
    shards = {name for name in contents(out) if ".tfrecord-" in name}
    assert len(shards) == 4
    assert all(name.startswith("numbers-") for name in shards)


@pytest.mark.parametrize("options", [[], ["--overwrite"]])
@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_runs_beside_another_run(latentloom, tmp_path, verb, options):
    out = tmp_path / "out"
    out.mkdir()
    with open(out / LOCK_FILE, "w") as live:
        live.write(json.dumps({"latentloom writes": "something"}))
        live.flush()
        fcntl.flock(live, fcntl.LOCK_EX)
        run = latentloom(*words(verb, out), *options)
    assert run.returncode == 2
    assert "Another run is writing to" in run.stderr
    assert os.listdir(out) == [LOCK_FILE]


@pytest.mark.parametrize("options", [["--resume"], ["--overwrite"]])
def test_train_does_not_run_beside_a_live_training(latentloom, tmp_path, options):
    out, live, end = tmp_path / "out", threading.Event(), threading.Event()

    def hold() -> None:
        with locked(str(out), "bundle"):
            (out / "train_state").mkdir()
            (out / "train_state" / "run.json").write_text('{"config": {}}')
            live.set()
            end.wait(60)

    out.mkdir()
    holder = threading.Thread(target=hold)
    holder.start()
    live.wait(60)
    try:
        run = latentloom(*words("train", out), *options)
    finally:
        end.set()
        holder.join()
    assert run.returncode == 2
    assert "Another run is writing to" in run.stderr
    assert (out / "train_state" / "run.json").exists()


def test_of_two_imports_into_one_directory_the_second_is_refused(latentloom, tmp_path, monkeypatch):
    out = tmp_path / "out"
    refused = []
    write = importing.write_split

    def write_while_another_starts(*args):
        with pytest.raises(FileExistsError, match="Another run is writing"):
            importing.import_dataset("builtin:moons", out)
        refused.append(True)
        return write(*args)

    monkeypatch.setattr(importing, "write_split", write_while_another_starts)
    run = latentloom(*words("import", out))
    assert run.returncode == 0, run.stderr
    assert refused
    assert json.loads((out / "manifest.json").read_text())["name"] == "digits"


@pytest.mark.parametrize("name", ["thesis.tex", "manifest.json"])
def test_a_file_put_there_during_an_import_stays(latentloom, tmp_path, monkeypatch, name):
    out = tmp_path / "out"
    write = importing.write_split

    def write_while_somebody_else_does(*args):
        (out / name).write_text("years of work")
        return write(*args)

    monkeypatch.setattr(importing, "write_split", write_while_somebody_else_does)
    run = latentloom(*words("import", out))
    assert run.returncode == 2
    assert f"{name}' appeared during the run" in run.stderr
    assert contents(out) == {name: b"years of work"}
    assert os.listdir(tmp_path) == ["out"]
