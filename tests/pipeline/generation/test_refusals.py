"""Bad input of `generate`: refused before work starts, or a counted dead letter."""

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from bundles import command, digits_bundle, digits_config, digits_data, hashes, make

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.engines import Engine
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.storage import output_directories as directories
from latentloom.pipeline.training.train import train_bundle


@pytest.fixture(scope="module")
def variants(tmp_path_factory) -> Path:
    """What one run writes."""
    out = tmp_path_factory.mktemp("variants") / "out"
    make(out)
    return out


@pytest.fixture
def damaged_data(tmp_path) -> Path:
    """The digits with one flipped bit inside the first record of the first shard."""
    data = tmp_path / "damaged"
    shutil.copytree(digits_data(), data)
    shard = sorted(data.glob("*-train.tfrecord-*"))[0]
    content = bytearray(shard.read_bytes())
    content[40] ^= 1
    shard.write_bytes(content)
    return data


def test_a_poison_record_is_exactly_one_dead_letter(variants, damaged_data, tmp_path):
    make(tmp_path / "o", data=damaged_data)
    dataset = DatasetDir.open(tmp_path / "o")
    lines = (tmp_path / "o/dead_letters.jsonl").read_text().splitlines()
    assert [(letter["record"], letter["reason"]) for letter in map(json.loads, lines)] == [
        (0, "the checksum of its data does not match")
    ]
    assert dataset.manifest.totals["dead"] == 4
    assert dataset.manifest.details["unreadable_records"] == 1
    lost = DatasetDir.open(digits_data()).read_shard("train", 0)[0].ids[0]
    others = {i for i in DatasetDir.open(variants).read("train").ids if not i.startswith(lost)}
    assert set(dataset.read("train").ids) == others
    whole = [h for name, h in hashes(variants).items() if "00000-of" not in name]
    assert [h for name, h in hashes(tmp_path / "o").items() if "00000-of" not in name] == whole


def test_past_the_failure_budget_the_run_fails_and_says_where(damaged_data, tmp_path):
    with pytest.raises(RuntimeError, match="raise `generate.failure_budget`") as refusal:
        make(tmp_path / "o", "generate.failure_budget=0", data=damaged_data)
    assert "train.tfrecord-00000" in str(refusal.value)
    assert not (tmp_path / "o/manifest.json").exists()


def test_a_truncated_input_shard_is_refused_before_work_starts(tmp_path):
    data = tmp_path / "data"
    shutil.copytree(digits_data(), data)
    shard = sorted(data.glob("*-train.tfrecord-*"))[1]
    shard.write_bytes(shard.read_bytes()[:-10])
    with pytest.raises(ValueError, match=f"{shard.name}.*verify"):
        make(tmp_path / "o", data=data)
    assert not (tmp_path / "o").exists()


def test_a_quota_of_an_unknown_class_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="Did you mean"):
        make(tmp_path / "o", "generate.sampling_strategy={33: 5}")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("strategy", ["auto", "minority", "{3: 0}"])
def test_a_strategy_that_asks_for_nothing_says_what_asks_for_more(tmp_path, strategy):
    real = DatasetDir.open(digits_data()).read("train")
    rows = np.concatenate([np.flatnonzero(real.labels == label)[:12] for label in range(10)])
    np.savez(tmp_path / "e.npz", images=real.observations[rows], label=real.labels[rows])
    equal = tmp_path / "equal"
    import_dataset(f"npz:{tmp_path / 'e.npz'}", equal, name="digits")
    with pytest.raises(
        ValueError, match="all classes have 12 examples.*generate.variants_per_example"
    ):
        make(tmp_path / "o", f"generate.sampling_strategy={strategy}", data=equal)
    assert not (tmp_path / "o").exists()


@pytest.fixture
def data_without_nines(tmp_path) -> Path:
    """Digits of ten classes, the last of them in the test split only."""
    real = DatasetDir.open(digits_data()).read("train")
    split = np.where(real.labels == 9, "test", "train")
    arrays = {"images": real.observations, "label": real.labels, "split": split}
    np.savez(tmp_path / "digits.npz", **arrays)
    import_dataset(f"npz:{tmp_path / 'digits.npz'}", tmp_path / "no_nines")
    return tmp_path / "no_nines"


def test_a_quota_that_cannot_be_met_is_refused(data_without_nines, tmp_path):
    with pytest.raises(ValueError, match="Class '9' has a quota but no example"):
        make(tmp_path / "o", "generate.sampling_strategy={9: 5}", data=data_without_nines)
    assert not (tmp_path / "o").exists()


