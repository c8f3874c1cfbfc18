"""`verify DIR` verifies the directory: each file, each record and what they say of each other."""

import json
import shutil
from pathlib import Path
from typing import Any

import bags
import letters
import numpy as np
import pytest
from letters import letters_bundle, letters_config, letters_data
from made_once import made_once
from rewriting import as_older_version, edit_json, edit_listed, edit_records
from typer.testing import CliRunner

from latentloom.augment import derive, identity_keys
from latentloom.pipeline.command import app
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.dataset.writing import write_manifest
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.terminal.exit_codes import USERS_MISTAKE, exit_code
from latentloom.pipeline.verification.verify import verify

SIDE_FILES = (
    *("README.md", "config.yaml", "coverage.json", "dead_letters.jsonl", "report.html"),
    *("report.json", "label.labels.txt", "dataset_info.json", "features.json"),
)


@made_once
def recombined_letters(folder: Path) -> None:
    """Recombinations of letters with their report."""
    letters.make(folder)
    report_on(letters_config(), letters_data(), letters_bundle(), folder)


@pytest.fixture
def made(tmp_path) -> Path:
    """A generated data set with donors, coverage, three judged factors and a report."""
    return Path(shutil.copytree(recombined_letters(), tmp_path / "made"))


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def problems(path: Path, *words: Any) -> list[str]:
    """What the command says of a damaged directory, line by line."""
    before = {file: file.read_bytes() for file in path.iterdir() if file.is_file()}
    result = run("verify", path, *words)
    assert result.exit_code == 1, result.output
    assert not result.stdout
    assert {file: file.read_bytes() for file in path.iterdir() if file.is_file()} == before
    return result.stderr.splitlines()


def test_a_whole_directory_is_whole(made):
    result = run("verify", made, "--data", letters_data())
    assert result.exit_code == 0, result.stderr
    assert "is whole" in result.stdout
    assert not result.stderr


def test_the_manifest_lists_every_file(made):
    listed = Manifest.read(made / "manifest.json")
    names = {*listed.files, *(shard.file for shard in listed.shards), "manifest.json", ".job"}
    assert names == {file.name for file in made.iterdir()}
    assert set(SIDE_FILES) < set(listed.files)


@pytest.mark.parametrize("file", SIDE_FILES)
def test_a_missing_file_is_named_once(made, file):
    (made / file).unlink()
    assert problems(made) == [f"{file} is missing"]


@pytest.mark.parametrize("file", SIDE_FILES)
def test_a_changed_file_is_named(made, file):
    data = (made / file).read_bytes()
    (made / file).write_bytes(data + b"\n")
    assert problems(made)[0] == f"{file} has {len(data) + 1} bytes instead of {len(data)}"
    (made / file).write_bytes(data[:-1] + b"!" if data else b"")
    if data:
        assert problems(made)[0] == f"{file} has another SHA-256 than recorded"


@pytest.mark.parametrize("listed", [True, False])
def test_an_empty_features_file_is_found_even_where_it_is_not_listed(made, listed):
    if not listed:
        as_older_version(made)
    (made / "features.json").write_text("")
    assert problems(made)[-1].startswith("features.json cannot be read")


def point_elsewhere(info: dict[str, Any]) -> None:
    info["splits"][0]["filepathTemplate"] = "/etc/{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


def shorten(info: dict[str, Any]) -> None:
    info["splits"][0]["shardLengths"][0] += "0"


def recode(features: dict[str, Any]) -> None:
    features["featuresDict"]["features"]["label"]["classLabel"]["numClasses"] = "2"


def forget(features: dict[str, Any]) -> None:
    del features["featuresDict"]["features"]["anchor_id"]


