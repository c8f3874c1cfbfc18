"""`audit`: what it writes, what it finds, what it refuses, and that its repair is ready to run."""

import json

import numpy as np
import pytest
import yaml
from bags import save
from inked import inked_arrays

from latentloom.pipeline.auditing.measures import label_suspects
from latentloom.pipeline.importing.import_dataset import import_dataset

LISTS = ("ties", "classes", "cells", "duplicates", "label_suspects", "properties")


@pytest.fixture(autouse=True)
def neighbours_alone(monkeypatch):
    """Doubts labels without a network, which takes seconds; `test_measures.py` trains it."""
    monkeypatch.setattr(label_suspects, "_by_network", label_suspects._by_neighbours)


@pytest.fixture
def audited(latentloom, tmp_path):
    """Imports arrays, audits them, and returns the audit with the run."""

    def run(arrays):
        np.savez(tmp_path / "data.npz", **arrays)
        data = import_dataset(f"npz:{tmp_path / 'data.npz'}", tmp_path / "data")
        return audit_of(latentloom, data.path, tmp_path / "audit")

    return run


def audit_of(latentloom, data, out, *options):
    ended = latentloom("audit", data, "--out", out, *options)
    assert ended.returncode == 0, ended.stderr
    return json.loads((out / "audit.json").read_text()), ended


def finding(found, key):
    return next(each for each in found["findings"] if each["key"].startswith(key))


def test_a_tie_is_told_first_with_its_repair(audited, tmp_path):
    found, ended = audited(inked_arrays(400))
    tie = next(tie for tie in found["ties"] if tie["factor"] == "ink")
    assert {"factor", "found", "strength", "p_value", "accuracy"} <= set(tie)
    assert tie["found"] is True
    assert all(isinstance(found[name], list) for name in LISTS)
    assert found["findings"][0]["key"] == "tie/ink"
    assert ended.stdout.startswith("Factor 'ink' gives the label away.")
    page = (tmp_path / "audit" / "audit.html").read_text()
    assert "latentloom train" in page
    assert page.index("Factor &#39;ink&#39; gives the label away") < page.index("How sure:")
    assert page.count("<img") >= 3
    assert sorted(path.name for path in (tmp_path / "audit").iterdir()) == [
        "audit.html",
        "audit.json",
        "repair.yaml",
    ]


def test_the_same_seed_gives_the_same_audit(latentloom, dataset, tmp_path):
    first, second = (audit_of(latentloom, dataset.path, tmp_path / name)[0] for name in "ab")
    assert {key: first[key] for key in LISTS} == {key: second[key] for key in LISTS}


@pytest.mark.slow
@pytest.mark.parametrize("tie", [0.9, 0.25])
def test_train_and_generate_run_with_the_repair(latentloom, audited, tmp_path, tie):
    audited(inked_arrays(400, tie))
    repair, data, bundle = (tmp_path / name for name in ("audit/repair.yaml", "data", "bundle"))
    quick = ["train.steps=20", "train.warmup_steps=2", "judge.steps=20"]
    sets = [word for setting in quick for word in ("--set", setting)]
    ended = latentloom("train", repair, "--data", data, "--out", bundle, *sets)
    assert ended.returncode == 0, ended.stderr
    off = ("--set", "generate.gate.enabled=false", "--set", "evaluate.accuracy_steps=0")
    few = ("--set", "generate.per_cell=3") if tie == 0.9 else ()
    made = latentloom(
        "generate",
        repair,
        "--data",
        data,
        "--model",
        bundle,
        "--out",
        tmp_path / "made",
        *off,
        *few,
    )
    assert made.returncode == 0, made.stderr


