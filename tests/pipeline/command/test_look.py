"""`look`: a sheet of any data set, and variants beside their anchors."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.report.pictures.sheets.tile_sheet import enlarge
from tests.pipeline.fixtures.bags import save
from tests.pipeline.fixtures.letters import letters_data, make

PROGRAM = """
import sys
from latentloom.pipeline.command import main
try:
    main()
except SystemExit as end:
    assert not end.code
assert not {"tensorflow", "keras", "jax", "apache_beam"} & set(sys.modules)
"""


def pixels(file):
    return np.asarray(Image.open(file).convert("RGB"))


def shows(sheet, image):
    """Whether a sheet has the tile of an image somewhere."""
    tile = enlarge(image)[..., :3]
    windows = np.lib.stride_tricks.sliding_window_view(sheet[..., 0], tile.shape[:2])
    places = np.argwhere((windows[:, :, ::40, ::40] == tile[::40, ::40, 0]).all(axis=(2, 3)))
    height, width = tile.shape[:2]
    return any((sheet[y : y + height, x : x + width] == tile).all() for y, x in places)


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    """Letters with recombinations of them."""
    return make(tmp_path_factory.mktemp("look") / "made")


def test_a_sheet_shows_every_class_and_factor_and_lies_beside_the_data(latentloom, dataset):
    run = latentloom("look", dataset.path)
    assert run.returncode == 0, run.stderr
    sheet = pixels(f"{dataset.path}.png")
    examples = dataset.read("train").loaded()
    of_class = [
        [shows(sheet, image) for image in examples.observations[examples.labels == label]]
        for label in range(3)
    ]
    assert [sum(found) for found in of_class] >= [10, 10, 10]  # of 16, again by their size
    assert run.stdout.endswith(f"{dataset.path}.png\n")


def test_another_seed_shows_other_examples_and_the_same_seed_the_same(latentloom, dataset):
    files = [dataset.path + name for name in ("a.png", "b.png", "c.png")]
    for file, seed in zip(files, (0, 0, 1), strict=True):
        assert latentloom("look", dataset.path, "--out", file, "--seed", seed).returncode == 0
    first, second, other = map(pixels, files)
    np.testing.assert_array_equal(first, second)
    assert first.shape != other.shape or (first != other).any()


def test_variants_stand_beside_their_anchors(latentloom, variants, tmp_path):
    file, source = tmp_path / "sheet.png", DatasetDir.open(letters_data(3))
    run = latentloom("look", variants.path, "--data", source.path, "--out", file)
    assert run.returncode == 0, run.stderr
    sheet, real = pixels(file), source.read("train").loaded()
    anchors = [row for row, image in enumerate(real.observations) if shows(sheet, image)]
    assert set(real.labels[anchors]) == set(variants.read("train").labels)
    made = variants.read("train").loaded().observations
    assert sum(shows(sheet, image) for image in made) >= len(set(real.labels[anchors]))


@pytest.mark.parametrize("kind", ["moons", "words"])
def test_vectors_and_words_have_a_sheet_too(latentloom, tmp_path, kind):
    data = import_dataset(save(tmp_path) if kind == "words" else "builtin:moons", tmp_path / "data")
    assert latentloom("look", data.path).returncode == 0
    assert min(pixels(f"{data.path}.png").shape[:2]) > 100


def test_what_others_wrote_stays(latentloom, dataset, tmp_path):
    mine, theirs = tmp_path / "mine.png", tmp_path / "theirs.png"
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "png")
    theirs.write_bytes(buffer.getvalue())
    assert latentloom("look", dataset.path, "--out", mine).returncode == 0
    again = latentloom("look", dataset.path, "--out", mine)
    assert (again.returncode, "Pass --overwrite" in again.stderr) == (2, True)
    assert latentloom("look", dataset.path, "--out", mine, "--overwrite").returncode == 0
    for path in (theirs, tmp_path):
        refused = latentloom("look", dataset.path, "--out", path, "--overwrite")
        assert refused.returncode == 2, path
    assert theirs.read_bytes() == buffer.getvalue()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--data", "@"], "has no anchors"),
        (["--split", "night"], "no such split"),
        (["--out", "@/sheet.png"], "lies in the input"),
    ],
)
def test_what_cannot_be_shown_is_refused(latentloom, dataset, words, told):
    run = latentloom("look", dataset.path, *(word.replace("@", dataset.path) for word in words))
    assert run.returncode == 2
    assert told in run.stderr


def test_the_wrong_source_is_refused(latentloom, variants, dataset, tmp_path):
    run = latentloom("look", variants.path, "--data", dataset.path, "--out", tmp_path / "x.png")
    assert run.returncode == 2
    assert "No anchor was found" in run.stderr


def test_looking_needs_no_network(dataset):
    line = [sys.executable, "-c", PROGRAM, "look", dataset.path]
    run = subprocess.run(line, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
