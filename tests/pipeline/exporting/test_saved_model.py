"""A SavedModel of a bundle gives what the bundle gives, in a process that has TensorFlow alone."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from bundles import digits_bundle, digits_data

import latentloom

PROGRAM = """
import json, sys
import numpy as np, tensorflow as tf

model, given = tf.saved_model.load(sys.argv[1]), np.load(sys.argv[2])
encode, decode, judge = (model.signatures[name] for name in ("encode", "decode", "judge"))
codes = encode(observations=given["images"])
read = judge(observations=given["images"])
made = decode(**{name: block for name, block in codes.items()})
one = encode(observations=given["images"][:1])
assert "latentloom" not in sys.modules
arrays = {f"code/{name}": block for name, block in codes.items()}
arrays |= {f"judge/{name}": part for name, part in read.items()}
arrays |= {f"one/{name}": block for name, block in one.items()}
np.savez(sys.argv[3], made=made["observations"], **arrays)
"""


def test_a_fresh_process_gives_what_the_bundle_gives(tmp_path):
    out, given, found = (tmp_path / name for name in ("model", "given.npz", "found.npz"))
    latentloom.export(digits_bundle(), out, to="saved_model")
    images = np.stack([r["image"] for r in latentloom.open_dataset(digits_data())[:40]])
    np.savez(given, images=images)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", PROGRAM, str(out), str(given), str(found)]
    done = subprocess.run(command, capture_output=True, text=True, env=alone, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    arrays, bundle = np.load(found), latentloom.load_bundle(digits_bundle())
    latents = bundle.encode(images)
    for name, block in latents.items():
        np.testing.assert_allclose(arrays[f"code/{name}"], block, atol=1e-4)
        np.testing.assert_allclose(arrays[f"one/{name}"], block[:1], atol=1e-4)
    for name, read in bundle.judge(images).items():
        np.testing.assert_allclose(arrays[f"judge/{name}"], read, atol=1e-4)
    apart = np.abs(arrays["made"].astype(int) - bundle.decode(latents).astype(int))
    assert arrays["made"].dtype == np.uint8
    assert apart.max() <= 1  # a level that was rounded the other way
    assert apart.mean() < 0.001


def test_the_signatures_are_described(tmp_path):
    told = latentloom.export(digits_bundle(), tmp_path / "model", to="saved_model")
    described = json.loads((tmp_path / "model" / "signatures.json").read_text())
    assert described["observations"] == {"shape": ["n", 8, 8, 1], "dtype": "uint8"}
    assert described["blocks"]["zs"] == {
        "shape": ["n", 8],
        "dtype": "float32",
        "factors": ["label"],
    }
    assert described["judge"] == {"label": [str(digit) for digit in range(10)]}
    assert told["digest"] == latentloom.load_bundle(digits_bundle()).digest
    on_disk = {
        p.relative_to(tmp_path / "model").as_posix() for p in (tmp_path / "model").rglob("*")
    }
    assert set(told["files"]) <= on_disk


def test_an_export_is_replaced_whole_and_a_stranger_stays(tmp_path):
    out = tmp_path / "model"
    latentloom.export(digits_bundle(), out, to="saved_model")
    latentloom.export(digits_bundle(), out, to="saved_model", overwrite=True)
    (out / "variables" / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="notes.txt' is no file of the export"):
        latentloom.export(digits_data(), out, to="parquet", overwrite=True)


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        (digits_bundle, "parquet", "cannot be exported so. Expected: one of saved_model, onnx"),
        (digits_data, "saved_model", "one of parquet, webdataset, folder"),
    ],
)
def test_a_format_of_the_other_kind_is_refused(tmp_path, path, to, message):
    with pytest.raises(ValueError, match=message):
        latentloom.export(path(), tmp_path / "out", to=to)
    assert not (tmp_path / "out").exists()
