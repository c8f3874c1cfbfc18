"""`verify` believes no field of the manifest and no record that another file contradicts."""

import json
import shutil
from pathlib import Path
from typing import Any

import letters
import numpy as np
import pytest
from letters import letters_data
from made_once import made_once
from rewriting import edit_json, edit_records
from typer.testing import CliRunner

from latentloom.augment import derive, identity_keys
from latentloom.pipeline.command import app
from latentloom.pipeline.storage.tf_example import Example

RECIPE = "class_preserving"


@made_once
def letter_variants(folder: Path) -> None:
    """Three variants of each letter with another style; the gate rejects none."""
    words = ("recipe=class_preserving", "variants_per_example=3", "gate.enabled=false", "seed=5")
    letters.make(folder, *(f"generate.{word}" for word in words))


@pytest.fixture
def made(tmp_path) -> Path:
    return Path(shutil.copytree(letter_variants(), tmp_path / "made"))


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def problems(path: Path, *words: Any) -> list[str]:
    """What the command says of a damaged directory, line by line; it changes nothing."""
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    result = run("verify", path, *words)
    assert result.exit_code == 1, result.output
    assert not result.stdout
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    return result.stderr.splitlines()


def edit_manifest(path: Path, place: str, value: Any) -> None:
    """Sets a value of the manifest, such as `details/job`."""

    def change(manifest: dict[str, Any]) -> None:
        *parents, last = place.split("/")
        for key in parents:
            manifest = manifest[key]
        manifest[last] = value

    edit_json(path / "manifest.json", change)


def test_variants_that_nobody_touched_are_whole(made):
    assert run("verify", made).exit_code == 0
    assert run("verify", made, "--data", letters_data()).exit_code == 0


HELD_OUT = {"few": {"names": {"label": ["a", "b", "c"]}, "counts": [[{"label": 2}, 1]]}}


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("name", "others", "has the name 'others', its source and its recipe give 'letters_class"),
        ("name", "others", "lists the shard 'letters_class_preserving-train.tfrecord-00000-of-0"),
        ("details/job", "0" * 64, "README.md states another 'Generation job' than the manifest"),
        ("details/job", "0" * 64, ".job/job.json is of another job than the manifest"),
        ("details/bundle_digest", "0" * 64, "README.md states another 'Model bundle'"),
        ("details/trained_on/name", "others", "README.md states another 'Trained on'"),
        ("details/trained_on/digest", "0" * 64, "README.md states another 'Trained on'"),
        ("details/trained_on", None, "README.md states another 'Trained on'"),
        ("details/hold_out", HELD_OUT, "README.md states another 'Held out'"),
        ("details/hold_out", {"few": 1}, "manifest.json has held-out cells that cannot be read"),
        ("details/config/generate/split", "test", "its job made 'test'"),
        ("source/data", "others", "its source and its recipe give 'others_class_preserving'"),
        ("source/shards", [], "manifest.json has no shards of its source"),
        ("source/shards", ["0" * 64], "has 3 shards, its source has 1 for them"),
        ("source/shards", ["x", "y", "z"], "has a source whose shards are no SHA-256"),
        ("source/description", "Others.", "dataset_info.json differs from the manifest"),
    ],
)
def test_an_edited_origin_is_named(made, place, value, said):
    edit_manifest(made, place, value)
    assert any(said in line for line in problems(made))


def test_the_folder_of_the_job_may_stay_behind_and_a_card_may_say_less(made):
    shutil.rmtree(made / ".job")
    assert run("verify", made).exit_code == 0


@pytest.mark.parametrize("what", ["name", "shards", "requested", "hold_out", "factors"])
def test_the_source_says_otherwise(made, tmp_path, what):
    source = Path(shutil.copytree(letters_data(), tmp_path / "source"))
    if what == "name":
        edit_manifest(source, "name", "others")
        said = "its name is 'others'"
    elif what == "shards":
        shards = json.loads((made / "manifest.json").read_text())["source"]["shards"]
        edit_manifest(made, "source/shards", shards[::-1])
        said = "it has other shards, or in another order"
    elif what == "requested":
        edit_manifest(made, "details/config/generate/variants_per_example", 4)
        said = "states 360 requested variants, its settings ask for 480"
    elif what == "hold_out":
        edit_manifest(made, "details/hold_out", HELD_OUT)
        said = "which was held out"
    else:
        edit_manifest(source, "factors/label", ["a", "b", "d"])
        said = "it has other values of 'label'"
    assert any(said in line for line in problems(made, "--data", source))


