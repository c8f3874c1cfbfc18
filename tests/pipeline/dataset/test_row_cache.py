"""Decoded images in a file: the same weights, and a file of other examples is refused."""

import errno
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from bundles import CONFIGS, digits_config, digits_data

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.row_cache import MappedRows, cached
from latentloom.pipeline.storage.record_files import RecordFiles
from latentloom.pipeline.training.train import train_bundle


@pytest.fixture
def dataset() -> DatasetDir:
    return DatasetDir.open(digits_data())


def test_rows_are_those_of_the_shards_and_the_shards_are_read_once(dataset, tmp_path, monkeypatch):
    examples = dataset.read("train")
    cached(examples, dataset.manifest, tmp_path / "cache", "train")
    with monkeypatch.context() as unread:
        unread.setattr(RecordFiles, "read", None)
        found = cached(examples, dataset.manifest, tmp_path / "cache", "train")
        pixels = found.take(np.arange(0, 200, 7)).loaded().observations
    np.testing.assert_array_equal(pixels, examples.observations[0:200:7])
    assert len(os.listdir(tmp_path / "cache")) == 1


def test_samples_and_data_sets_have_files_of_their_own(dataset, tmp_path):
    for limit in (None, 50):
        cached(dataset.read("train", limit), dataset.manifest, tmp_path, "train")
    other = dataset.manifest.model_copy(update={"name": "other"})
    cached(dataset.read("train"), other, tmp_path, "train")
    assert len(os.listdir(tmp_path)) == 3


@pytest.mark.parametrize("damage", ["shorter", "no array", "other shape", "empty"])
def test_a_file_that_is_not_of_these_examples_is_refused_by_name(dataset, tmp_path, damage):
    examples = dataset.read("train")
    cached(examples, dataset.manifest, tmp_path, "train")
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    if damage == "other shape":
        np.save(file, np.zeros((3, 8, 8, 1), np.uint8))
    else:
        file.write_bytes({"shorter": whole[:-9], "no array": b"<html>", "empty": b""}[damage])
    with pytest.raises(ValueError, match=rf"{file.name}.*Remove the file"):
        cached(examples, dataset.manifest, tmp_path, "train")


def test_training_from_the_cache_gives_the_same_weights(tmp_path, monkeypatch):
    config = digits_config("train.epochs=2", "judge.epochs=1")
    plain = train_bundle(config, digits_data(), tmp_path / "plain")
    read, reads = MappedRows.read, []
    monkeypatch.setattr(MappedRows, "read", lambda *args: reads.append(1) or read(*args))
    quick = train_bundle(config, digits_data(), tmp_path / "quick", cache=tmp_path / "cache")
    assert quick.digest == plain.digest
    assert reads


def test_a_full_disk_is_one_message_and_leaves_no_half_file(tmp_path):
    cache, out = tmp_path / "cache", tmp_path / "out"
    line = [
        *(sys.executable, "-m", "latentloom.pipeline.command", "train"),
        *(CONFIGS / "zszu_digits.yaml", "--data", digits_data(), "--out", out, "--cache", cache),
    ]
    run = subprocess.run(
        list(map(str, line)),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
    )
    assert run.returncode == 2, run.stderr[-2000:]
    assert os.strerror(errno.EFBIG) in run.stderr
    assert "choose another folder" in run.stderr
    assert "Traceback" not in run.stderr
    assert os.listdir(cache) == []
    assert not out.exists()
