"""What other libraries do without a word, and we tell, refuse or do as one expects."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_datasets as tfds
from bundles import digits_bundle, digits_data
from PIL import Image
from pyarrow import parquet

from latentloom.pipeline.reader import read
from latentloom.pipeline.storage.png import encode_png
from latentloom.pipeline.storage.tf_example import Example
from latentloom.pipeline.storage.tfrecords import read_records

ODD = "da[t]a [x*]"
QUICK = ("generate.sampling_strategy={new: {'3': 3}}", "generate.gate.enabled=false")


def images_of(folder: Path, files: dict[str, int]) -> Path:
    """A folder of images, each of a number of frames."""
    rng = np.random.default_rng(0)
    for name, count in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shots = rng.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        first, *others = [Image.fromarray(shot) for shot in shots]
        more = {"save_all": True, "append_images": others} if others else {}
        first.save(path, **more)
    return folder


def test_a_folder_may_have_the_letters_of_a_pattern_in_its_name(latentloom, tmp_path):
    root, digits = tmp_path / ODD, digits_data()
    shutil.copytree(digits, root / "digits[1]")
    data, made, out = root / "digits[1]", root / "made[2]", root / "out[3]"
    settings = [word for setting in QUICK for word in ("--set", setting)]
    few = ["--set", "evaluate.anchors=4", "--set", "evaluate.accuracy_steps=0"]
    config, model = digits_bundle() / "config.yaml", ("--model", digits_bundle())
    for words in (
        ("verify", data),
        ("inspect", data),
        ("look", data),
        ("generate", config, "--data", data, *model, "--out", made, *settings, *few),
        ("verify", made, "--data", data),
        ("export", made, out, "--to", "folder"),
        ("export", made, out, "--to", "folder", "--overwrite"),
        ("import", f"folder:{out}", root / "back[4]"),
        ("import", f"table:{out}/metadata.csv", root / "back[5]"),
    ):
        done = latentloom(*words)
        assert done.returncode == 0, (words, done.stderr)
    assert len(list(read(root / "back[4]"))) == len(read(made)) == 3


def test_inspect_shows_such_a_name_as_it_is(latentloom, dataset, tmp_path):
    shutil.copytree(dataset.path, tmp_path / "da[t]a")
    assert "da[t]a" in latentloom("inspect", tmp_path / "da[t]a").stdout.replace("\n", "")


def table(path: Path, names: list[str]) -> str:
    """A Parquet file of Hugging Face whose classes have such names."""
    images = encode_png(np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), dtype=np.uint8))
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", "int64")],
        {b"huggingface": json.dumps({"info": {"features": features}})},
    )
    rows = {"image": [{"bytes": png, "path": None} for png in images], "label": [0, 1, 2] * 10}
    parquet.write_table(pa.table(rows, schema), path)
    return f"table:{path}"


@pytest.mark.parametrize(
    "names", [["cat", "", "eel"], ["cat", "dog", "cat"], ["cat", "dog ", "dog"]]
)
def test_blank_and_repeated_names_of_classes_are_refused(latentloom, tmp_path, names):
    done = latentloom("import", table(tmp_path / "t.parquet", names), tmp_path / "out")
    assert done.returncode == 2
    assert "distinct names, none of them blank" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("names", [["cat", " ", "eel"], ["cat", "cat ", "eel"]])
def test_they_are_refused_in_archives_and_folders_too(latentloom, tmp_path, names):
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, label=np.array(names)[np.arange(30) % 3])
    images_of(tmp_path / "folder", {f"{name}/{n}.png": 1 for name in names for n in range(3)})
    for source in (f"npz:{tmp_path / 'a.npz'}", f"folder:{tmp_path / 'folder'}"):
        done = latentloom("import", source, tmp_path / "out")
        assert done.returncode == 2
        assert "The values of factor 'label' are invalid" in done.stderr
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "told"), [("cat\n\neel\n", "is blank.*line 2"), ("cat\ncat\neel\n", "distinct names")]
)
def test_a_file_of_names_that_tfds_would_read_otherwise_is_refused(
    latentloom, dataset, tmp_path, text, told
):
    shutil.copytree(dataset.path, tmp_path / "tfds")
    (tmp_path / "tfds" / "label.labels.txt").write_text(text)
    done = latentloom("import", f"tfds:{tmp_path / 'tfds'}", tmp_path / "out")
    assert done.returncode == 2
    assert re.search(told, done.stderr), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_manifest_with_repeated_names_is_refused(latentloom, dataset, tmp_path):
    path = Path(dataset.path) / "manifest.json"
    for names in (["cat", "cat", "eel"], ["cat", "", "eel"]):
        manifest = json.loads(path.read_text())
        manifest["factors"]["label"] = names
        path.write_text(json.dumps(manifest))
        done = latentloom("export", dataset.path, tmp_path / "out", "--to", "parquet")
        assert done.returncode == 2
        assert "distinct names" in done.stderr


def test_a_feature_of_several_values_is_written_where_there_are_none(latentloom, tmp_path):
    made, config = tmp_path / "made", digits_bundle() / "config.yaml"
    settings = [word for setting in QUICK for word in ("--set", setting)]
    few = ["--set", "evaluate.anchors=4", "--set", "evaluate.accuracy_steps=0"]
    inputs = ("--data", digits_data(), "--model", digits_bundle())
    assert not latentloom("generate", config, *inputs, "--out", made, *settings, *few).returncode
    for shard in made.glob("*.tfrecord-*"):
        for record in read_records(shard):
            features = Example.FromString(record).features.feature
            assert "donor_ids" in features
            assert features["donor_ids"].WhichOneof("kind") == "bytes_list"
    rows = tfds.as_numpy(tfds.builder_from_directory(made).as_dataset(split="train"))
    assert [row["donor_ids"].tolist() for row in rows] == [[]] * 3


def test_the_frames_that_are_left_out_are_counted(latentloom, tmp_path):
    frames = {"cat/a.gif": 3, "cat/b.gif": 1, "dog/a.gif": 2, "dog/b.tiff": 4, "dog/c.png": 1}
    images_of(tmp_path / "films", frames)
    done = latentloom("import", f"folder:{tmp_path / 'films'}", tmp_path / "out")
    assert done.returncode == 0
    assert "Left out 6: the pages or frames after the first" in done.stderr + done.stdout
    assert "First: 'cat/a.gif'" in done.stderr + done.stdout
