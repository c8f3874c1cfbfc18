import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.storage.png import decode_png, encode_png, png_shape


@pytest.mark.parametrize("shape", [(7, 5, 1), (8, 8, 3), (64, 64, 3)])
def test_png_keeps_every_pixel(shape):
    images = np.random.default_rng(0).integers(0, 256, (4, *shape), dtype=np.uint8)
    data = encode_png(images)
    np.testing.assert_array_equal(decode_png(data, shape), images)
    assert [png_shape(png) for png in data] == [shape] * 4


def test_png_is_what_other_programs_read():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), dtype=np.uint8)
    for png, image in zip(encode_png(images), images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), image)


def test_an_image_has_the_same_bytes_in_any_batch():
    images = np.random.default_rng(0).integers(0, 256, (5, 9, 9, 1), dtype=np.uint8)
    assert encode_png(images) == [encode_png(image[None])[0] for image in images]


def test_an_image_has_the_same_bytes_in_any_thread():
    """Deflaters that read memory they did not set give other bytes on other stacks."""
    ramps = np.arange(1, 5)[:, None] * np.arange(1, 51)[:, None, None]
    images = np.repeat(ramps[..., None], 5, axis=2).astype(np.uint8)
    images[:, :, 3:] = np.random.default_rng(0).integers(0, 256, (50, 4, 2, 1))
    together = threading.Barrier(64)  # all alive at once, so no stack is used twice

    def encode(_: int) -> list[bytes]:
        together.wait()
        return encode_png(images)

    with ThreadPoolExecutor(64) as threads:
        assert all(files == encode_png(images) for files in threads.map(encode, range(64)))


def test_no_images_are_no_files():
    assert encode_png(np.zeros((0, 4, 4, 1), np.uint8)) == []
    assert decode_png([], (4, 4, 1)).shape == (0, 4, 4, 1)


@pytest.mark.parametrize("value", [np.nan, 0.5])
def test_float_images_are_refused(value):
    with pytest.raises(TypeError, match="Round and cast"):
        encode_png(np.full((1, 4, 4, 1), value))


def test_images_with_alpha_are_refused():
    with pytest.raises(ValueError, match="Reshape"):
        encode_png(np.zeros((1, 4, 4, 4), np.uint8))


def test_the_header_names_what_cannot_be_used():
    def png(mode: str) -> bytes:
        stream = io.BytesIO()
        Image.new(mode, (3, 2)).save(stream, "PNG")
        return stream.getvalue()

    assert png_shape(png("RGBA")) == (2, 3, 4)
    assert "16 bits" in str(png_shape(png("I;16")))
    assert "1 bits" in str(png_shape(png("1")))
    assert "colour type" in str(png_shape(png("P"))) or "bits" in str(png_shape(png("P")))
    assert "not a PNG" in str(png_shape(b"GIF89a"))
    assert "not a PNG" in str(png_shape(png("L")[:20]))