def value_of(example: Any, name: str) -> Any:
    return getattr(example.features.feature[name], KINDS[name]).value


KINDS = {"label": "int64_list", "seed": "int64_list", "example_id": "bytes_list"}
KINDS |= {"image": "bytes_list", "anchor_id": "bytes_list", "ink": "int64_list"}


def swap_labels(examples: list[Any]) -> None:
    """Gives every variant of two anchors the label of the other anchor."""
    first = value_of(examples[0], "anchor_id")[0]
    label = value_of(examples[0], "label")[0]
    second, other = next(
        (value_of(e, "anchor_id")[0], value_of(e, "label")[0])
        for e in examples
        if value_of(e, "label")[0] != label
    )
    for example in examples:
        if (anchor := value_of(example, "anchor_id")[0]) in (first, second):
            value_of(example, "label")[0] = other if anchor == first else label


def test_a_swapped_label_is_not_that_of_its_anchor(made):
    shard = edit_records(made, swap_labels)
    lines = problems(made, "--data", letters_data())
    assert len(lines) == 6
    assert all(line.startswith(f"{shard} record ") for line in lines)
    assert all("has another 'label' than its anchor" in line for line in lines)


def test_a_factor_is_that_of_an_anchor_or_donor(tmp_path):
    def change(examples: list[Any]) -> None:
        for example in examples:
            value_of(example, "ink")[0] = (value_of(example, "ink")[0] + 1) % 3

    letters.make(tmp_path / "made")
    edit_records(tmp_path / "made", change)
    lines = problems(tmp_path / "made", "--data", letters_data())
    assert any("has another 'ink' than its anchor and donors" in line for line in lines)


def test_variants_of_one_anchor_have_one_label(made):
    def change(examples: list[Any]) -> None:
        value_of(examples[1], "label")[0] = (value_of(examples[1], "label")[0] + 1) % 3

    edit_records(made, change)
    assert any("has another label or factor than the variant" in line for line in problems(made))


def test_records_that_the_job_did_not_write_are_named_by_its_own_report(made):
    shard = made / ".job" / f"{edit_records(made, swap_labels)}.json"
    edit_json(shard, lambda report: report["entry"].update(sha256="0" * 64))
    (line,) = problems(made)
    assert line.startswith(f".job/{shard.name} says that the job wrote another")


@pytest.mark.parametrize("seed", [0, -1, 2**63 - 1])
def test_a_changed_seed_is_named(made, seed):
    def change(examples: list[Any]) -> None:
        value_of(examples[4], "seed")[0] = seed

    shard = edit_records(made, change)
    (line,) = problems(made)
    assert line.startswith(f"{shard} record 4: has the seed {seed}, which the job does not give")


@pytest.mark.parametrize("number", ["9999", "0003", "3", "00002", "-001", "x", "", "²", "0" * 5000])
def test_a_variant_that_the_job_does_not_make_is_named(made, number):
    def change(examples: list[Any]) -> None:
        anchor = value_of(examples[2], "anchor_id")[0].decode()
        value_of(examples[2], "example_id")[0] = f"{anchor}/{RECIPE}/{number}".encode()
        keys = derive(identity_keys(5, RECIPE, [anchor]), 9999)
        value_of(examples[2], "seed")[0] = int(derive(keys, 0).view(np.int64)[0])

    shard = edit_records(made, change)
    (line,) = problems(made)
    assert line.startswith(f"{shard} record 2: has the variant ")
    assert line.endswith("the job makes 0000 to 0002")
    assert len(line) < 300


