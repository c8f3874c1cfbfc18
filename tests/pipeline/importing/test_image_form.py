"""Images keep their shapes, depths and levels through the command, or the command says so."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from independent import details, images
from PIL import Image
from typer.testing import CliRunner, Result

from latentloom.pipeline.command import app

RNG = np.random.default_rng(0)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def refusal(result: Result) -> str:
    assert result.exit_code != 0
    return f"{result.exception} {result.output}"


def disc(height: int, width: int, radius: int = 10, ground: int = 30) -> np.ndarray:
    """A light disc in the middle of a dark image."""
    down, right = np.mgrid[:height, :width]
    inside = (down - height / 2 + 0.5) ** 2 + (right - width / 2 + 0.5) ** 2 <= radius**2
    return np.where(inside, 220, ground).astype(np.uint8)


def save_folder(root: Path, pictures, suffix: str = "png", **options) -> str:
    for number, picture in enumerate(pictures):
        path = root / "ab"[number % 2] / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        picture.save(path, **options)
    return f"folder:{root}"


def save_npz(path: Path, pictures: np.ndarray, **arrays) -> str:
    np.savez(path, images=pictures, label=np.arange(len(pictures)) % 2, **arrays)
    return f"npz:{path}"


def extent(image: np.ndarray) -> tuple[int, int]:
    """Height and width of the light part of an image."""
    light = image.reshape(*image.shape[:2], -1)[..., 0] > 125
    return int(light.any(1).sum()), int(light.any(0).sum())


@pytest.fixture(params=["folder", "npz", "tfrecord"])
def wide(request, tmp_path) -> str:
    """Discs in images of 32 x 64, in every kind of source."""
    pictures = [disc(32, 64)] * 4
    if request.param == "npz":
        return save_npz(tmp_path / "a.npz", np.stack(pictures))
    if request.param == "folder":
        return save_folder(tmp_path / "in", pictures)
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for number, picture in enumerate(pictures):
            png = tf.io.encode_png(picture[..., None]).numpy()
            features = {
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[png])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[number % 2])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return f"tfrecord:{tmp_path / 'a.tfrecord'}"


def test_by_default_images_are_padded_in_the_colour_of_their_edge(wide, tmp_path):
    done = run(wide, tmp_path / "out", "--image-size", 32)
    assert "4 of 4 images were padded to keep their shapes: at most 50.0%" in done.output
    (height, width), image = extent(images(tmp_path / "out")[0]), images(tmp_path / "out")[0]
    assert height == width == 10
    assert (image[[0, 1, -1]] == 30).all()
    assert details(tmp_path / "out")["changes"]["padded"]["count"] == 4


def test_a_ground_is_the_colour_of_the_border(wide, tmp_path):
    assert run(wide, tmp_path / "o", "--image-size", 32, "--ground", "#ff0000").exit_code == 0
    assert (images(tmp_path / "o")[0][0] == (255, 0, 0)).all()
    run(wide, tmp_path / "grey", "--image-size", 32, "--ground", "white")
    assert (images(tmp_path / "grey")[0][0] == 255).all()


def test_cropped_images_keep_their_middle(wide, tmp_path):
    done = run(wide, tmp_path / "out", "--image-size", 32, "--fit", "crop")
    assert "were cropped to keep their shapes: at most 50.0%" in done.output
    np.testing.assert_array_equal(images(tmp_path / "out")[0], disc(32, 64)[:, 16:48])


def test_stretched_images_say_by_how_much(wide, tmp_path):
    done = run(wide, tmp_path / "out", "--image-size", 32, "--fit", "stretch")
    assert "were stretched: at most 2.00 times" in done.output
    height, width = extent(images(tmp_path / "out")[0])
    assert height == pytest.approx(2 * width, abs=1)


def test_a_size_of_the_same_aspect_changes_nothing_else(wide, tmp_path):
    done = run(wide, tmp_path / "out", "--image-size", "16x32")
    assert "padded" not in done.output
    assert images(tmp_path / "out").shape == (4, 16, 32)
    assert "changes" not in details(tmp_path / "out")


def test_squares_have_the_same_bytes_however_they_are_fitted(tmp_path):
    spec = save_folder(tmp_path / "in", RNG.integers(0, 256, (4, 20, 20, 3), np.uint8))
    shards = []
    for fit in ("pad", "crop", "stretch"):
        run(spec, tmp_path / fit, "--image-size", 8, "--fit", fit, "--name", "a")
        shards.append(next((tmp_path / fit).glob("*train.tfrecord*")).read_bytes())
    assert shards[0] == shards[1] == shards[2]
    first = Image.open(tmp_path / "in" / "a" / "0.png").resize((8, 8), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images(tmp_path / "pad")[0], np.asarray(first))


def test_mixed_sizes_are_told_what_keeps_shapes(tmp_path):
    spec = save_folder(tmp_path / "in", [disc(32, 64), disc(64, 32)])
    said = refusal(run(spec, tmp_path / "out"))
    assert "Pass --image-size 64, which keeps shapes and pads" in said
    assert run(spec, tmp_path / "out", "--image-size", 64).exit_code == 0
    assert [extent(image) for image in images(tmp_path / "out")] == [(20, 20)] * 2


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (["--image-size", "64y32"], "64x32"),
        (["--image-size", 2], "from 4 to 1024"),
        (["--fit", "crop"], "Pass --image-size too"),
        (["--image-size", 8, "--fit", "croq"], "Did you mean 'crop'"),
        (["--ground", "blu"], "#rrggbb"),
        (["--range", "5,1"], "the smaller one first"),
        (["--range", "nan,1"], "the smaller one first"),
        (["--range", "all"], "Pass --range"),
        (["--channels-first"], "Drop --channels-first"),
    ],
)
def test_an_option_that_is_wrong_says_what_is_right(tmp_path, words, fix):
    spec = save_folder(tmp_path / "in", [disc(32, 32)] * 2)
    assert fix in " ".join(refusal(run(spec, tmp_path / "out", *words)).split())
    assert not (tmp_path / "out").exists()


def deep_pictures(kind: str) -> np.ndarray:
    """12-bit values in 16 bits, grey or in colour, from 0 to 4095."""
    values = RNG.integers(0, 4096, (4, 9, 7) if kind == "grey" else (4, 9, 7, 3)).astype(np.uint16)
    values[:, 0, 0], values[:, -1, -1] = 0, 4095
    return values


def save_deep(root: Path, values: np.ndarray, suffix: str) -> str:
    """Writes images of 16 bits a channel; Pillow cannot write those in colour."""
    for number, picture in enumerate(values):
        path = root / "ab"[number % 2] / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == "png":
            path.write_bytes(tf.io.encode_png(np.atleast_3d(picture)).numpy())
        elif picture.ndim == 2:
            Image.fromarray(picture).save(path)
        else:
            path.write_bytes(tiff_in_colour(picture))
    return f"folder:{root}"


def tiff_in_colour(picture: np.ndarray, order: str = "<", packed: bool = False) -> bytes:
    """A TIFF of 16 bits a channel in one strip, plain or deflated."""
    height, width, _ = picture.shape
    pixels = picture.astype(f"{order}u2").tobytes()
    pixels = zlib.compress(pixels) if packed else pixels
    pixels += bytes(len(pixels) % 2)
    short, long = "HHIHH", "HHII"
    tags = [(short, 256, width), (short, 257, height), (long, 258, 8)]
    tags += [(short, 259, 8 if packed else 1), (short, 262, 2), (long, 273, 14), (short, 277, 3)]
    tags += [(short, 278, height), (long, 279, len(pixels))]
    body = b"".join(
        struct.pack(order + form, tag, 3, 1, value, 0)
        if form == short
        else struct.pack(order + form, tag, 3 if tag == 258 else 4, 3 if tag == 258 else 1, value)
        for form, tag, value in tags
    )
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(order + "I3H", 14 + len(pixels), 16, 16, 16)
    return head + pixels + struct.pack(order + "H", len(tags)) + body + bytes(4)


@pytest.mark.parametrize("kind", ["grey", "colour"])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bits_are_refused_or_scaled(tmp_path, kind, suffix):
    values = deep_pictures(kind)
    spec = save_deep(tmp_path / "in", values, suffix)
    said = refusal(run(spec, tmp_path / "out"))
    assert "more than 8 bits per channel (16 bits); pass --range LOW,HIGH" in said
    assert not (tmp_path / "out").exists()
    assert run(spec, tmp_path / "out", "--range", "0,4095").exit_code == 0
    np.testing.assert_array_equal(
        images(tmp_path / "out"), np.rint(values[[0, 2, 1, 3]] * (255 / 4095))
    )
    run(spec, tmp_path / "file", "--range", "file")
    np.testing.assert_array_equal(images(tmp_path / "file"), images(tmp_path / "out"))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bits_are_read_in_either_order_of_bytes(tmp_path, order, packed):
    values = deep_pictures("colour")
    for number, picture in enumerate(values):
        (tmp_path / "in" / "a").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "a" / f"{number}.tif").write_bytes(
            tiff_in_colour(picture, order, packed)
        )
    assert run(f"folder:{tmp_path / 'in'}", tmp_path / "o", "--range", "0,4095").exit_code == 0
    np.testing.assert_array_equal(images(tmp_path / "o"), np.rint(values * (255 / 4095)))


def test_16_bits_of_opacity_are_laid_on_the_ground(tmp_path):
    grey, opacity = np.full((6, 5), 1000, np.uint16), np.zeros((6, 5), np.uint16)
    opacity[:3] = 65535
    (tmp_path / "in" / "a").mkdir(parents=True)
    for number, layers in enumerate(([grey, opacity], [grey, grey * 2, grey * 4, opacity])):
        file = tmp_path / "in" / "a" / f"{number}.png"
        file.write_bytes(tf.io.encode_png(np.dstack(layers)).numpy())
    words = ("--range", "0,4000", "--ground", "black")
    assert run(f"folder:{tmp_path / 'in'}", tmp_path / "out", *words).exit_code == 0
    found = images(tmp_path / "out")
    assert (found[0, :3] == 64).all()
    assert (found[1, :3] == (64, 128, 255)).all()
    assert (found[:, 3:] == 0).all()


def test_floating_and_signed_tiff_files_need_a_range(tmp_path):
    values = RNG.random((2, 6, 5)).astype(np.float32) - 0.5
    spec = save_folder(tmp_path / "in", values, "tiff")
    assert "floating 32 bits" in refusal(run(spec, tmp_path / "out"))
    run(spec, tmp_path / "out", "--range", "-0.5,0.5")
    np.testing.assert_allclose(images(tmp_path / "out"), 255 * (values + 0.5), atol=0.501)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32, np.float64])
def test_arrays_of_other_numbers_need_a_range(tmp_path, kind):
    values = (RNG.integers(0, 4096, (4, 9, 7))).astype(kind)
    values[0, 0, :2] = 0, 4095
    spec = save_npz(tmp_path / "a.npz", values)
    assert "pass --range LOW,HIGH" in refusal(run(spec, tmp_path / "out"))
    for place, asked in enumerate(("0,4095", "file")):
        assert run(spec, tmp_path / f"{place}", "--range", asked).exit_code == 0
        np.testing.assert_array_equal(
            images(tmp_path / f"{place}"), np.rint(values * (255 / 4095)).astype(int)
        )


def test_values_beyond_the_range_are_told(tmp_path):
    values = np.tile(np.arange(100, dtype=np.float32).reshape(1, 10, 10), (4, 1, 1))
    done = run(save_npz(tmp_path / "a.npz", values), tmp_path / "out", "--range", "0,89")
    assert "4 of 4 images have values beyond --range" in done.output
    assert "at most 10.0% of an image" in done.output
    assert images(tmp_path / "out").max() == 255


def test_an_image_with_nan_is_a_dead_letter(tmp_path):
    values = RNG.random((200, 4, 4))
    values[7, 1, 1] = np.nan
    assert (
        run(save_npz(tmp_path / "a.npz", values), tmp_path / "o", "--range", "0,1").exit_code == 0
    )
    (letter,) = details(tmp_path / "o")["dead_letters"]
    assert (letter["record"], letter["reason"]) == (7, "the image has NaN or infinity")
    assert len(images(tmp_path / "o")) == 199


def save_masks(kind: str, folder: Path, masks: np.ndarray) -> str:
    if kind == "npz":
        return save_npz(folder / "a.npz", masks)
    if kind == "folder":
        return save_folder(folder / "in", masks)
    (folder / "in").mkdir()
    sizes = struct.pack(">4I", 2051, *masks.shape)
    (folder / "in" / "train-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(sizes + masks.tobytes())
    )
    labels = (np.arange(len(masks)) % 2).astype(np.uint8).tobytes()
    (folder / "in" / "train-labels-idx1-ubyte").write_bytes(
        struct.pack(">2I", 2049, len(masks)) + labels
    )
    return f"idx:{folder / 'in'}"


@pytest.mark.parametrize("kind", ["npz", "folder", "idx"])
def test_images_of_0_and_1_become_black_and_white_everywhere(tmp_path, kind):
    masks = RNG.integers(0, 2, (6, 8, 8), np.uint8)
    done = run(save_masks(kind, tmp_path, masks), tmp_path / "out")
    assert "6 of 6 images had values of 0 and 1 alone, which became black and white" in done.output
    found = images(tmp_path / "out")
    order = [0, 2, 4, 1, 3, 5] if kind == "folder" else range(6)
    np.testing.assert_array_equal(found, 255 * masks[list(order)])


@pytest.mark.parametrize("kind", ["npz", "folder", "idx"])
@pytest.mark.parametrize("largest", [2, 16, 20])
def test_masks_of_class_numbers_are_refused_or_spread(tmp_path, kind, largest):
    masks = RNG.integers(0, largest + 1, (4, 8, 8)).astype(np.uint8)
    masks[3, 0, 0] = largest
    spec = save_masks(kind, tmp_path, masks)
    said = refusal(run(spec, tmp_path / "out"))
    assert f"{largest} as the largest value" in said
    assert f"Pass --range 0,{largest} to spread" in said
    order = [0, 2, 1, 3] if kind == "folder" else range(4)
    for asked in (largest, 255):
        assert run(spec, tmp_path / f"{asked}", "--range", f"0,{asked}").exit_code == 0
        np.testing.assert_array_equal(
            images(tmp_path / f"{asked}"), np.rint(masks[list(order)] * (255 / asked)).astype(int)
        )


def test_booleans_are_black_and_white(tmp_path):
    masks = RNG.integers(0, 2, (4, 8, 8)).astype(bool)
    run(save_npz(tmp_path / "a.npz", masks), tmp_path / "out")
    np.testing.assert_array_equal(images(tmp_path / "out"), 255 * masks)


def drawing(colour: str) -> Image.Image:
    """A drawing in one colour on nothing."""
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste(colour, (2, 2, 5, 6))
    return image


def test_a_drawing_that_vanishes_on_its_ground_is_told(tmp_path):
    spec = save_folder(tmp_path / "in", [drawing("white"), drawing("black")])
    done = run(spec, tmp_path / "out")
    assert "1 of 2 images became constant when their transparency was laid" in done.output
    assert "1 of 2 images are constant" in done.output
    assert (images(tmp_path / "out")[0] == 255).all()
    done = run(spec, tmp_path / "grey", "--ground", "grey")
    assert "constant" not in done.output
    first = images(tmp_path / "grey")[0]
    assert (first[2:6, 2:5] == 255).all()
    assert (first[:2] == 128).all()


def test_constant_images_are_counted_in_every_source(tmp_path):
    values = RNG.integers(0, 256, (6, 4, 4, 3), np.uint8)
    values[2:4] = values[2:4, :1, :1]
    done = run(save_npz(tmp_path / "a.npz", values), tmp_path / "out")
    assert "2 of 6 images are constant, one colour throughout. The first: a/train/00000002" in (
        done.output
    )
    assert details(tmp_path / "out")["changes"]["constant"]["count"] == 2


@pytest.mark.parametrize("kind", ["npz", "folder", "idx"])
def test_dark_images_of_one_colour_tell_nothing_of_the_others(tmp_path, kind):
    pictures = np.full((6, 8, 8), 7, np.uint8)
    assert run(save_masks(kind, tmp_path, pictures), tmp_path / "out").exit_code == 0
    assert (images(tmp_path / "out") == 7).all()


def netpbm(head: str, samples: np.ndarray) -> bytes:
    return f"{head}\n".encode() + samples.astype(">u2").tobytes()


def sgi(samples: np.ndarray) -> bytes:
    head = struct.pack(">HBBHHHH", 474, 0, 2, 3, samples.shape[1], samples.shape[0], 3)
    return head.ljust(512, b"\0") + samples.transpose(2, 0, 1).astype(">u2").tobytes()


def jpeg2000(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(samples[..., 0]).save(file, "JPEG2000")
    return file.getvalue()


DEEP = RNG.integers(0, 4096, (9, 7, 3)).astype(np.uint16)


@pytest.mark.parametrize(
    ("name", "data", "depth"),
    [
        ("a.ppm", netpbm("P6 7 9 65535", DEEP), "16 bits"),
        ("a.ppm", netpbm("P6 7 9 4095", DEEP), "12 bits"),
        ("a.pgm", netpbm("P5 7 9 4095", DEEP[..., 0]), "12 bits"),
        ("a.sgi", sgi(DEEP), "16 bits"),
        ("a.jp2", jpeg2000(DEEP), "16 bits"),
    ],
)
@pytest.mark.parametrize("words", [(), ("--range", "0,4095")])
def test_a_depth_that_pillow_does_not_keep_is_refused(tmp_path, name, data, depth, words):
    for label in "ab":
        (tmp_path / "in" / label).mkdir(parents=True)
        (tmp_path / "in" / label / name).write_bytes(data)
    done = run(f"folder:{tmp_path / 'in'}", tmp_path / "out", *words)
    assert done.exit_code != 0
    assert f"({depth})" in str(done.exception)
    assert "save it as PNG or TIFF" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_grey_netpbm_of_16_bits_is_scaled(tmp_path):
    for label in "ab":
        (tmp_path / "in" / label).mkdir(parents=True)
        data = netpbm("P5 7 9 65535", DEEP[..., 0])
        (tmp_path / "in" / label / "a.pgm").write_bytes(data)
    spec = f"folder:{tmp_path / 'in'}"
    assert "pass --range" in str(run(spec, tmp_path / "out").exception)
    assert run(spec, tmp_path / "out", "--range", "0,4095").exit_code == 0
    expected = DEEP[..., 0] / 4095 * 255
    np.testing.assert_allclose(images(tmp_path / "out")[0], expected, atol=0.501)


def test_one_range_for_images_of_several_depths_is_refused(tmp_path):
    deep = RNG.integers(0, 4096, (8, 8)).astype(np.uint16)
    shallow = RNG.integers(0, 256, (8, 8), np.uint8)
    spec = save_folder(tmp_path / "in", [deep, shallow, deep, shallow])
    told = refusal(run(spec, tmp_path / "out", "--range", "0,4095"))
    assert "16 bits in 'a/0.png' and 8 bits in 'b/1.png'" in told
    assert "--range file" in told
    assert run(spec, tmp_path / "out", "--range", "file").exit_code == 0
    assert all(image.min() == 0 and image.max() == 255 for image in images(tmp_path / "out"))


def test_the_first_picture_of_a_camera_with_several_is_read_and_told(tmp_path):
    frames = [Image.fromarray(RNG.integers(0, 256, (8, 8, 3), np.uint8)) for _ in range(3)]
    options = {"format": "MPO", "save_all": True, "append_images": frames[1:]}
    spec = save_folder(tmp_path / "in", frames[:2], "mpo", **options)
    assert run(spec, tmp_path / "out").exit_code == 0
    assert len(images(tmp_path / "out")) == 2
    reason = "the pages or frames after the first, of images with several"
    assert details(tmp_path / "out")["ignored"] == {reason: 4}