def test_an_earlier_audit_stays_unless_told_and_an_edited_file_in_any_case(
    latentloom, dataset, tmp_path
):
    out = tmp_path / "audit"
    audit_of(latentloom, dataset.path, out)
    again = latentloom("audit", dataset.path, "--out", out)
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
    audit_of(latentloom, dataset.path, out, "--overwrite", "--seed", 1)
    (out / "repair.yaml").write_text("train: {epochs: 3}\n")
    kept = latentloom("audit", dataset.path, "--out", out, "--overwrite")
    assert (kept.returncode, "repair.yaml" in kept.stderr) == (2, True)
    assert (out / "repair.yaml").read_text() == "train: {epochs: 3}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere", "--out", "@/out"], "There is no manifest"),
        (["@data", "--out", "@data/inside"], "lies in the input"),
        (["@data", "--out", "gs://bucket/audit"], "is a remote path"),
    ],
)
def test_what_cannot_be_audited_is_refused(latentloom, dataset, tmp_path, words, told):
    places = [word.replace("@data", dataset.path).replace("@", str(tmp_path)) for word in words]
    ended = latentloom("audit", *places)
    assert (ended.returncode, told in ended.stderr) == (2, True), ended.stderr
    assert not (tmp_path / "out").exists()


def test_one_class_is_told(audited):
    arrays = inked_arrays(60)
    found, _ = audited(arrays | {"label": np.full(60, "only")})
    assert found["findings"][0]["key"] == "classes/one"
    assert "refuses" in finding(found, "classes/one")["effect"]
    assert found["ties"] == []


def test_no_factor_is_fine(audited):
    arrays = inked_arrays(200, tie=0.25)
    del arrays["ink"]
    found, ended = audited(arrays)
    assert found["cells"] == []
    assert any("no factor besides the label" in note for note in found["notes"])
    assert not any(tie["found"] for tie in found["ties"])
    assert ended.returncode == 0


def test_the_label_under_another_name_is_told_and_what_to_collect(audited, tmp_path):
    found, _ = audited(inked_arrays(200, tie=1.0))
    tie = next(tie for tie in found["ties"] if tie["factor"] == "ink")
    assert (tie["complete"], tie["is_label"]) == (True, True)
    told = finding(found, "tie/ink")
    assert found["findings"][0] == told
    assert "No method can tell" in told["effect"]
    assert "Collect" in told["repair"]
    assert "'bar' with 'blue'" in told["repair"]
    tree = yaml.safe_load((tmp_path / "audit" / "repair.yaml").read_text())
    assert tree["model"]["name"] == "zszu_vae"


def test_a_class_with_one_example_is_named(audited, tmp_path):
    arrays = inked_arrays(101, tie=0.25)
    arrays["label"][100], arrays["split"][100] = "odd", "train"
    found, _ = audited(arrays)
    assert "'odd': 1 in train" in finding(found, "classes/few")["what"]
    assert "refuses 'odd'" in (tmp_path / "audit" / "repair.yaml").read_text()


def test_copies_of_training_images_in_the_test_split_are_told(audited):
    arrays = inked_arrays(100, tie=0.25)
    test = np.flatnonzero(arrays["split"] == "test")
    arrays["images"][test[0]] = arrays["images"][0]
    arrays["images"][test[1]] = 0
    found, _ = audited(arrays)
    assert "1 of 20 in test" in finding(found, "duplicates/exact/leak")["what"]
    assert len(found["constant"]["test"]) == 1
    assert found["duplicate_totals"]["exact"]["leaked"]["test"] == 1


@pytest.mark.parametrize("kind", ["moons", "words"])
def test_vectors_and_words_are_audited_without_pictures(latentloom, tmp_path, kind):
    source = save(tmp_path) if kind == "words" else "builtin:moons"
    data = import_dataset(source, tmp_path / "data")
    found, _ = audit_of(latentloom, data.path, tmp_path / "audit")
    assert found["properties"] == []
    assert any("no images" in note for note in found["notes"])
    assert not any(tie["kind"] == "property" for tie in found["ties"])


def test_damaged_data_are_refused_and_nothing_is_left(latentloom, dataset, tmp_path):
    shard = next(path for path in tmp_path.glob("pets/*train*"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)
    ended = latentloom("audit", dataset.path, "--out", tmp_path / "audit")
    assert (ended.returncode, "has a bad record" in ended.stderr) == (2, True), ended.stderr
    assert not (tmp_path / "audit").exists()