def test_a_record_that_was_taken_out_is_missed(made):
    edit_records(made, lambda examples: examples.pop(1))
    edit_json(made / "manifest.json", lambda m: m["totals"].update(written=359, requested=359))
    lines = problems(made)
    assert "manifest.json states 0 rejected variants, the ids of its records leave out 1" in lines


def test_variants_in_another_order_are_named(made):
    edit_records(made, lambda examples: examples.insert(0, examples.pop(1)))
    assert any("of its anchor after the variant" in line for line in problems(made))


def append(png: bytes) -> bytes:
    return png + b"payload"


def twice(png: bytes) -> bytes:
    return png + png


def cut(png: bytes) -> bytes:
    return png[:-12]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (append, "the image has 7 bytes after its end"),
        (twice, "bytes after its end"),
        (cut, "the PNG is damaged"),
    ],
)
@pytest.mark.parametrize("kind", ["imported", "generated"])
def test_an_image_is_one_png_and_nothing_else(made, dataset, change, said, kind):
    path = made if kind == "generated" else Path(dataset.path)

    def edit(examples: list[Any]) -> None:
        images = value_of(examples[3], "image")
        images[0] = change(images[0])

    shard = edit_records(path, edit)
    assert any(f"{shard} record 3: " in line and said in line for line in problems(path))


def test_two_images_in_one_record_are_damage(dataset):
    path = Path(dataset.path)
    shard = edit_records(path, lambda e: value_of(e[3], "image").append(b"second"))
    assert any(
        line.startswith(f"{shard} record 3: feature 'image' is missing or not one string")
        for line in problems(path)
    )


def test_a_hidden_feature_of_the_same_name_is_damage(dataset, monkeypatch):
    path = Path(dataset.path)
    hidden = Example()
    hidden.features.feature["image"].bytes_list.value.append(b"hidden")

    def change(examples: list[Any]) -> None:
        whole = examples[3].SerializeToString(deterministic=True)

        class Doubled:
            features = examples[3].features

            def SerializeToString(self, deterministic: bool) -> bytes:  # noqa: N802
                return hidden.SerializeToString() + whole

        examples[3] = Doubled()

    shard = edit_records(path, change)
    found = problems(path)
    assert any(f"{shard} record 3: the record holds more than its features" in x for x in found)


@pytest.mark.parametrize(
    ("stranger", "named"),
    [
        ("notes.txt", "notes.txt"),
        (".secret", ".secret"),
        (".git/config", ".git/config"),
        (".job/payload.bin", ".job/payload.bin"),
        (".job/deep/job.json", ".job/deep/job.json"),
        (".staging/left.png", ".staging/left.png"),
        (".DS_Store", ".DS_Store"),
    ],
)
def test_strangers_are_named_hidden_or_not(made, stranger, named):
    (made / stranger).parent.mkdir(exist_ok=True)
    (made / stranger).write_text("mine")
    assert problems(made) == [f"{named} is not in the manifest"]


def test_the_files_of_a_run_under_way_are_no_strangers(made):
    (made / ".staging").mkdir()
    (made / ".staging" / "manifest.json").write_text("{}")
    (made / ".lock").write_text('{"latentloom writes": "data set"}\n')
    (made / ".report.html.0123abcd.tmp").write_text("half")
    (made / ".job" / ".donors.npz.0123abcd.tmp").write_text("half")
    assert run("verify", made).exit_code == 0
    (made / ".lock").write_text("a thesis")
    assert problems(made) == [
        ".lock is not in the manifest",
        ".staging/manifest.json is not in the manifest",
    ]


def test_inspect_of_many_shows_the_first_few_and_their_number(dataset):
    letters_ = [{"shard": "a", "record": row, "reason": "b"} for row in range(100_000)]

    def change(manifest: dict[str, Any]) -> None:
        manifest["details"]["dead_letters"] = letters_

    edit_json(Path(dataset.path) / "manifest.json", change)
    result = run("inspect", dataset.path)
    assert result.exit_code == 0
    assert "and 99,990 more" in result.stdout
    assert len(result.stdout.splitlines()) < 200
    listed = json.loads(run("inspect", dataset.path, "--json").stdout)["details"]["dead_letters"]
    assert len(listed) == 100_000
