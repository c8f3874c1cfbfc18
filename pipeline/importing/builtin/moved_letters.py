"""Masks of letters that differ by font, size and place, none of which is a factor."""

from __future__ import annotations

import numpy as np

from latentloom.augment.randomness import derive, identity_keys, integers
from latentloom.pipeline.importing.builtin.fonts import FEW_FONTS, FEW_LETTERS
from latentloom.pipeline.importing.builtin.glyphs import LETTERS, MaskBank, text_faces
from latentloom.pipeline.importing.builtin.grid_source import IMAGE_SIZES, check_image_size

NUM_SIZES = 2  # small and medium: large letters would lie under overlays
REACH = 2  # pixels of 32, by which a letter is moved at most
DRAWS = 5_000  # images of each cell
FREE_STREAM = 4
"""First stream of random numbers that the masks do not use."""
_FONT, _SIZE, _RIGHT, _DOWN = range(FREE_STREAM)


class MovedLetters:
    """Masks of `FEW_LETTERS` in `FEW_FONTS`, two sizes and several places, by key.

    Args:
        image_size: Side in pixels, one of `IMAGE_SIZES`; the smallest by default.

    Raises:
        ValueError: If the size is unknown.
    """

    def __init__(self, image_size: int | None = None):
        self.image_size = IMAGE_SIZES[0] if image_size is None else image_size
        check_image_size("letters", self.image_size)
        self._letters = np.array([LETTERS.index(letter) for letter in FEW_LETTERS])
        self._fonts = np.array([list(text_faces()).index(font) for font in FEW_FONTS])
        self._bank, self._unit = MaskBank(self.image_size), self.image_size // IMAGE_SIZES[0]

    def masks(self, labels: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Masks of letters, `(n, height, width, 1)` in `[0, 1]`.

        Args:
            labels: Positions among `FEW_LETTERS`, `(n,)`.
            keys: uint64 of shape `(n,)`, which decide font, size and place.
        """
        size, font = integers(keys, NUM_SIZES, _SIZE), integers(keys, len(self._fonts), _FONT)
        masks = self._bank.masks(self._letters[labels], size, self._fonts[font])
        right, down = (integers(keys, 2 * REACH + 1, axis) - REACH for axis in (_RIGHT, _DOWN))
        return _moved(masks, self._unit * right, self._unit * down)[..., None] / 255


def keys_of(name: str, codes: tuple[np.ndarray, ...]) -> np.ndarray:
    """A key for each image: images of different codes share nothing else.

    Args:
        name: Name of the source.
        codes: Codes of the factors and the number of the draw, `(n,)` each.
    """
    keys = np.repeat(identity_keys(0, name, [""]), len(codes[-1]))
    for column in codes:
        keys = derive(keys, column)
    return keys


def _moved(masks: np.ndarray, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Moves each mask; letters of these sizes stay inside the image."""
    pairs = zip(masks, down, right, strict=True)
    return np.stack([np.roll(mask, (int(d), int(r)), axis=(0, 1)) for mask, d, r in pairs])