@pytest.mark.parametrize("version", ["same", "older", "unlisted"])
@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        ("dataset_info.json", point_elsewhere, "filepath template of splits/0"),
        ("dataset_info.json", shorten, "shard lengths of splits/0"),
        ("features.json", recode, "num classes of featuresDict/features/label/classLabel"),
        ("features.json", forget, "anchor_id of featuresDict/features"),
    ],
)
def test_metadata_that_contradict_the_manifest_are_found(made, file, change, named, version):
    document = json.loads((made / file).read_text())
    change(document)
    edit_listed(made, file, json.dumps(document).encode())
    if version == "unlisted":
        as_older_version(made)
    if version == "older":
        tfds = "tensorflow-datasets"
        edit_json(made / "manifest.json", lambda m: m["versions"].update({tfds: "4.0.0"}))
    assert f"{file} differs from the manifest in {named}" in problems(made)


def test_metadata_of_another_tfds_may_have_other_keys(made):
    def change(features: dict[str, Any]) -> None:
        features["writtenBy"] = "another version"
        del features["pythonClassName"]

    document = json.loads((made / "features.json").read_text())
    change(document)
    edit_listed(made, "features.json", json.dumps(document).encode())
    assert "features.json differs from the manifest in" in problems(made)[0]
    edit_json(made / "manifest.json", lambda m: m["versions"].pop("tensorflow-datasets"))
    assert verify(made).ok


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (("written", "requested"), "written examples, its shards have"),
        (("rejected", "requested"), "report.json states other totals"),
        (("dead", "requested"), "dead variants, but no unreadable record"),
    ],
)
def test_raised_totals_are_found(made, raised, reason):
    def change(manifest: dict[str, Any]) -> None:
        for name in raised:
            manifest["totals"][name] += 3

    edit_json(made / "manifest.json", change)
    assert any(reason in line for line in problems(made))


@pytest.mark.parametrize("raised", ["rejected", "dead"])
def test_raised_totals_of_an_import_are_found(dataset, raised):
    def change(manifest: dict[str, Any]) -> None:
        manifest["totals"][raised] += 3
        manifest["totals"]["requested"] += 3

    edit_json(Path(dataset.path) / "manifest.json", change)
    (line,) = problems(Path(dataset.path))
    assert line.startswith(f"manifest.json states 3 {raised} examples")


def test_rejected_variants_are_bounded_by_the_rejections(made):
    def change(manifest: dict[str, Any]) -> None:
        manifest["totals"]["rejected"] += 3
        manifest["totals"]["requested"] += 3
        manifest["files"].pop("report.json")
        manifest["files"].pop("report.html")

    edit_json(made / "manifest.json", change)
    (made / "report.json").unlink()
    (made / "report.html").unlink()
    (line,) = problems(made)
    assert "rejected variants, which" in line


