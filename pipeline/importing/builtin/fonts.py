"""Coloured letters after the Fonts data set of GZS-Net, rendered here.

Five factors: the letter (the label), its size, its ink, the background, and the font.

Reference:
    Ge et al., Zero-shot Synthesis with Group-Supervised Learning, ICLR 2021,
    https://arxiv.org/abs/2009.06586. Deviates: the fonts are from matplotlib, the images have 32 x
    32 or 64 x 64 pixels, and the letters are larger within them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentloom.pipeline.importing.builtin.glyphs import LETTERS, SIZES, MaskBank, text_faces
from latentloom.pipeline.importing.builtin.grid_sample import DEFAULT_EXAMPLES, sample_cells
from latentloom.pipeline.importing.builtin.grid_source import (
    IMAGE_SIZES,
    GridSource,
    check_image_size,
)
from latentloom.pipeline.importing.inks import COLOURS

FEW_LETTERS = "AEGHKMRSTX"
FEW_FONTS = ("DejaVuSans-Bold", "DejaVuSansMono-BoldOblique", "DejaVuSerif", "cmss10")
"""Letters and fonts of the small grid, which are distinguishable at every size."""
_INK, _BACKGROUND = 2, 3  # axes of the grid


def open_fonts(
    image_size: int | None = None, max_examples: int | None = None, name: str = "fonts"
) -> GridSource:
    """Chooses the cells; renders no example yet. Leaves out cells with equal ink and background.

    Args:
        image_size: Side in pixels, 32 or 64; 32 by default.
        max_examples: Cells to sample, both splits together; 20,000 by default.
        name: `"fonts"` for the whole grid, 226,800 cells, or `"letters"` for ten letters in four
            fonts, 10,800 cells.

    Raises:
        ValueError: If the size is unknown, or the sample is too small to hold every value.
    """
    image_size = IMAGE_SIZES[0] if image_size is None else image_size
    check_image_size("fonts", image_size)
    is_small = name == "letters"
    factors = {
        "label": list(FEW_LETTERS if is_small else LETTERS),
        "size": list(SIZES),
        "ink": list(COLOURS),
        "background": list(COLOURS),
        "font": list(FEW_FONTS if is_small else text_faces()),
    }
    grid = tuple(len(values) for values in factors.values())
    cells = np.arange(np.prod(grid))
    codes = np.unravel_index(cells, grid)
    cells = cells[codes[_INK] != codes[_BACKGROUND]]
    sampled = sample_cells("fonts", cells, grid, max_examples or DEFAULT_EXAMPLES)
    return GridSource(
        name=name,
        description=_describe(factors, sum(map(len, sampled.values()))),
        factors=factors,
        observation_shape=(image_size, image_size, 3),
        cells=sampled,
        render=_renderer(factors, image_size),
    )


def _describe(factors: dict[str, list[str]], count: int) -> str:
    return (
        f"{len(factors['label'])} coloured letters in {len(factors['font'])} fonts, "
        f"three sizes, ten inks and ten backgrounds: {count:,} cells of the grid, a keyed "
        "sample in which every value occurs (by default at most 20,000); one in ten is in "
        "`test`."
    )


def _renderer(
    factors: dict[str, list[str]], image_size: int
) -> Callable[[tuple[np.ndarray, ...]], np.ndarray]:
    """Returns the function that renders codes of the factors."""
    letters = np.array([LETTERS.index(letter) for letter in factors["label"]])
    fonts = np.array([list(text_faces()).index(font) for font in factors["font"]])
    palette = np.array(list(COLOURS.values()), np.float32)
    bank = MaskBank(image_size)

    def render(codes: tuple[np.ndarray, ...]) -> np.ndarray:
        letter, size, ink, background, font = codes
        mask = bank.masks(letters[letter], size, fonts[font])[..., None] / np.float32(255)
        front, back = palette[ink][:, None, None], palette[background][:, None, None]
        return np.rint(back * (1 - mask) + front * mask).astype(np.uint8)

    return render
