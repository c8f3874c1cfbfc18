"""Bundles that were damaged or edited, as the command meets them: one message, exit code 2."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from latentloom.model_zoo.bundle import DESCRIPTION, PRIORS, weight_files

SAVED = Path(__file__).parents[1] / "fixtures" / "saved"
NAMES = ["label", "label"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with `data` and `bundle` of the zs/zu model."""
    folder = tmp_path_factory.mktemp("saved")
    with zipfile.ZipFile(SAVED / "zszu_vae.zip") as pack:
        pack.extractall(folder)
    return folder


@pytest.fixture
def bundle(saved, tmp_path):
    """A copy of the bundle to spoil."""
    return shutil.copytree(saved / "bundle", tmp_path / "bundle")


@pytest.fixture
def refused(latentloom, saved, tmp_path):
    """Checks that a verb refuses the bundle in one message and writes nothing."""

    def check(verb, bundle, *mentions):
        out = tmp_path / "out"
        words = {
            "inspect": (bundle,),
            "evaluate": ("--data", saved / "data", "--model", bundle, "--out", out),
            "generate": (
                *(bundle / "config.yaml", "--data", saved / "data", "--model", bundle),
                *("--out", out),
            ),
        }[verb]
        run = latentloom(verb, *words)
        assert run.returncode == 2, run.stderr
        assert run.stderr.count("\n") == 1, run.stderr
        assert "Traceback" not in run.stderr
        for mention in (*mentions, "Expected: ", "Received: "):
            assert mention in run.stderr
        assert len(run.stderr) < 2000
        assert not out.exists()

    return check


def seal(bundle: Path, description: dict) -> None:
    """Writes a description whose digest matches it."""
    content = {name: value for name, value in description.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True).encode()
    sealed = description | {"digest": hashlib.sha256(text).hexdigest()}
    (bundle / DESCRIPTION).write_text(json.dumps(sealed))


def edit(bundle: Path, path: str, value: object) -> None:
    """Sets or, for `...`, removes the value at a dotted path, and seals the description."""
    description = json.loads((bundle / DESCRIPTION).read_text())
    *parents, last = path.split("/")
    place = description
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    seal(bundle, description)


def seal_files(bundle: Path) -> None:
    """Writes the description anew for files that were changed."""
    description = json.loads((bundle / DESCRIPTION).read_text())
    files = {name: hashlib.sha256((bundle / name).read_bytes()) for name in weight_files()}
    description["files"] = {name: digest.hexdigest() for name, digest in files.items()}
    seal(bundle, description)


SCHEMA_EDITS = [
    *((key, ...) for key in ("model", "args", "latent_spec", "factors", "files", "details")),
    *((key, ...) for key in ("image_shape", "value_range", "judge_width", "schema_version")),
    *((key, None) for key in ("model", "args", "image_shape", "factors", "judge_factors")),
    ("schema_version", "1"),
    ("schema_version", None),
    ("model", ["zszu_vae"]),
    ("model", "no_such_model"),
    ("args", ["zs_dim", 8]),
    ("args/zs_dimension", 8),
    ("args/noise_variance", float("nan")),
    ("args/noise_variance", float("inf")),
    ("latent_spec", []),
    ("latent_spec", {}),
    ("latent_spec/zs", 8),
    ("latent_spec/zs/dim", -8),
    ("latent_spec/zs/dim", 8.5),
    ("latent_spec/zs/dim", True),
    ("latent_spec/zs/dim", 10**12),
    ("latent_spec/zs/factors", "label"),
    ("latent_spec/zs/factors", ["ink"]),
    ("value_range", [1.0, -1.0]),
    ("value_range", [float("nan"), 1.0]),
    ("value_range", {"low": -1, "high": 1}),
    ("image_shape", [4, 4]),
    ("image_shape", [-4, -4, 1]),
    ("image_shape", [10**9, 10**9, 3]),
    ("image_shape", []),
    ("image_shape", "4x4"),
    ("factors", ["label"]),
    ("factors/label", []),
    ("factors/label", ["0", "0", "2", "3", "4"]),
    ("factors/label", [0, 1, 2, 3, 4]),
    ("factors", {"ink": ["red"], "label": ["0", "1"]}),
    ("factors/label", ["0", "1", "2", "3", "\ud800"]),
    ("judge_factors", NAMES),
    ("judge_factors", ["font"]),
    ("judge_width", 0),
    ("judge_width", 10**9),
    ("judge_width", "wide"),
    ("scaling", {"kind": "sound"}),
    ("scaling", {"kind": "vector", "loc": [0.0], "scale": [0.0]}),
    ("scaling/loc", [0.0]),
    ("vocabulary", ["a", "b"]),
    ("files", {}),
    ("files", ["model.weights.h5"]),
    ("files/..%2Fdata%2Fmanifest.json", "0" * 64),
    ("files/priors.npz", 7),
    ("details", []),
    ("extra", 1),
]


@pytest.mark.parametrize(("path", "value"), SCHEMA_EDITS, ids=lambda value: str(value)[:40])
def test_an_edited_description_is_one_message(refused, bundle, path, value):
    edit(bundle, path.replace("%2F", "\\"), value)
    refused("inspect", bundle, DESCRIPTION, "Copy the bundle again or retrain.")