def test_training_on_an_empty_class_is_refused(data_without_nines, tmp_path):
    with pytest.raises(
        ValueError, match="Class '9'.*too few examples.*Received: 0 of '9'.*Add examples"
    ):
        train_bundle(digits_config(), data_without_nines, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_donors_for_a_lonely_example_are_refused_before_work_starts(tmp_path):
    real = DatasetDir.open(digits_data()).read("train")
    first_nine = np.argmax(real.labels == 9)
    rows = (real.labels != 9) | (np.arange(len(real)) == first_nine)
    np.savez(tmp_path / "d.npz", images=real.observations[rows], label=real.labels[rows])
    import_dataset(f"npz:{tmp_path / 'd.npz'}", tmp_path / "d")
    with pytest.raises(ValueError, match="class '9' has one example"):
        make(tmp_path / "o", "generate.recipe=interpolate_zu", data=tmp_path / "d")
    assert not (tmp_path / "o").exists()


def test_images_of_another_size_are_refused_with_the_fix(tmp_path):
    import_dataset("builtin:digits", tmp_path / "big", image_size=12)
    with pytest.raises(ValueError, match="Import the data with --image-size 8"):
        make(tmp_path / "o", data=tmp_path / "big")
    assert not (tmp_path / "o").exists()


def test_other_classes_than_the_bundle_knows_are_refused(tmp_path):
    real = DatasetDir.open(digits_data()).read("train")
    np.savez(tmp_path / "d.npz", images=real.observations, label=real.labels % 5)
    import_dataset(f"npz:{tmp_path / 'd.npz'}", tmp_path / "d")
    with pytest.raises(ValueError, match="Train a bundle on this data"):
        make(tmp_path / "o", data=tmp_path / "d")


def test_a_bundle_that_does_not_match_its_digest_is_refused(tmp_path):
    bundle = tmp_path / "bundle"
    shutil.copytree(digits_bundle(), bundle)
    weights = bytearray((bundle / "model.weights.h5").read_bytes())
    weights[len(weights) // 2] ^= 1
    (bundle / "model.weights.h5").write_bytes(weights)
    with pytest.raises(ValueError, match="is not what was saved.*Copy the bundle again"):
        generate(digits_config(), digits_data(), bundle, tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_unknown_recipe_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'class_preserving'"):
        make(tmp_path / "o", "generate.recipe=class_preservin")


def test_an_unknown_runner_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Beam has no such runner.*Correct the name"):
        make(tmp_path / "o", engine=Engine("FlyingRunner"))
    assert not (tmp_path / "o").exists()


def test_a_directory_of_another_run_is_refused_and_left_alone(variants, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(variants, out)
    before = hashes(out)
    with pytest.raises(FileExistsError, match="belongs to another run.*--overwrite"):
        make(out, "generate.seed=7")
    assert hashes(out) == before
    make(out, "generate.seed=7", overwrite=True)
    assert not set(hashes(out).values()) & set(before.values())


@pytest.mark.parametrize("holder", [".", ".."])
@pytest.mark.parametrize("inside", ["data", "bundle"])
def test_an_input_is_never_overwritten(tmp_path, inside, holder):
    folder = tmp_path / "runs" / inside
    shutil.copytree(digits_data() if inside == "data" else digits_bundle(), folder)
    (folder.parent / "report.html").touch()  # a file of ours: --overwrite would empty the folder
    before = sorted(folder.rglob("*"))
    data = folder if inside == "data" else digits_data()
    bundle = folder if inside == "bundle" else digits_bundle()
    with pytest.raises(ValueError, match="holds the input.*Choose another output directory"):
        generate(digits_config(), data, bundle, folder / holder, overwrite=True)
    assert sorted(folder.rglob("*")) == before


def test_a_directory_with_foreign_files_is_refused_even_with_overwrite(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="not empty"):
        make(tmp_path)
    with pytest.raises(FileExistsError, match="latentloom did not write"):
        make(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_directory_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(directories, "make_folders", refuse)
    with pytest.raises(PermissionError, match="Read-only file system.*Choose another directory"):
        make(tmp_path / "o")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_a_clear_error_and_leaves_no_half_file(variants, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        run = subprocess.run(command(disk / "out"), capture_output=True, text=True, check=False)
        assert run.returncode == 1
        assert "disk with free space" in run.stderr
        assert "run the same command again" in run.stderr
        assert "Traceback" not in run.stderr
        for name, digest in hashes(disk / "out").items():
            assert hashes(variants)[name] == digest
        assert not (disk / "out/manifest.json").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
