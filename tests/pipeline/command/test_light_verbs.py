"""Verbs that need no network import none of the libraries that train one."""

import subprocess
import sys

import numpy as np
import pytest

from latentloom.pipeline.command import app

HEAVY = ("tensorflow", "tensorflow_datasets", "tensorflow_probability", "keras", "jax")
HEAVY += ("apache_beam", "matplotlib", "sklearn", "scipy")
PROGRAM = f"""
import sys
from latentloom.pipeline.command import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
assert not (heavy := set({HEAVY}) & set(sys.modules)), heavy
"""
READING = f"""
import sys
from latentloom.pipeline.reader import read
assert len(list(read(sys.argv[1]))) == 60
assert not (heavy := set({HEAVY}) & set(sys.modules)), heavy
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """An archive of 60 images of three classes."""
    file = tmp_path_factory.mktemp("light") / "images.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
    np.savez(file, images=pixels, label=np.arange(60) % 3)
    return file


@pytest.fixture(scope="module")
def data_set(images):
    folder = images.with_name("data")
    run(PROGRAM, "import", f"npz:{images}", folder)
    return folder


def run(program, *words):
    ended = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "verb", [None, *(command.callback.__name__ for command in app.registered_commands)]
)
def test_help_is_light(verb):
    run(PROGRAM, *([verb.rstrip("_")] if verb else []), "--help")


@pytest.mark.parametrize(
    "options", [(), ("--image-size", "4"), ("--channels", "1", "--max-examples", "30")]
)
def test_import_is_light(images, tmp_path, options):
    run(PROGRAM, "import", f"npz:{images}", tmp_path / "data", *options)


def test_import_of_image_files_is_light(data_set, tmp_path):
    pattern = f"{data_set}/*train.tfrecord*"
    run(PROGRAM, "import", f"tfrecord:{pattern}", tmp_path / "data")


@pytest.mark.parametrize("words", [["inspect"], ["inspect", "--json"], ["verify"]])
def test_looking_at_a_data_set_is_light(data_set, words):
    run(PROGRAM, *words, data_set)


def test_comparing_data_sets_is_light(images, data_set, tmp_path):
    run(PROGRAM, "import", f"npz:{images}", tmp_path / "other", "--name", "images")
    run(PROGRAM, "verify", data_set, "--compare", tmp_path / "other")


def test_reading_is_light(data_set):
    run(READING, data_set)