@pytest.mark.parametrize(
    ("file", "data", "reason"),
    [
        ("dead_letters.jsonl", b'{"shard": "a", "record": 1, "reason": "b"}\n', "lists 1 unread"),
        ("dead_letters.jsonl", b"[1]\n", "cannot be read: line 1 is no dead letter"),
        ("config.yaml", b"generate: {seed: 7}\n", "holds another configuration"),
        ("config.yaml", b"{", "cannot be read"),
        ("coverage.json", b"{}", "cannot be read"),
        ("report.json", b"[" * 100_000, "cannot be read"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_a_file_that_contradicts_the_manifest_is_found(made, file, data, reason, listed):
    edit_listed(made, file, data)
    if not listed:
        as_older_version(made)
    (line,) = problems(made)
    assert line.startswith(f"{file} {reason}")


def test_coverage_must_count_the_records(made):
    document = json.loads((made / "coverage.json").read_text())
    document["after"]["counts"][0][1] += 1
    edit_listed(made, "coverage.json", json.dumps(document).encode())
    assert problems(made) == ["coverage.json counts other cells than the records have"]


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"totals": {"requested": 1}}'])
def test_a_manifest_that_is_none_is_damage(made, text):
    (made / "manifest.json").write_text(text)
    assert problems(made)[0].startswith("manifest.json cannot be read")


@pytest.mark.parametrize("kind", ["vectors", "words"])
def test_other_observations_are_whole(tmp_path, kind):
    source = "builtin:moons" if kind == "vectors" else bags.save(tmp_path)
    import_dataset(source, tmp_path / "data", max_examples=100)
    assert run("verify", tmp_path / "data").exit_code == 0


def test_strangers_are_named_and_hidden_names_are_left_to_runs(made):
    (made / ".import").mkdir()
    (made / ".lock").touch()
    assert verify(made).ok
    (made / "thesis").mkdir()
    (made / "notes.txt").write_text("mine")
    assert problems(made) == [
        "notes.txt is not in the manifest",
        "thesis is not in the manifest",
    ]


def test_a_data_set_of_an_older_version_is_whole(made, dataset):
    for path in (made, Path(dataset.path)):
        as_older_version(path)
        assert verify(path).problems == ()
    (made / "config.yaml").unlink()
    assert problems(made) == ["config.yaml is missing"]


def test_one_record_twice_is_named(dataset):
    path = Path(dataset.path)
    shard = edit_records(path, lambda examples: overwrite(examples[1:], examples[0]))
    (line,) = problems(path)
    assert line.startswith(f"{shard} record ")
    assert f"of record 0 of '{shard}'" in line


def test_one_record_in_two_splits_is_named(dataset):
    path = Path(dataset.path)
    taken: list[Any] = []
    edit_records(path, lambda examples: taken.extend(examples[:1]), "test")
    shard = edit_records(path, lambda examples: overwrite(examples, taken[0]), "train")
    (line,) = problems(path)
    assert "-test." in line
    assert shard in line


def overwrite(examples: list[Any], other: Any) -> None:
    """Puts a record in the place of another one of its class."""
    same = next(example for example in examples if label_of(example) == label_of(other))
    same.CopyFrom(other)


def label_of(example: Any) -> int:
    return example.features.feature["label"].int64_list.value[0]


def drop(name: str):
    return lambda feature: feature.pop(name)


def floats(name: str, *values: float):
    return lambda feature: feature[name].float_list.value.__setitem__(slice(None), values)


def integers(name: str, *values: int):
    return lambda feature: feature[name].int64_list.value.__setitem__(slice(None), values)


def texts(name: str, *values: bytes):
    return lambda feature: feature[name].bytes_list.value.__setitem__(slice(None), values)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (drop("anchor_id"), "feature 'anchor_id' is missing or not one text"),
        (texts("anchor_id", b""), "feature 'anchor_id' is missing or not one text"),
        (texts("anchor_id", b"\xff"), "the provenance is not UTF-8"),
        (texts("anchor_id", b"letters/train/9"), "has an id that is not of its anchor"),
        (drop("donor_ids"), "feature 'donor_ids' is missing"),
        (integers("donor_ids", 1), "feature 'donor_ids' does not hold texts"),
        (drop("recipe"), "feature 'recipe' is missing or not one text"),
        (texts("recipe", b"swap_zu"), "has the recipe 'swap_zu' instead of 'recombine_factors'"),
        (drop("seen_combination"), "feature 'seen_combination' is missing or not one integer"),
        (integers("seen_combination", 2), "feature 'seen_combination' is 2 instead of 0 or 1"),
        (integers("seen_combination", 1), "has seen_combination=1, the input says 0"),
        (drop("judge_confidence"), "feature 'judge_confidence' is missing or not one float"),
        (floats("judge_confidence", float("nan")), "feature 'judge_confidence' is nan, outside 0"),
        (floats("judge_confidence", 1.5), "feature 'judge_confidence' is 1.5, outside 0..1"),
        (floats("judge_confidence", 0.5, 0.5), "feature 'judge_confidence' is missing or not one"),
        (floats("judge_confidence_ink", float("inf")), "feature 'judge_confidence_ink' is inf"),
        (drop("judge_confidence_back"), "feature 'judge_confidence_back' is missing"),
        (drop("seed"), "feature 'seed' is missing or not one integer"),
        (floats("seed", 0.5), "feature 'seed' is missing or not one integer"),
        (integers("surprise", 1), "has the feature 'surprise', which is not its own"),
    ],
)
def test_a_record_without_sound_provenance_is_named(made, change, reason):
    def edit(examples: list[Any]) -> None:
        change(examples[2].features.feature)

    shard = edit_records(made, edit)
    (line,) = problems(made)
    assert line.startswith(f"{shard} record 2: {reason}")


