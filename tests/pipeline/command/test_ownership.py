"""What a run may replace, and who may run: through every verb, in directories of other people."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from bundles import CONFIGS, digits_bundle, digits_data, make

from latentloom.pipeline.dataset.own_files import ANNOUNCED
from latentloom.pipeline.evaluation import variants_report
from latentloom.pipeline.generation import generate as generating
from latentloom.pipeline.importing import import_dataset as importing
from latentloom.pipeline.report.page import write_report
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.storage.locks import LOCK_FILE, locked
from latentloom.pipeline.training import train as training
from latentloom.pipeline.verification.verify import verify
from latentloom.pipeline.verification.verify_bundle import verify_bundle

DIGITS, STUDY = CONFIGS / "zszu_digits.yaml", CONFIGS / "study_mnist.yaml"
VERBS = ("import", "audit", "train", "generate", "evaluate", "study")
OUR_NAMES = {
    "import": ("manifest.json", "features.json"),
    "audit": ("audit.html", "audit.json", "repair.yaml"),
    "train": ("bundle.json", "train_state/run.json"),
    "generate": ("manifest.json", ".job/job.json", "report.html"),
    "evaluate": ("evaluation.html", "evaluation.json"),
    "study": ("study_run.json", "study.html"),
}


def words(verb: str, out: Path) -> list[object]:
    if verb == "import":
        return ["import", "builtin:digits", out, "--max-examples", 300]
    if verb == "audit":
        return ["audit", digits_data(), "--out", out]
    data, model = ("--data", digits_data()), ("--model", digits_bundle())
    quick = ("--set", "evaluate.accuracy_steps=0")
    return {
        "train": ["train", DIGITS, *data, "--out", out, "--set", "train.epochs=1"],
        "generate": ["generate", DIGITS, *data, *model, "--out", out, *quick],
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


def list_in_manifest(out: Path, name: str) -> None:
    """Lets the manifest of a data set name a file, as an edited one could."""
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["files"][name] = {"num_bytes": 13, "sha256": "0" * 64}
    (out / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["*", "?hesis.tex", "[t]hesis.tex", "thesis.tex"])
def test_a_manifest_that_lists_a_file_does_not_make_it_ours(latentloom, tmp_path, outputs, name):
    out = tmp_path / "out"
    shutil.copytree(outputs["import"], out)
    (out / "thesis.tex").write_text("years of work")
    list_in_manifest(out, name)
    run = latentloom(*words("import", out), "--overwrite")
    assert run.returncode == 2
    assert "thesis.tex" in run.stderr
    assert (out / "thesis.tex").read_text() == "years of work"


def test_a_card_that_a_person_has_rewritten_is_theirs(latentloom, tmp_path, outputs):
    out = tmp_path / "out"
    shutil.copytree(outputs["generate"], out)
    (out / "README.md").write_text("years of work")
    run = latentloom(*words("generate", out), "--overwrite")
    assert run.returncode == 2
    assert "README.md' is no file of the data set" in run.stderr
    assert (out / "README.md").read_text() == "years of work"


@pytest.mark.parametrize(
    ("verb", "marker", "content", "stranger"),
    [
        ("generate", ".job/job.json", {"digest": "1", "data": "my own job"}, "README.md"),
        ("study", "study_run.json", {"digest": "of my own study"}, "results/my_thesis.json"),
        (
            "train",
            "bundle.json",
            {"schema_version": 2, "model": "mine", "files": [], "digest": "0" * 64},
            "config.yaml",
        ),
    ],
)
def test_a_marker_with_values_of_others_is_not_ours(
    latentloom, tmp_path, verb, marker, content, stranger
):
    for name, text in ((marker, json.dumps(content)), (stranger, "years of work")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = contents(tmp_path)
    run = latentloom(*words(verb, tmp_path), "--overwrite")
    assert run.returncode == 2
    assert contents(tmp_path) == before


def test_a_card_beside_the_lock_of_a_killed_import_stays(latentloom, tmp_path):
    (tmp_path / LOCK_FILE).write_text(json.dumps({"latentloom writes": "data set"}))
    (tmp_path / "README.md").write_text("years of work")
    run = latentloom(*words("import", tmp_path))
    assert run.returncode == 2
    assert (tmp_path / "README.md").read_text() == "years of work"


@pytest.mark.parametrize("verb", VERBS)
def test_an_empty_word_is_no_directory(latentloom, monkeypatch, tmp_path, verb):
    monkeypatch.chdir(tmp_path)
    run = latentloom(*("" if word == tmp_path else word for word in words(verb, tmp_path)))
    assert run.returncode == 2
    assert "A path is empty" in run.stderr
    assert not list(tmp_path.iterdir())


def test_no_other_run_starts_between_the_shards_and_the_report(latentloom, tmp_path, monkeypatch):
    out, said = tmp_path / "out", []
    render = variants_report.render_report

    def render_while_another_run_tries(*args):
        line = [
            sys.executable,
            "-m",
            "latentloom.pipeline.command",
            *map(str, words("import", out)),
        ]
        other = subprocess.run([*line, "--overwrite"], capture_output=True, text=True, check=False)
        said.append((other.returncode, other.stderr))
        return render(*args)

    monkeypatch.setattr(variants_report, "render_report", render_while_another_run_tries)
    run = latentloom(*words("generate", out))
    assert run.returncode == 0, run.stderr
    assert [code for code, _ in said] == [2]
    assert "Another run is writing to" in said[0][1]
    assert verify(out).ok


@pytest.mark.parametrize("name", ["README.md", "config.yaml", "report.html", "features.json"])
def test_a_file_that_somebody_puts_there_during_a_generation_stays(
    latentloom, tmp_path, monkeypatch, name
):
    out, finish = tmp_path / "out", generating.complete

    def complete_while_somebody_writes(*args):
        (out / name).write_text("years of work")
        return finish(*args)

    with monkeypatch.context() as during:
        during.setattr(generating, "complete", complete_while_somebody_writes)
        run = latentloom(*words("generate", out))
    assert run.returncode == 2
    assert name in run.stderr
    assert "Move it away and run the same command again" in run.stderr
    assert (out / name).read_text() == "years of work"
    (out / name).unlink()
    run = latentloom(*words("generate", out))
    assert run.returncode == 0, run.stderr
    assert verify(out).ok


@pytest.mark.parametrize("lost", [None, "report.html", "manifest.json"])
def test_a_finished_command_that_runs_again_leaves_the_same_bytes(latentloom, tmp_path, lost):
    out = tmp_path / "out"
    assert latentloom(*words("generate", out)).returncode == 0
    before = contents(out)
    if lost:
        (out / lost).unlink()
    run = latentloom(*words("generate", out))
    assert run.returncode == 0, run.stderr
    assert contents(out) == before


def test_an_edited_card_stays_when_the_finished_command_runs_again(latentloom, tmp_path, outputs):
    out = tmp_path / "out"
    shutil.copytree(outputs["generate"], out)
    (out / "README.md").write_text("years of work")
    before = contents(out)
    run = latentloom(*words("generate", out))
    assert run.returncode == 2
    assert "README.md" in run.stderr
    assert contents(out) == before


@pytest.mark.parametrize("stage", ["announced", "written"])
def test_what_a_run_wrote_that_died_before_its_manifest_is_known_as_ours(
    latentloom, tmp_path, outputs, stage
):
    out = tmp_path / "out"
    shutil.copytree(outputs["generate"], out)
    files = json.loads((out / "manifest.json").read_text())["files"]
    (out / ANNOUNCED).write_text(json.dumps({"files": files}))
    (out / "manifest.json").unlink()
    if stage == "announced":
        (out / "README.md").unlink()
    (out / LOCK_FILE).write_text(json.dumps({"latentloom writes": "data set"}))
    run = latentloom(*words("generate", out), "--overwrite")
    assert run.returncode == 0, run.stderr
    assert verify(out).ok
    assert not (out / ANNOUNCED).exists()


def test_overwrite_keeps_a_card_that_somebody_put_beside_unfinished_shards(
    latentloom, tmp_path, outputs
):
    out = tmp_path / "out"
    shutil.copytree(outputs["generate"], out)
    for name in ("manifest.json", "config.yaml", "coverage.json", "dead_letters.jsonl"):
        (out / name).unlink(missing_ok=True)
    (out / "README.md").write_text("years of work")
    before = contents(out)
    run = latentloom(*words("generate", out), "--overwrite")
    assert run.returncode == 2
    assert "README.md" in run.stderr
    assert contents(out) == before


@pytest.mark.parametrize("name", ["evaluation.html", "evaluation.json"])
def test_overwrite_keeps_a_page_that_is_not_the_one_of_the_report(latentloom, tmp_path, name):
    write_report(tmp_path, Report(title="A bundle", summary=["Measured."]), {}, "evaluation")
    (tmp_path / name).write_text("years of work")
    before = contents(tmp_path)
    run = latentloom(*words("evaluate", tmp_path), "--overwrite")
    assert run.returncode == 2
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["config.yaml", "history.csv", "curves.png"])
def test_a_file_that_somebody_puts_there_during_a_training_stays(
    latentloom, tmp_path, monkeypatch, name
):
    out, write = tmp_path / "out", training.write_beside
    train = [*words("train", out), "--set", "judge.epochs=1", "--set", "evaluate.anchors=20"]

    def write_after_somebody_else(*args):
        (out / name).write_text("years of work")
        return write(*args)

    with monkeypatch.context() as during:
        during.setattr(training, "write_beside", write_after_somebody_else)
        run = latentloom(*train)
    assert run.returncode == 2
    assert name in run.stderr
    assert "with --resume" in run.stderr
    for again in ("--resume", "--overwrite"):
        assert latentloom(*train, again).returncode == 2
        assert (out / name).read_text() == "years of work"
    (out / name).unlink()
    assert latentloom(*train, "--resume").returncode == 0
    assert verify_bundle(out).ok


@pytest.mark.parametrize("name", ["config.yaml", "history.csv", "curves.png"])
def test_overwrite_keeps_a_file_of_a_bundle_that_somebody_has_edited(
    latentloom, tmp_path, outputs, name
):
    out = tmp_path / "out"
    shutil.copytree(outputs["train"], out)
    (out / name).write_text("years of work")
    before = contents(out)
    run = latentloom(*words("train", out), "--overwrite")
    assert run.returncode == 2
    assert name in run.stderr
    assert contents(out) == before


def test_a_finished_training_that_was_killed_at_its_end_is_tidied(latentloom, tmp_path):
    out = tmp_path / "out"
    train = [*words("train", out), "--set", "judge.epochs=1", "--set", "evaluate.anchors=20"]
    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(training, "remove_files", lambda *_: None)
        assert latentloom(*train).returncode == 0
    assert (out / "train_state").exists()
    assert latentloom(*train, "--resume").returncode == 0
    assert not (out / "train_state").exists()
