"""Paths, engines and splits as every verb meets them: exit code, message, what lies on disk."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from bundles import CONFIGS, digits_bundle, digits_data
from PIL import Image

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.storage.path_checks import DEEPEST_PATH

DIGITS = str(CONFIGS / "zszu_digits.yaml")
INPUTS = {
    "train": ("--data",),
    "generate": ("--data", "--model"),
    "evaluate": ("--data", "--model", "--full-model"),
    "study": ("--data", "--generated"),
}
CASES = [(verb, name) for verb, names in INPUTS.items() for name in names]


@pytest.fixture
def places(tmp_path) -> dict[str, Path]:
    """Copies of a data set and of a bundle."""
    found = {"--data": tmp_path / "data", "--model": tmp_path / "bundle"}
    shutil.copytree(digits_data(), found["--data"])
    shutil.copytree(digits_bundle(), found["--model"])
    return found | {"--full-model": tmp_path / "bundle", "--generated": tmp_path / "data"}


def listing(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def words_of(verb: str, places: dict[str, Path]) -> list[object]:
    config = [] if verb == "evaluate" else [DIGITS]
    return [verb, *config, *(word for name in INPUTS[verb] for word in (name, places[name]))]


def refused(run, *mentions: str) -> None:
    assert run.returncode == 2, run.stderr
    assert run.stderr.startswith("latentloom: ")
    assert run.stderr.count("\n") == 1
    for mention in (*mentions, "Expected: ", "Received: "):
        assert mention in run.stderr


@pytest.mark.parametrize(("verb", "name"), CASES)
@pytest.mark.parametrize("relation", ["inside", "equal", "around", "through a link"])
def test_an_output_and_an_input_are_apart(latentloom, tmp_path, places, verb, name, relation):
    link = tmp_path / "link"
    link.symlink_to(places[name])
    out = {
        "inside": places[name] / "new" / "out",
        "equal": places[name],
        "around": places[name].parent,
        "through a link": link / "out",
    }[relation]
    before = listing(tmp_path)
    run = latentloom(*words_of(verb, places), "--out", out, "--overwrite")
    refused(run, "the input", "Choose another output directory", f"OUT={out}")
    assert listing(tmp_path) == before


@pytest.mark.parametrize("verb", INPUTS)
def test_an_output_that_links_of_an_input_lead_to_is_refused(latentloom, tmp_path, places, verb):
    linked = tmp_path / "linked"
    linked.mkdir()
    for file in places["--data"].iterdir():
        (linked / file.name).symlink_to(file)
    run = latentloom(
        *words_of(verb, places | {"--data": linked, "--generated": linked}),
        *("--out", places["--data"], "--overwrite"),
    )
    refused(run, "holds the input")
    assert (places["--data"] / "manifest.json").exists()


LONG = "x" * 300
DEEP = "/".join("a" * (DEEPEST_PATH + 1))
DEEPER = "/".join("a" * 2200)
PATHS = {
    LONG: os.strerror(errno.ENAMETOOLONG),
    f"{LONG}/out": os.strerror(errno.ENAMETOOLONG),
    DEEP: "is too long",
    DEEPER: "is too long",
    "loop/out": os.strerror(errno.ELOOP),
    "file/out": os.strerror(errno.ENOTDIR),
}
VERBS = [
    ("train", ["@", "--data", "x", "--out", "new"]),
    ("train", [DIGITS, "--data", "@", "--out", "new"]),
    ("train", [DIGITS, "--data", "x", "--out", "@"]),
    ("generate", [DIGITS, "--data", "x", "--model", "@", "--out", "new"]),
    ("generate", [DIGITS, "--data", "x", "--model", "x", "--out", "@"]),
    ("evaluate", ["--data", "x", "--model", "x", "--full-model", "@", "--out", "new"]),
    ("study", [DIGITS, "--data", "x", "--generated", "@", "--out", "new"]),
    ("audit", ["@", "--out", "new"]),
    ("audit", ["x", "--out", "@"]),
    ("import", ["folder:@", "new"]),
    ("import", ["npz:@", "new"]),
    ("import", ["tfrecord:@", "new"]),
    ("import", ["builtin:digits", "@"]),
    ("verify", ["@"]),
    ("verify", ["x", "--data", "@"]),
    ("inspect", ["@"]),
    ("look", ["@"]),
    ("look", ["x", "--data", "@"]),
    ("look", ["x", "--out", "@"]),
    ("demo", ["--out", "@"]),
]


@pytest.mark.parametrize("path", PATHS, ids=["name", "parent", "deep", "deeper", "loop", "file"])
@pytest.mark.parametrize(("verb", "words"), VERBS)
def test_a_path_that_no_file_can_have_is_refused(
    latentloom, tmp_path, monkeypatch, verb, words, path
):
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("file").touch()
    run = latentloom(verb, *(word.replace("@", path) for word in words))
    refused(run, PATHS[path])
    assert len(run.stderr) < 1000
    assert sorted(os.listdir()) == ["file", "loop"]


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the rights of another user")
@pytest.mark.parametrize(("verb", "words"), VERBS)
def test_a_path_without_access_rights_is_refused(latentloom, tmp_path, monkeypatch, verb, words):
    monkeypatch.chdir(tmp_path)
    Path("closed").mkdir(mode=0o700)
    monkeypatch.setattr(os, "access", lambda *_: True)  # asks for the real user
    os.seteuid(65534)
    try:
        run = latentloom(verb, *(word.replace("@", f"{tmp_path}/closed/x") for word in words))
    finally:
        os.seteuid(0)
    refused(run, os.strerror(errno.EACCES))
    assert sorted(os.listdir()) == ["closed"]


BEAM = [
    ("--direct_num_workers=abc", "invalid int value: 'abc'"),
    ("--direct_num_workers", "expected one argument"),
    ("--direct_num_workers=-1", "is out of range"),
    ("--direct_num_workers=100000", "is out of range"),
    ("--direct_running_mode=fast", "invalid choice: 'fast'"),
    ("--beam_services=x", "beam_services"),
    ("--direct_num_worker=2", "Did you mean '--direct_num_workers'"),
    ("direct_num_workers=2", "Did you mean '--direct_num_workers'"),
    ("--help", "has no option '--help'"),
    ("--runner=DirectRunner", "--runner before --"),
]


@pytest.mark.parametrize(("option", "mention"), BEAM)
def test_a_wrong_option_of_beam_is_refused(latentloom, tmp_path, option, mention):
    words = ("--data", digits_data(), "--model", digits_bundle(), "--out", tmp_path / "out")
    refused(latentloom("generate", DIGITS, *words, "--", option), mention)
    assert not (tmp_path / "out").exists()


def test_an_unknown_word_before_the_options_of_beam_is_refused(latentloom, tmp_path):
    words = ("--data", digits_data(), "--model", digits_bundle(), "--out", tmp_path / "out")
    refused(latentloom("generate", DIGITS, "again", *words), "Beam has no option 'again'")


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_an_empty_split_is_refused(latentloom, tmp_path, places, split, dry):
    path = places["--data"] / "manifest.json"
    manifest = json.loads(path.read_text())
    gone = sum(shard["records"] for shard in manifest["splits"].get(split, []))
    manifest["splits"][split] = []
    manifest["totals"]["requested"] -= gone
    manifest["totals"]["written"] -= gone
    path.write_text(json.dumps(manifest))
    words = words_of("generate", places)
    run = latentloom(*words, "--out", tmp_path / "out", "--set", f"generate.split={split}", *dry)
    refused(run, f"Split '{split}'", "is empty")
    assert not (tmp_path / "out").exists()
    if split == "train" and not dry:
        for verb in ("train", "evaluate", "study"):
            words = words_of(verb, places)
            words = words[: words.index("--generated")] if verb == "study" else words
            refused(latentloom(*words, "--out", tmp_path / "out"))


@pytest.mark.parametrize("length", [201, 250, 5000])
def test_a_long_name_of_a_factor_is_refused(latentloom, tmp_path, length):
    images, label = np.zeros((4, 5, 5), np.uint8), np.arange(4) % 2
    np.savez(tmp_path / "a.npz", images=images, label=label, **{"f" * length: label})
    run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    refused(run, "is an invalid name of a factor", "at most 200", "Rename it")
    assert not (tmp_path / "out").exists()


def test_hidden_images_of_a_folder_are_told(latentloom, tmp_path):
    files = ("cat/a.png", "dog/a.png", ".../a.png", "cat/.b.png", "dog/old/a.png", "dog/.c/a.png")
    for file in files:
        path = tmp_path / "photos" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6, 6)).save(path)
    (tmp_path / "photos" / ".git").mkdir()
    run = latentloom("import", f"folder:{tmp_path / 'photos'}", tmp_path / "out", "--inks", 2)
    assert run.returncode == 0, run.stderr
    for told in (
        "Left out 1: the name of their folder '...' begins with a dot.",
        "Left out 1: their names in 'cat' begin with a dot.",
        "Left out 1: their folder is not 'dog' itself but below it.",
        "Left out 1: the name of their folder '.c' begins with a dot.",
    ):
        assert told in run.stdout
    assert ".git" not in run.stdout
    manifest = DatasetDir.open(tmp_path / "out").manifest
    assert manifest.class_names == ["cat", "dog"]
    assert sum(manifest.details["ignored"].values()) == 4
    assert latentloom("verify", tmp_path / "out").returncode == 0
