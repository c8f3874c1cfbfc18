"""`import --dry-run` tells what an import would write, and writes a page alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from latentloom.pipeline.command import app

CLASSES = ("cat", "dog")


@pytest.fixture
def photos(tmp_path) -> Path:
    """Two classes: half of the cats are wide, all dogs are of one colour; a text beside them."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "photos" / "train" / name).mkdir(parents=True)
    for number in range(14):
        cat = rng.integers(0, 256, (20, 30 if number % 2 else 20, 3)).astype(np.uint8)
        dog = np.full((20, 20, 3), number * 10, np.uint8)
        for name, image in zip(CLASSES, (cat, dog), strict=True):
            Image.fromarray(image).save(tmp_path / "photos/train" / name / f"{number}.png")
    (tmp_path / "photos/train/cat/notes.txt").write_text("not an image")
    return tmp_path / "photos"


def run(*args: object):
    return CliRunner().invoke(app, ["import", *map(str, args)])


def test_a_dry_run_writes_a_page_and_tells_what_the_import_then_does(photos, tmp_path):
    told = run(f"folder:{photos}", tmp_path / "out", "--image-size", 16, "--dry-run")
    assert told.exit_code == 0, told.output
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "out.import.html",
        "out.import.json",
        "photos",
    ]
    report = json.loads((tmp_path / "out.import.json").read_text())
    assert report["tables"][0]["rows"] == [["cat", "14"], ["dog", "14"]]
    (left_out,) = report["tables"][1]["rows"]
    assert left_out[1:] == ["1", "train/cat/notes.txt"]
    assert set(report["captions"]) == {"examples", "changed"}
    real = run(f"folder:{photos}", tmp_path / "out", "--image-size", 16)
    assert real.exit_code == 0, real.output
    for sentence in (
        "7 of 28 images were padded",
        "14 of 28 images are constant",
        "The first: photos/train/00000014",
        "Left out 1: the suffix '.txt'",
    ):
        assert sentence in told.output
        assert sentence in real.output
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["totals"]["written"] == 28


def test_a_dry_run_again_replaces_its_page_and_no_other(photos, tmp_path):
    command = (f"folder:{photos}", tmp_path / "out", "--image-size", 16, "--dry-run")
    assert run(*command).exit_code == 0
    assert run(*command).exit_code == 0
    (tmp_path / "out.import.html").write_text("a thesis")
    refused = run(*command)
    assert refused.exit_code != 0
    assert (tmp_path / "out.import.html").read_text() == "a thesis"


def test_a_dry_run_refuses_what_the_import_refuses(photos, tmp_path):
    sizes = run(f"folder:{photos}", tmp_path / "out", "--dry-run")
    assert sizes.exit_code == 1
    assert "--image-size" in str(sizes.exception)
    inside = run(f"folder:{photos}", photos / "out", "--image-size", 16, "--dry-run")
    assert inside.exit_code == 1
    assert [p.name for p in tmp_path.iterdir()] == ["photos"]
    assert [p.name for p in photos.iterdir()] == ["train"]


@pytest.mark.parametrize("source", ["builtin:moons", "builtin:digits"])
def test_other_kinds_of_observation_have_a_page_too(source, tmp_path):
    told = run(source, tmp_path / "out", "--dry-run")
    assert told.exit_code == 0, told.output
    assert "examples" in json.loads((tmp_path / "out.import.json").read_text())["captions"]
