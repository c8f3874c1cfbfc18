"""Images with a channel of opacity come out alike, whatever the source."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_datasets as tfds
from independent import details, images
from PIL import Image
from pyarrow import parquet
from tfds_directories import write_directory
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import frame

COUNT, HEIGHT, WIDTH = 6, 5, 7
RNG = np.random.default_rng(0)
RGBA = RNG.integers(0, 256, (COUNT, HEIGHT, WIDTH, 4), dtype=np.uint8)
RGBA[0, ..., :3], RGBA[0, 0, 0, 3] = 255, 0  # white, drawn by its opacity alone
LABELS = np.arange(COUNT) % 2


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def refusal(result: Result) -> str:
    assert result.exit_code != 0
    return " ".join(f"{result.exception} {result.output}".split())


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def as_folder(folder: Path, pixels: np.ndarray) -> str:
    for row, (image, label) in enumerate(zip(pixels, LABELS, strict=True)):
        (folder / "d" / "ab"[label]).mkdir(parents=True, exist_ok=True)
        (folder / "d" / "ab"[label] / f"{row}.png").write_bytes(png(image))
    return f"folder:{folder / 'd'}"


def as_npz(folder: Path, pixels: np.ndarray) -> str:
    order = np.argsort(LABELS, kind="stable")
    np.savez(folder / "a.npz", images=pixels[order], label=LABELS[order])
    return f"npz:{folder / 'a.npz'}"


def as_records(folder: Path, pixels: np.ndarray) -> str:
    height, width, depth = pixels.shape[1:]
    with (folder / "a.tfrecord").open("wb") as file:
        for row in np.argsort(LABELS, kind="stable"):
            values = {"height": height, "width": width, "depth": depth, "label": int(LABELS[row])}
            file.write(frame(serialize({"image_raw": pixels[row].tobytes(), **values})))
    return f"tfrecord:{folder / 'a.tfrecord'}"


def as_table(folder: Path, pixels: np.ndarray) -> str:
    order = np.argsort(LABELS, kind="stable")
    columns = {"image": [png(pixels[row]) for row in order], "label": LABELS[order]}
    parquet.write_table(pa.table(columns), folder / "a.parquet")
    return f"table:{folder / 'a.parquet'}"


def as_tfds(folder: Path, pixels: np.ndarray) -> str:
    order = np.argsort(LABELS, kind="stable")
    features = {
        "image": tfds.features.Image(shape=pixels.shape[1:]),
        "label": tfds.features.ClassLabel(num_classes=2),
    }
    values = {"image": pixels[order], "label": LABELS[order]}
    return write_directory(folder / "1.0.0", features, values)


SOURCES = (as_folder, as_npz, as_records, as_table, as_tfds)
LAID = {"black": (0, 0, 0), "#204080": (32, 64, 128), "white": (255, 255, 255)}


def laid(pixels: np.ndarray, ground: tuple[int, int, int]) -> np.ndarray:
    """The images of each class in turn on a ground, as the definition says."""
    colours = np.repeat(pixels[..., :1], 3, -1) if pixels.shape[-1] == 2 else pixels[..., :3]
    share = pixels[..., -1:] / 255
    mixed = colours * share + np.array(ground) * (1 - share)
    return mixed[np.argsort(LABELS, kind="stable")]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("ground", LAID)
def test_opacity_is_laid_on_the_ground_in_every_source(tmp_path, source, ground):
    spec = source(tmp_path, RGBA)
    done = run(spec, tmp_path / "out", "--ground", ground)
    assert done.exit_code == 0, done.exception
    np.testing.assert_allclose(images(tmp_path / "out"), laid(RGBA, LAID[ground]), atol=1)
    blank = 1 if ground == "white" else 0
    assert details(tmp_path / "out").get("changes", {}).get("blank", {}).get("count", 0) == blank
    assert ("became constant" in done.output) == bool(blank)


@pytest.mark.parametrize("source", [as_folder, as_npz, as_records, as_table])
def test_grey_images_with_opacity_stay_grey_on_a_grey_ground(tmp_path, source):
    grey = RGBA[..., [0, 3]]
    assert run(source(tmp_path, grey), tmp_path / "out", "--ground", "black").exit_code == 0
    found = images(tmp_path / "out")
    assert found.ndim == 3
    np.testing.assert_allclose(found, laid(grey, (0, 0, 0))[..., 0], atol=1)
    assert run(source(tmp_path / "out", grey), tmp_path / "o", "--ground", "red").exit_code == 0
    np.testing.assert_allclose(images(tmp_path / "o"), laid(grey, (255, 0, 0)), atol=1)


@pytest.mark.parametrize("source", SOURCES)
def test_images_with_opacity_become_grey_and_small_as_others_do(tmp_path, source):
    spec = source(tmp_path, RGBA)
    words = ("--ground", "white", "--channels", 1, "--image-size", "10x14")
    assert run(spec, tmp_path / "out", *words).exit_code == 0
    found = images(tmp_path / "out")
    assert found.shape == (COUNT, 10, 14)
    whole = laid(RGBA, (255, 255, 255)) @ np.array([0.299, 0.587, 0.114])
    assert abs(found.mean() - whole.mean()) < 2


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("source", [as_npz, as_records])
def test_numbers_that_may_be_an_opacity_are_refused_with_the_option(tmp_path, source, channels):
    told = refusal(run(source(tmp_path, RGBA[..., -channels:]), tmp_path / "out"))
    assert re.search(rf"{channels} channels|x {channels};", told)
    assert "--ground white" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", [as_folder, as_table, as_tfds])
def test_files_that_say_that_they_have_an_opacity_are_laid_on_white(tmp_path, source):
    assert run(source(tmp_path, RGBA), tmp_path / "out").exit_code == 0
    np.testing.assert_allclose(images(tmp_path / "out"), laid(RGBA, (255, 255, 255)), atol=1)


@pytest.mark.parametrize("channels", [2, 4])
def test_channels_first_has_the_opacity_last(tmp_path, channels):
    order = np.argsort(LABELS, kind="stable")
    pixels = RGBA[..., -channels:]
    np.savez(tmp_path / "a.npz", images=np.moveaxis(pixels[order], -1, 1), label=LABELS[order])
    told = refusal(run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", "--ground", "black"))
    assert "--channels-first" in told
    words = ("--ground", "black", "--channels-first")
    assert run(f"npz:{tmp_path / 'a.npz'}", tmp_path / "out", *words).exit_code == 0
    wanted = laid(pixels, (0, 0, 0))
    found = images(tmp_path / "out")
    np.testing.assert_allclose(found, wanted if channels == 4 else wanted[..., 0], atol=1)


def test_deep_arrays_keep_the_range_of_their_type_for_the_opacity(tmp_path):
    deep = RGBA.astype(np.uint16) * 257
    spec = as_npz(tmp_path, deep)
    words = ("--ground", "black", "--range", "0,65535")
    assert run(spec, tmp_path / "out", *words).exit_code == 0
    np.testing.assert_allclose(images(tmp_path / "out"), laid(RGBA, (0, 0, 0)), atol=1)
    half = np.where(np.arange(4) < 3, deep // 2, deep)
    assert run(as_npz(tmp_path, half), tmp_path / "half", *words[:3], "0,32767").exit_code == 0
    np.testing.assert_allclose(images(tmp_path / "half"), laid(RGBA, (0, 0, 0)), atol=2)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_an_opacity_without_a_known_range_is_refused(tmp_path, dtype):
    spec = as_npz(tmp_path, RGBA.astype(dtype))
    told = refusal(run(spec, tmp_path / "out", "--ground", "white", "--range", "0,255"))
    assert "opacity" in told
    assert "uint8 or uint16" in told


@pytest.mark.parametrize("dtype", [np.uint8, bool])
def test_stencils_of_0_and_1_become_black_and_white_with_their_opacity(tmp_path, dtype):
    stencils = (RGBA > 127).astype(dtype)
    assert run(as_npz(tmp_path, stencils), tmp_path / "out", "--ground", "black").exit_code == 0
    whole = (RGBA > 127).astype(np.uint8) * 255
    np.testing.assert_allclose(images(tmp_path / "out"), laid(whole, (0, 0, 0)), atol=1)


@pytest.mark.parametrize("source", SOURCES)
def test_masks_behind_a_full_opacity_are_still_masks(tmp_path, source):
    full = np.full_like(RGBA[..., :1], 255)
    (tmp_path / "masks").mkdir()
    masks = source(tmp_path / "masks", np.concatenate([RGBA[..., :3] % 4, full], axis=-1))
    assert "--range 0,3" in refusal(run(masks, tmp_path / "out", "--ground", "white"))
    stencils = np.concatenate([(RGBA[..., :3] > 99).astype(np.uint8), full], axis=-1)
    assert run(source(tmp_path, stencils), tmp_path / "out", "--ground", "white").exit_code == 0
    wanted = (RGBA[np.argsort(LABELS, kind="stable"), ..., :3] > 99) * 255
    np.testing.assert_array_equal(images(tmp_path / "out"), wanted)
