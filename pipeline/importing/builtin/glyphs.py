"""Renders letters as masks, in the text fonts that come with matplotlib."""

from __future__ import annotations

import functools
import string
from pathlib import Path

import numpy as np

LETTERS = string.ascii_uppercase + string.ascii_lowercase
SIZES = {"small": 12 / 32, "medium": 19 / 32, "large": 25 / 32}
"""Height of the em as a share of the image: the widest letter fits, the smallest is readable."""
_OVERSAMPLING = 4
_MATH_FACES = ("cmex10", "cmmi10", "cmsy10")  # 52 glyphs of mathematical alphabets


def render_mask(letter: str, font: Path, em: float, image_size: int) -> np.ndarray:
    """Renders one letter, its ink centred.

    Draws at four times the size and downsamples with a box filter.

    Args:
        letter: The letter.
        font: Path of a TrueType file.
        em: Height of the em as a share of the image.
        image_size: Side of the mask in pixels.

    Returns:
        uint8 array of shape `(image_size, image_size)`: 0 is background, 255 is ink.
    """
    from PIL import Image, ImageDraw, ImageFont

    side = image_size * _OVERSAMPLING
    canvas = Image.new("L", (3 * side, 3 * side))
    face = ImageFont.truetype(str(font), round(em * side))
    ImageDraw.Draw(canvas).text((side, side), letter, font=face, fill=255)
    mask = Image.new("L", (side, side))
    if box := canvas.getbbox():
        width, height = box[2] - box[0], box[3] - box[1]
        mask.paste(canvas.crop(box), ((side - width) // 2, (side - height) // 2))
    return np.asarray(mask.reduce(_OVERSAMPLING))


def is_text_face(font: Path) -> bool:
    """Whether a text font has a distinct glyph with ink for each of the 52 letters."""
    if font.stem in _MATH_FACES:
        return False
    seen = {bytes(32 * 32)}  # an empty glyph
    for letter in LETTERS:
        mask = render_mask(letter, font, SIZES["medium"], 32).tobytes()
        if mask in seen:
            return False
        seen.add(mask)
    return True


@functools.cache
def text_faces() -> dict[str, Path]:
    """Returns the usable TrueType fonts that matplotlib ships, by name, sorted."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return {font.stem: font for font in sorted(folder.glob("*.ttf")) if is_text_face(font)}


class MaskBank:
    """Masks of all letters, sizes and fonts, each rendered at its first use.

    Args:
        image_size: Side of the masks in pixels.
    """

    def __init__(self, image_size: int):
        self._fonts = list(text_faces().values())
        self._ems = list(SIZES.values())
        grid = (len(LETTERS), len(SIZES), len(self._fonts))
        self._image_size = image_size
        self._masks = np.zeros((*grid, image_size, image_size), np.uint8)
        self._rendered = np.zeros(grid, bool)

    def masks(self, letters: np.ndarray, sizes: np.ndarray, fonts: np.ndarray) -> np.ndarray:
        """Returns the masks for three arrays of codes, each of shape `(n,)`.

        Returns:
            uint8 array of shape `(n, image_size, image_size)`.
        """
        cells = np.unique(np.stack([letters, sizes, fonts], axis=1), axis=0)
        for letter, size, font in cells[~self._rendered[tuple(cells.T)]]:
            self._masks[letter, size, font] = render_mask(
                LETTERS[letter], self._fonts[font], self._ems[size], self._image_size
            )
        self._rendered[tuple(cells.T)] = True
        return self._masks[letters, sizes, fonts]