BUILD_EDITS = [
    ("args/hidden_dim", 0),
    ("args/hidden_dim", -1),
    ("args/hidden_dim", 10**9),
    ("args/hidden_dim", 2**64),
    ("args/hidden_dim", "eight"),
    ("args/hidden_dim", 7),
    ("args/hidden_dim", [8] * 10_000),
    ("args/zs_dim", 10**9),
    ("args/zs_dim", 9),
    ("args/zs_dim", None),
    ("args/zu_dim", {"dim": 16}),
    ("args/kernel_size", 10**9),
    ("args/base_side", 0),
    ("args/network", "conv"),
    ("args/network", 7),
    ("args/class_probabilities", [0.5]),
    ("args/zu_head", "stiefel"),
    ("latent_spec", {"zs": {"dim": 8, "factors": ["label"]}}),
    ("latent_spec/zu/dim", 17),
    ("value_range", [0.0, 1.0]),
    ("image_shape", [8, 8, 1]),
    ("image_shape", [8000, 8000, 1]),
    ("factors/label", ["0", "1", "2"]),
    ("factors/label", [str(number) for number in range(1000)]),
    ("model", "hfvae"),
    ("model", "gzs_net"),
    ("model", "st_rkm"),
]


@pytest.mark.parametrize(("path", "value"), BUILD_EDITS, ids=lambda value: str(value)[:40])
def test_a_description_of_another_model_is_one_message(refused, bundle, path, value):
    edit(bundle, path, value)
    refused("generate", bundle)


DETAILS = [
    ("details/config", []),
    ("details/config", {"train": {"epochs": "many"}}),
    ("details/hold_out", {"held_out": {"names": [], "counts": 3}}),
    ("details/data", {"name": 3}),
    ("details/versions", {"keras": 3}),
]


@pytest.mark.parametrize(("path", "value"), DETAILS)
def test_wrong_details_are_one_message(refused, bundle, path, value):
    edit(bundle, path, value)
    refused("evaluate", bundle)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "7", '"bundle"', "{", "[" * 10_000 + "]" * 10_000, "\ufeff{}", "{}\0"],
    ids=lambda text: repr(text[:10]),
)
def test_what_is_no_description_is_one_message(refused, bundle, text):
    (bundle / DESCRIPTION).write_text(text)
    refused("inspect", bundle, DESCRIPTION)


def test_a_description_that_is_nested_deeply_is_one_message(refused, bundle):
    text = (bundle / DESCRIPTION).read_text()
    deep = '{"a":' * 10_000 + "1" + "}" * 10_000
    (bundle / DESCRIPTION).write_text(text.replace('"args": {', f'"args": {{"deep": {deep},', 1))
    refused("generate", bundle, DESCRIPTION)


def test_bytes_that_are_not_utf8_are_one_message(refused, bundle):
    (bundle / DESCRIPTION).write_bytes(b'{"model": "\xff"}')
    refused("inspect", bundle, DESCRIPTION)


def no_archive(path: Path) -> None:
    path.write_bytes(b"PK\3\4 no archive")


def other_shape(path: Path) -> None:
    with np.load(path) as arrays:
        priors = {name: arrays[name] for name in arrays.files}
    np.savez(path, **priors | {"zs/loc": np.zeros((5, 1, 9), np.float32)})


def other_name(path: Path) -> None:
    np.savez(path, **{"../zs/loc": np.zeros((5, 1, 8), np.float32)})


def no_numbers(path: Path) -> None:
    np.savez(path, **{"zs/loc": np.full((5, 1, 8), "text")})


def not_finite(path: Path) -> None:
    with np.load(path) as arrays:
        priors = {name: arrays[name] for name in arrays.files}
    np.savez(path, **priors | {"zs/loc": np.full_like(priors["zs/loc"], np.nan)})


def a_bomb(path: Path) -> None:
    """200 MB of zeros in 200 kB, as an array that the blocks do not have room for."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (5, 1, 10000000), }"
    magic = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("zs/loc.npy", "w", force_zip64=True) as member:
            member.write(magic)
            for _ in range(200):
                member.write(bytes(1_000_000))


@pytest.mark.parametrize(
    "spoil", [no_archive, other_shape, other_name, no_numbers, not_finite, a_bomb]
)
def test_priors_that_do_not_fit_the_blocks_are_one_message(refused, bundle, spoil):
    spoil(bundle / PRIORS)
    seal_files(bundle)
    refused("generate", bundle)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def missing_layer(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file[next(iter(file))]


def linked_elsewhere(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        name = next(iter(file))
        del file[name]
        file[name] = h5py.ExternalLink("elsewhere.h5", "/")


def declares_more(path: Path) -> None:
    """An array of 4 TB that HDF5 fills in only when it is read."""
    with h5py.File(path, "r+") as file:
        file.create_dataset("huge", shape=(10**6, 10**6), dtype="f4", chunks=(1, 1000))


@pytest.mark.parametrize("name", [name for name in weight_files() if name != PRIORS])
@pytest.mark.parametrize("spoil", [cut, empty, missing_layer, linked_elsewhere, declares_more])
def test_damaged_weights_are_one_message_that_names_the_file(refused, bundle, spoil, name):
    spoil(bundle / name)
    seal_files(bundle)
    refused("generate", bundle, name, "Copy the bundle again or retrain.")
