"""The grid of anchors and variants: every pixel where it belongs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.pictures.sheets.mosaic import variant_grid
from latentloom.pipeline.report.pictures.sheets.tile_sheet import ANCHOR_GAP, FRAME, GAP, RED


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_tiles_lie_where_the_layout_says():
    anchors, variants = _images(2, 48, 32, 3), _images(2, 3, 48, 32, 3)
    pixels = _pixels(variant_grid(anchors, variants))
    height, width = 2 * 48 + 2 * FRAME, 2 * 32 + 2 * FRAME
    assert pixels.shape == (2 * height + GAP, 4 * width + 2 * GAP + ANCHOR_GAP, 4)
    expected = np.zeros_like(pixels)
    for row in range(2):
        top = row * (height + GAP) + FRAME
        lefts = [0] + [width + ANCHOR_GAP + column * (width + GAP) for column in range(3)]
        for left, image in zip(lefts, [anchors[row], *variants[row]], strict=True):
            tile = np.kron(image, np.ones((2, 2, 1), np.uint8))
            area = expected[top : top + 96, left + FRAME : left + FRAME + 64]
            area[..., :3], area[..., 3] = tile, 255
    np.testing.assert_array_equal(pixels, expected)


def test_rejected_variant_and_no_other_has_a_red_frame():
    anchors, variants = _images(1, 96, 96, 1), _images(1, 2, 96, 96, 1)
    cell = 96 + 2 * FRAME
    accepted = _pixels(variant_grid(anchors, variants, None, np.array([[True, True]])))
    rejected = _pixels(variant_grid(anchors, variants, None, np.array([[True, False]])))
    assert not accepted[:FRAME].any()
    changed = np.argwhere((accepted != rejected).any(-1))
    assert changed[:, 1].min() == cell + ANCHOR_GAP + cell + GAP
    assert len(changed) == cell**2 - 96**2
    assert {tuple(rejected[row, column]) for row, column in changed} == {RED}


def test_no_verdicts_means_no_frames():
    anchors, variants = _images(2, 8, 8, 3), _images(2, 2, 8, 8, 3)
    everything = np.ones((2, 2), bool)
    assert variant_grid(anchors, variants) == variant_grid(anchors, variants, None, everything)


def test_grey_images_become_equal_colours():
    pixels = _pixels(variant_grid(_images(1, 96, 96, 1), _images(1, 1, 96, 96, 1)))
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 1])
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])


def test_large_images_keep_their_size():
    pixels = _pixels(variant_grid(_images(1, 128, 128, 3), _images(1, 1, 128, 128, 3)))
    assert pixels.shape[0] == 128 + 2 * FRAME


def test_titles_add_a_strip_with_text_above_each_row_and_leave_the_tiles_alone():
    anchors, variants = _images(2, 28, 28, 1), _images(2, 4, 28, 28, 1)
    bare = _pixels(variant_grid(anchors, variants))
    titled = _pixels(variant_grid(anchors, variants, ["seven: low confidence", ""]))
    strip = (len(titled) - len(bare)) // 2
    row = (len(bare) + GAP) // 2
    assert titled[:strip, :, 3].any()
    assert not titled[strip + row : 2 * strip + row].any()
    np.testing.assert_array_equal(titled[strip : strip + row], bare[:row])
    np.testing.assert_array_equal(titled[2 * strip + row :], bare[row:])


def test_equal_grids_are_equal_bytes():
    anchors, variants = _images(1, 8, 8, 3), _images(1, 2, 8, 8, 3)
    first = variant_grid(anchors, variants, ["a"])
    assert first == variant_grid(anchors.copy(), variants.copy(), ["a"])


@pytest.mark.parametrize(
    ("anchors", "variants"),
    [
        ((2, 8, 8, 3), (1, 4, 8, 8, 3)),
        ((2, 8, 8, 3), (2, 4, 8, 8, 1)),
        ((2, 8, 8, 2), (2, 4, 8, 8, 2)),
        ((2, 8, 8, 3), (2, 8, 8, 3)),
        ((2, 8, 8, 3), (2, 0, 8, 8, 3)),
        ((0, 8, 8, 3), (0, 4, 8, 8, 3)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(anchors, variants):
    with pytest.raises(ValueError, match="Pass the same number of variants for each anchor"):
        variant_grid(np.zeros(anchors, np.uint8), np.zeros(variants, np.uint8))


def test_images_that_are_not_uint8_are_refused():
    with pytest.raises(TypeError, match="Convert them to uint8"):
        variant_grid(np.zeros((1, 8, 8, 1)), np.zeros((1, 1, 8, 8, 1)))


def test_titles_and_verdicts_of_another_shape_are_refused():
    anchors, variants = _images(2, 8, 8, 1), _images(2, 3, 8, 8, 1)
    with pytest.raises(ValueError, match="Pass one for each anchor, or None"):
        variant_grid(anchors, variants, ["only one"])
    with pytest.raises(ValueError, match="Pass one boolean for each variant"):
        variant_grid(anchors, variants, None, np.ones((3, 2), bool))
