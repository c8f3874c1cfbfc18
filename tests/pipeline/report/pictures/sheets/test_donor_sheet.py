"""The sheet of donors and results: every pixel where it belongs."""

import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.pictures.sheets.donor_sheet import SIZE, STRIP, donor_sheet
from latentloom.pipeline.report.pictures.sheets.tile_sheet import (
    ANCHOR_GAP,
    FRAME,
    GAP,
    RED,
    fit,
    title_font,
)

FACTORS, VALUES = ("label", "back"), (("a", "red"), ("b", "blue"))


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _sheet(donors: np.ndarray, results: np.ndarray, accepted: list[bool]) -> np.ndarray:
    png = donor_sheet(donors, results, FACTORS, VALUES, np.array(accepted))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


@pytest.mark.parametrize("channels", [1, 3])
def test_donors_lie_at_the_left_and_the_result_at_the_right_of_a_gap(channels):
    donors, results = _images(2, 2, 48, 48, channels), _images(2, 48, 48, channels)
    pixels = _sheet(donors, results, [True, False])
    side = 2 * 48 + 2 * FRAME
    lefts = [0, side + GAP, 2 * (side + GAP) - GAP + ANCHOR_GAP]
    for row in range(2):
        top = STRIP + row * (side + STRIP + GAP)
        for left, tile in zip(lefts, [*donors[row], results[row]], strict=True):
            inner = pixels[top + FRAME : top + FRAME + 96, left + FRAME : left + FRAME + 96]
            expected = np.kron(tile, np.ones((2, 2, 1), np.uint8))
            np.testing.assert_array_equal(inner[..., :3], np.broadcast_to(expected, (96, 96, 3)))
    assert pixels.shape[1] == lefts[-1] + side
    frames = [pixels[STRIP + row * (side + STRIP + GAP), lefts[-1]] for row in range(2)]
    assert tuple(frames[1]) == RED
    assert frames[0][3] == 0


def test_names_stand_above_the_columns_and_below_the_donors():
    donors, results = _images(2, 2, 48, 48, 1), _images(2, 48, 48, 1)
    pixels = _sheet(donors, results, [True, True])
    side = 2 * 48 + 2 * FRAME
    assert pixels[:STRIP, :, 3].any()
    below = pixels[STRIP + side : STRIP + side + STRIP]
    assert below[:, : 2 * side, 3].any()
    assert not below[:, 2 * (side + GAP) + ANCHOR_GAP :, 3].any()


def test_donors_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Pass all of the same rows"):
        _sheet(_images(2, 3, 8, 8, 1), _images(2, 8, 8, 1), [True, True])


@pytest.mark.parametrize("name", ["a", "serif", "DejaVuSansMono-BoldOblique"])
def test_a_name_never_reaches_into_the_next_column(name):
    font = title_font(SIZE)
    shown = fit(name, font, 100)
    assert font.getlength(shown) <= 100
    assert shown == name or (shown.endswith("…") and name.startswith(shown[:-1]) and len(shown) > 6)
