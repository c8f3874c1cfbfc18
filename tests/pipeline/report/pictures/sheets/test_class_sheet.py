"""The sheet of classes: real images, accepted and rejected variants, each in its place."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.pictures.sheets.class_sheet import COLUMNS, class_sheet
from latentloom.pipeline.report.pictures.sheets.tile_sheet import FRAME, RED
from latentloom.pipeline.report.pictures.shown import ShownClass

SIZE = 96
CELL = SIZE + 2 * FRAME


def images(count: int, level: int) -> np.ndarray:
    return np.full((count, SIZE, SIZE, 1), level, np.uint8)


def of_class(real: int, accepted: int, rejected: int) -> ShownClass:
    reasons = ["realism: far"] * rejected
    shown = (images(real, 10), images(accepted, 20), images(rejected, 30))
    return ShownClass("mug", "mug: 3 of 4", *shown, reasons)


def pixels(*shown: ShownClass) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(class_sheet(shown))).convert("RGBA"))


def counted(sheet: np.ndarray, level: int) -> int:
    """The number of whole images of this level."""
    return int(np.all(sheet == (level, level, level, 255), axis=-1).sum()) // SIZE**2


def test_every_image_is_drawn_up_to_the_columns_of_its_group():
    sheet = pixels(of_class(1, 2, 3), of_class(COLUMNS + 2, 0, 1))
    assert [counted(sheet, level) for level in (10, 20, 30)] == [1 + COLUMNS, 2, 4]


def test_rejected_variants_and_no_others_have_a_red_frame():
    frames = CELL**2 - SIZE**2
    red = np.all(pixels(of_class(2, 2, 3)) == RED, axis=-1)
    assert red.sum() == 3 * frames
    assert not np.all(pixels(of_class(2, 2, 0)) == RED, axis=-1).any()


def test_the_groups_stand_side_by_side():
    sheet = pixels(of_class(4, 4, 4))
    lefts = [np.argwhere(np.all(sheet[..., :3] == level, axis=-1))[:, 1] for level in (10, 20, 30)]
    assert lefts[0].max() < lefts[1].min() < lefts[1].max() < lefts[2].min()


def test_a_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match="Pass a class with a real image"):
        class_sheet([])
