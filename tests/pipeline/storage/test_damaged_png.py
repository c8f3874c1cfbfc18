"""Damage of a PNG is found as libpng finds it, through TensorFlow."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from latentloom.pipeline.storage.png import decode_png, encode_png, is_intact_png

SIGNATURE = b"\x89PNG\r\n\x1a\n"
FLAT = np.zeros((1, 9, 7, 1), np.uint8)
FLAT[0, 3:5, 2:4] = 200
NOISE = np.random.default_rng(0).integers(0, 256, (1, 9, 7, 3), dtype=np.uint8)


def chunk(kind, content):
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def flip(data, place):
    changed = bytearray(data)
    changed[place] ^= 0x55
    return bytes(changed)


def rows_of(image, number=0):
    rows = np.full((len(image), 1 + image[0].size), number, np.uint8)
    rows[:, 1:] = image.reshape(len(image), -1)
    return rows.tobytes()


def png_of(image, data=None, before=b"", interlaced=0, parts=1):
    """Writes a PNG by hand; `data` is what its IDAT chunks hold together."""
    height, width, channels = image.shape
    colour = {1: 0, 3: 2}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, interlaced)
    data = zlib.compress(rows_of(image)) if data is None else data
    size = -(-len(data) // parts)
    cut = [chunk(b"IDAT", data[at : at + size]) for at in range(0, len(data), size)]
    return SIGNATURE + chunk(b"IHDR", header) + before + b"".join(cut) + chunk(b"IEND", b"")


def variants_of(image):
    """Returns files with one image by what is odd about them, sound ones and damaged ones."""
    good, data = png_of(image), zlib.compress(rows_of(image))
    text = chunk(b"tEXt", b"a\0b")
    start = good.index(b"IDAT")
    return {
        "sound": good,
        "ours": encode_png(image[None])[0],
        "several parts": png_of(image, parts=4),
        "text": png_of(image, before=text),
        "text with a wrong checksum": png_of(image, before=flip(text, -1)),
        "transparent": png_of(image, before=chunk(b"tRNS", b"\0\1" * image.shape[2])),
        "gamma": png_of(image, before=chunk(b"gAMA", struct.pack(">I", 45455))),
        "more behind the end": good + b"more",
        "more in the data": png_of(image, zlib.compress(rows_of(image) + b"more")),
        "more behind the data": png_of(image, data + b"more"),
        "checksum of the data": flip(good, len(good) - 13),
        "checksum of the header": flip(good, 30),
        "checksum of the end": flip(good, -1),
        "changed data": flip(good, start + 20),
        "half": good[: len(good) // 2],
        "half, then zeros": good[: len(good) // 2] + bytes(len(good) - len(good) // 2),
        "no end": good[:-12],
        "no data": good[: start - 4] + good[-12:],
        "cut in a checksum": good[:-13],
        "other sum of the rows": png_of(image, flip(data, -1)),
        "no sum of the rows": png_of(image, data[:-4]),
        "changed inside": png_of(image, flip(data, len(data) // 2)),
        "too few rows": png_of(image, zlib.compress(rows_of(image)[:-5])),
        "unknown filter": png_of(image, zlib.compress(rows_of(image, 9))),
        "unknown chunk": png_of(image, before=chunk(b"ABCD", b"x")),
        "empty": b"",
        "only a header": good[:33],
    }


def decoded_by_libpng(png, shape):
    try:
        return tf.io.decode_png(png, channels=shape[2]).numpy()
    except tf.errors.InvalidArgumentError:
        return None


@pytest.mark.parametrize("name", list(variants_of(FLAT[0])))
@pytest.mark.parametrize("images", [FLAT, NOISE], ids=["grey", "colour"])
def test_a_file_is_damaged_if_libpng_says_so(images, name):
    png, shape = variants_of(images[0])[name], images[0].shape
    expected = decoded_by_libpng(png, shape)
    assert is_intact_png(png, shape) == (expected is not None)
    if expected is not None:
        np.testing.assert_array_equal(decode_png([png], shape)[0], expected)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_byte_is_found_as_by_libpng(data):
    image = data.draw(st.sampled_from([FLAT, NOISE]))
    png = encode_png(image)[0]
    changed = flip(png, data.draw(st.integers(8, len(png) - 1)))
    expected = decoded_by_libpng(changed, image[0].shape)
    assert is_intact_png(changed, image[0].shape) == (
        expected is not None and expected.shape == image[0].shape
    )


@pytest.mark.parametrize("number", range(5))
def test_every_filter_is_undone(number):
    rows = np.random.default_rng(number).integers(0, 256, (6, 1 + 5 * 3), dtype=np.uint8)
    rows[:, 0] = number
    png = png_of(np.zeros((6, 5, 3), np.uint8), zlib.compress(rows.tobytes()))
    expected = decoded_by_libpng(png, (6, 5, 3))
    np.testing.assert_array_equal(decode_png([png], (6, 5, 3))[0], expected)


def test_an_interlaced_image_is_read():
    image = np.full((1, 1, 3), 77, np.uint8)  # a single pixel is its own first pass
    png = png_of(image, interlaced=1)
    np.testing.assert_array_equal(decode_png([png], (1, 1, 3))[0], image)
    assert not is_intact_png(flip(png, len(png) - 13), (1, 1, 3))


def test_another_shape_is_refused_before_its_pixels_are_read():
    huge = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)
    png = SIGNATURE + chunk(b"IHDR", huge) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(ValueError, match=r"shape \(9, 7, 1\).*2147483647.*Leave out"):
        decode_png([png], (9, 7, 1))


def test_a_bomb_takes_no_memory():
    png = png_of(np.zeros((9, 7, 1), np.uint8), zlib.compress(bytes(100_000_000)))
    tracemalloc.start()
    try:
        assert is_intact_png(png, (9, 7, 1))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 3), (9, 1, 1), (300, 700, 3), (129, 5000, 1)])
@pytest.mark.parametrize("kind", ["noise", "flat", "smooth"])
def test_pixels_are_those_that_libpng_reads(shape, kind):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    if kind == "flat":
        image[:] = 9
    if kind == "smooth":
        image = np.indices(shape).sum(axis=0).astype(np.uint8)
    png = encode_png(image[None])[0]
    np.testing.assert_array_equal(decoded_by_libpng(png, shape), image)
    np.testing.assert_array_equal(decode_png([png], shape)[0], image)