def test_many_bad_records_are_counted(made, monkeypatch):
    monkeypatch.setattr("latentloom.pipeline.verification.problem.MOST_NAMED", 2)
    shard = edit_records(
        made, lambda examples: [drop("seed")(e.features.feature) for e in examples]
    )
    lines = [line for line in problems(made) if line.startswith(shard)]
    assert len(lines) == 3
    assert "more problems of records" in lines[-1]


def key_of(anchor: str, variant: int = 0, recipe: str = "recombine_factors") -> int:
    """The key of a variant at the first attempt of a job of seed 0."""
    keys = derive(identity_keys(0, recipe, [anchor]), variant)
    return int(derive(keys, 0).view(np.int64)[0])


@pytest.mark.parametrize("origin", ["anchor", "donor"])
def test_origins_that_the_source_lacks_are_named(made, origin):
    def edit(examples: list[Any]) -> None:
        feature = examples[1].features.feature
        if origin == "donor":
            feature["donor_ids"].bytes_list.value.append(b"letters/train/nobody")
        else:
            texts("anchor_id", b"letters/train/nobody")(feature)
            texts("example_id", b"letters/train/nobody/recombine_factors/0000")(feature)
            integers("seed", key_of("letters/train/nobody"))(feature)

    shard = edit_records(made, edit)
    assert verify(made).ok
    (line,) = problems(made, "--data", letters_data())
    assert line.startswith(f"{shard} record 1: was made from 'letters/train/nobody'")


def test_another_source_is_named(made, tmp_path):
    import_dataset("builtin:digits", tmp_path / "digits", max_examples=100)
    (line,) = problems(made, "--data", tmp_path / "digits")
    assert line.startswith("manifest.json was made from other data than")


def test_a_source_that_has_changed_is_named(made, tmp_path):
    source = Path(shutil.copytree(letters_data(), tmp_path / "source"))
    shard = sorted(source.glob("*.tfrecord-*"))[0]
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    lines = problems(made, "--data", source)
    assert lines[0] == f"{shard} has another SHA-256 than recorded"


def test_only_generated_data_have_a_source(dataset):
    error = run("verify", dataset.path, "--data", letters_data()).exception
    assert isinstance(error, ValueError)
    assert "Leave out --data" in str(error)
    assert exit_code(error) == USERS_MISTAKE


def test_a_report_that_a_killed_run_did_not_write_is_completed_by_a_rerun(made):
    (made / "report.html").unlink()  # the manifest lists it first
    assert problems(made) == ["report.html is missing"]
    config, data, bundle = letters_config(), letters_data(), letters_bundle()
    generate(config, data, bundle, made)
    report_on(config, data, bundle, made)
    assert verify(made).ok


def test_a_rerun_of_a_finished_job_keeps_its_report(made):
    generate(letters_config(), letters_data(), letters_bundle(), made)
    assert "report.html" in Manifest.read(made / "manifest.json").files
    assert verify(made).ok


def test_a_rerun_replaces_a_damaged_manifest(dataset):
    path = Path(dataset.path)
    (path / "manifest.json").write_text("{")
    write_manifest(path, dataset.manifest, {"notes.txt": b"ours"})
    assert set(Manifest.read(path / "manifest.json").files) == {"notes.txt"}


def test_inspect_names_files_that_have_changed(made):
    described = run("inspect", made, "--json")
    assert described.exit_code == 0
    assert json.loads(described.stdout)["files"]["features.json"] > 0
    edit_json(made / "features.json", recode)
    shard = sorted(made.glob("*.tfrecord-*"))[0]
    shard.write_bytes(shard.read_bytes()[:-1])
    result = run("inspect", made, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == json.loads(described.stdout)
    named = {line.split()[0] for line in result.stderr.splitlines()}
    assert named == {shard.name, "features.json"}
