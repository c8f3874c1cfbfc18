"""Splits of every source, as `import` finds them by their names, and what `train` does with them.

The shards are read without our reader; see `stored_records`.
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from bundles import CONFIGS
from PIL import Image
from stored_records import manifest_of, means
from tfds_directories import row_of

from latentloom.pipeline.dataset.writing import shard_file
from latentloom.pipeline.storage.png import encode_png
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import ShardWriter
from latentloom.pipeline.training import train

SPLITS = {"train": 10, "validation": 90, "test": 170}
"""A grey level for each split, to which the class adds 1."""


def save(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (6, 6), level).save(path)


def folder(where: Path, names: dict[str, str]) -> str:
    """Folders of these names, each a split, with two classes."""
    for name, split in names.items():
        for label in (0, 1):
            save(where / name / f"c{label}" / "a.png", SPLITS[split] + label)
    return f"folder:{where}"


def records(where: Path, names: dict[str, str]) -> str:
    """TFRecord files of these names, each a split."""
    for name, split in names.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(where / name)) as writer:
            for label in (0, 1):
                image = np.full((1, 6, 6, 1), SPLITS[split] + label, np.uint8)
                writer.write(serialize({"image": encode_png(image)[0], "label": f"c{label}"}))
    return f"tfrecord:{where}/**/*" if any("/" in name for name in names) else f"tfrecord:{where}/*"


def archive(where: Path, names: dict[str, str]) -> str:
    """An archive with these names in its array `split`."""
    where.mkdir()
    rows = [(name, SPLITS[split], label) for name, split in names.items() for label in (0, 1)]
    images = np.array([np.full((6, 6), level + label) for _, level, label in rows], np.uint8)
    labels = np.array([f"c{label}" for *_, label in rows])
    np.savez(where / "a.npz", images=images, label=labels, split=np.array([r[0] for r in rows]))
    return f"npz:{where / 'a.npz'}"


def parts(where: Path, names: dict[str, str]) -> str:
    """An archive with arrays for each split, such as `NAME_images`."""
    where.mkdir()
    arrays = {}
    for name, split in names.items():
        levels = np.array([SPLITS[split], SPLITS[split] + 1], np.uint8)
        arrays[f"{name}_images"] = np.tile(levels[:, None, None], (1, 6, 6))
        arrays[f"{name}_labels"] = np.array([["c0"], ["c1"]])
    np.savez(where / "a.npz", **arrays)
    return f"npz:{where / 'a.npz'}"


def table(where: Path, names: dict[str, str]) -> str:
    """A table with these names in its column `split`."""
    rows = ["path,label,split"]
    for name, split in names.items():
        for label in (0, 1):
            save(where / f"{name}{label}.png", SPLITS[split] + label)
            rows.append(f"{name}{label}.png,c{label},{name}")
    (where / "a.csv").write_text("\n".join(rows) + "\n")
    return f"table:{where / 'a.csv'}"


def tables(where: Path, names: dict[str, str]) -> str:
    """Tables of these names, each a split."""
    for name, split in names.items():
        rows = ["path,label"]
        for label in (0, 1):
            save(where / "images" / f"{name}{label}.png", SPLITS[split] + label)
            rows.append(f"images/{name}{label}.png,c{label}")
        (where / name).write_text("\n".join(rows) + "\n")
    return f"table:{where}/[!i]*"


def prepared(where: Path, names: dict[str, str]) -> str:
    """A TFDS directory with splits of these names."""
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(6, 6, 1)),
            "label": tfds.features.ClassLabel(names=["c0", "c1"]),
        }
    )
    where.mkdir()
    infos = []
    for name, split in names.items():
        levels = np.array([SPLITS[split], SPLITS[split] + 1], np.uint8)
        values = {"image": np.tile(levels[:, None, None, None], (1, 6, 6, 1)), "label": [0, 1]}
        with ShardWriter(where / shard_file("other", name, 0, 1)) as writer:
            for row in (0, 1):
                writer.write(features.serialize_example(row_of(values, row)))
        infos.append(tfds.core.SplitInfo(name=name, shard_lengths=[2], num_bytes=writer.num_bytes))
    tfds.folder_dataset.write_metadata(
        data_dir=where, features=features, split_infos=infos, check_data=False
    )
    return f"tfds:{where}"


def holds(out: Path, *splits: str) -> None:
    """Checks that every split has its own images and no others."""
    assert sorted(manifest_of(out)["splits"]) == sorted(splits)
    for split in splits:
        assert means(out, split) == [("c0", SPLITS[split]), ("c1", SPLITS[split] + 1)]


def refused(run, out: Path, *words: str) -> None:
    assert run.returncode == 2, run.stderr
    assert run.stderr.count("\n") == 1
    for word in words:
        assert word in run.stderr
    assert not out.exists()


TOLD = [
    (folder, {"Train": "train", "VAL": "validation", "Testing": "test"}),
    (folder, {"training": "train", "dev": "validation"}),
    (folder, {"train2017": "train", "val2017": "validation"}),
    (archive, {"Train": "train", "valid": "validation", "TEST": "test"}),
    (prepared, {"train": "train", "val": "validation", "testing": "test"}),
    (parts, {"Train": "train", "valid": "validation", "TEST": "test"}),
    (parts, {"train": "train", "dev": "validation"}),
    (table, {"Training": "train", "val": "validation", "TEST": "test"}),
    (tables, {"train-00000-of-00001": "train", "eval": "validation", "x_Test": "test"}),
    (
        records,
        {
            "train-00000-of-00001": "train",
            "validation-00000-of-00001": "validation",
            "test-00000-of-00001": "test",
        },
    ),
    (
        records,
        {
            "test_set-train.tfrecord-00000-of-00001": "train",
            "test_set-eval.tfrecord-00000-of-00001": "validation",
        },
    ),
    (records, {"pets_TRAIN.tfrecord": "train", "pets_dev0.tfrecord": "validation"}),
    (records, {"train/part-0": "train", "val/part-0": "validation", "test/part-0": "test"}),
]


@pytest.mark.parametrize(("write", "names"), TOLD)
def test_every_source_tells_splits_by_one_rule(latentloom, tmp_path, write, names):
    run = latentloom("import", write(tmp_path / "in", names), tmp_path / "out")
    assert run.returncode == 0, run.stderr
    holds(tmp_path / "out", *names.values())


@pytest.mark.parametrize("write", [folder, records, archive, prepared, parts, table, tables])
def test_a_name_that_tells_no_split_is_refused_and_settled_by_an_option(
    latentloom, tmp_path, write
):
    spec = write(tmp_path / "in", {"train": "train", "holdout": "test"})
    out = tmp_path / "out"
    refused(latentloom("import", spec, out), out, "'holdout'", "Pass --split holdout=SPLIT")
    assert latentloom("import", spec, out, "--split", "hold*=test").returncode == 0
    holds(out, "train", "test")
    run = latentloom("import", spec, out, "--split", "holdout=none", "--overwrite")
    assert run.returncode == 0
    holds(out, "train")
    assert "--split" in run.stdout
    left_out = 1 if write in (records, tables) else 2
    assert list(manifest_of(out)["details"]["ignored"].values()) == [left_out]
    if write not in (table, tables):  # whose option names a column
        run = latentloom("import", spec, out, "--split", "test", "--overwrite")
        assert run.returncode == 0
        holds(out, "train", "test")


def test_the_option_of_a_table_takes_a_column_and_names(latentloom, tmp_path):
    spec = table(tmp_path / "in", {"train": "train", "0": "validation", "holdout": "test"})
    file = tmp_path / "in" / "a.csv"
    file.write_text(file.read_text().replace("split", "part", 1))
    out = tmp_path / "out"
    run = latentloom("import", spec, out, "--split", "part,holdout=test,0=validation")
    assert run.returncode == 0, run.stderr
    holds(out, "train", "validation", "test")
    words = ("--split", "part,holdout=test,0=none,b=test", "--overwrite")
    run = latentloom("import", spec, tmp_path / "other", *words)
    refused(run, tmp_path / "other", "has no split 'b'")


def test_two_parts_of_an_archive_are_not_one_split(latentloom, tmp_path):
    spec = parts(tmp_path / "in", {"train": "train", "test": "test", "extra": "test"})
    out = tmp_path / "out"
    words = ("two parts for the split 'test'", "Pass --split extra=none")
    refused(latentloom("import", spec, out, "--split", "extra=test"), out, *words)
    run = latentloom("import", spec, out, "--split", "train=none,test=none,extra=none")
    refused(run, out, "Nothing is left")


@pytest.mark.parametrize("write", [folder, records, archive, prepared, parts, table, tables])
def test_two_words_for_one_split_are_refused(latentloom, tmp_path, write):
    spec = write(tmp_path / "in", {"train": "train", "dev": "validation", "eval": "test"})
    out = tmp_path / "out"
    refused(latentloom("import", spec, out), out, "'dev' and 'eval'", "--split dev=SPLIT")
    assert latentloom("import", spec, out, "--split", "eval=test").returncode == 0
    holds(out, "train", "validation", "test")


def test_files_without_any_word_are_for_training(latentloom, tmp_path):
    spec = records(tmp_path / "in", {"part-0": "train"})
    assert latentloom("import", spec, tmp_path / "out").returncode == 0
    holds(tmp_path / "out", "train")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("holdout=tst", ["The option --split is malformed", "Did you mean 'test'"]),
        ("tran", ["Did you mean 'train'"]),
        ("", ["malformed"]),
        ("holdaut=test", ["has no split 'holdaut'", "Did you mean 'holdout'"]),
    ],
)
def test_a_wrong_split_option_is_refused(latentloom, tmp_path, option, words):
    spec = folder(tmp_path / "in", {"train": "train", "holdout": "test"})
    out = tmp_path / "out"
    refused(latentloom("import", spec, out, "--split", option), out, *words)


def test_an_option_without_effect_is_refused(latentloom, tmp_path):
    for words in (("--split", "a=test"), ("--subfolders",), ("--image", "x"), ("--first",)):
        run = latentloom("import", "builtin:digits", tmp_path / "out", *words)
        refused(run, tmp_path / "out", f"does not use {words[0]}", f"Drop {words[0]}")
    spec = folder(tmp_path / "in", {".": "train"})
    run = latentloom("import", spec, tmp_path / "out", "--split", "c1=test")
    refused(run, tmp_path / "out", "'c1'", "is the folder of a class")


def test_documents_follow_the_same_rule(latentloom, tmp_path):
    rows = {"data": [1, 1], "indices": [0, 1], "indptr": [0, 1, 2], "labels": [0, 1]}
    arrays = {f"{p}_{n}": np.array(v) for p in ("train", "val") for n, v in rows.items()}
    np.savez(tmp_path / "a.npz", vocab=np.array(["moon", "star"]), **arrays)
    assert latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out").returncode == 0
    assert sorted(manifest_of(tmp_path / "out")["splits"]) == ["train", "validation"]


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("words", [(), ("--split", "0=train,1=test")])
def test_an_array_of_splits_may_be_a_column_of_names_or_numbers(
    latentloom, tmp_path, column, words
):
    split = np.array([0, 0, 1, 1]) if words else np.array(["train", "train", "test", "test"])
    levels = np.array([10, 11, 170, 171], np.uint8)
    images, label = np.tile(levels[:, None, None], (1, 6, 6)), np.array(["c0", "c1"] * 2)
    split = split[:, None] if column else split
    np.savez(tmp_path / "a.npz", images=images, label=label, split=split)
    run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", *words)
    assert run.returncode == 0, run.stderr
    holds(tmp_path / "out", "train", "test")


@pytest.mark.parametrize(
    "split",
    [
        np.zeros((4, 2), int),
        np.zeros(3, int),
        np.array("train"),
        np.zeros(4),
        np.zeros((1, 4), int),
    ],
)
def test_another_array_of_splits_is_refused(latentloom, tmp_path, split):
    arrays = {"images": np.zeros((4, 6, 6), np.uint8), "label": np.arange(4) % 2}
    np.savez(tmp_path / "a.npz", split=split, **arrays)
    run = latentloom("import", f"npz:{tmp_path / 'a.npz'}", tmp_path / "out")
    refused(run, tmp_path / "out", "The array `split`", f"split.shape={split.shape}", "Save one")


def test_a_validation_split_stops_the_training_and_is_never_trained_on(
    latentloom, tmp_path, monkeypatch
):
    for split, level in SPLITS.items():
        for number in range(20):
            for label in (0, 1):
                save(tmp_path / "in" / split / f"c{label}" / f"{number:02d}.png", level + label)
    assert latentloom("import", f"folder:{tmp_path / 'in'}", tmp_path / "data").returncode == 0
    seen = {}

    def record(config, folds, *_):
        seen.update({name: fold.loaded().observations for name, fold in vars(folds).items()})
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "fit_bundle", record)
    words = ("--data", tmp_path / "data", "--out", tmp_path / "out")
    latentloom("train", CONFIGS / "zszu_digits.yaml", *words)
    for name, pixels in seen.items():
        split = "validation" if name == "validation" else "train"
        assert np.unique(pixels).tolist() == [SPLITS[split], SPLITS[split] + 1]
    assert {len(seen[name]) for name in ("train", "validation")} == {40}
    assert len(seen["judge"]) + len(seen["auditor"]) == 40
