"""Coloured letters after the Fonts data set of GZS-Net, rendered here.

Five factors: the letter (the label), its size, its ink, the background, and the font.

Reference:
    Ge et al., Zero-shot Synthesis with Group-Supervised Learning, ICLR 2021,
    https://arxiv.org/abs/2009.06586. Deviates: the fonts are those that matplotlib ships, the
    images are 32 or 64 pixels a side, and the letters are larger within them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.builtin.glyphs import LETTERS, SIZES, MaskBank, text_faces
from latentloom.pipeline.importing.builtin.grid_sample import DEFAULT_EXAMPLES, sample_cells
from latentloom.pipeline.importing.inks import COLOURS
from latentloom.pipeline.importing.source import BATCH_SIZE, position_ids

FEW_LETTERS = "AEGHKMRSTX"
FEW_FONTS = ("DejaVuSans-Bold", "DejaVuSansMono-BoldOblique", "DejaVuSerif", "cmss10")
"""Letters and fonts of the small grid, which can be told apart at every size."""
IMAGE_SIZES = (32, 64)
_INK, _BACKGROUND = 2, 3  # axes of the grid


@dataclass(frozen=True)
class FontsSource:
    """A keyed sample of the grid of letters, sizes, inks, backgrounds and fonts.

    Cells of one colour are left out. A position is the cell's number in the whole grid.

    Args:
        factors: Value names of the five factors.
        image_size: Side of the images in pixels, 32 or 64.
        cells: The sampled cells of each split, ascending.
        name: `"fonts"`, or `"letters"` for the small grid.
    """

    factors: dict[str, list[str]]
    image_size: int
    cells: dict[str, np.ndarray]
    name: str = "fonts"
    label_field: str = "label"
    observation: str = "image"

    @classmethod
    def open(
        cls,
        image_size: int | None = None,
        max_examples: int | None = None,
        name: str = "fonts",
    ) -> FontsSource:
        """Chooses the cells; renders nothing yet.

        Args:
            image_size: Side in pixels; 32 by default.
            max_examples: Cells to sample, both splits together; 20,000 by default.
            name: `"fonts"` for the grid of everything, 226,800 cells, or `"letters"` for one of
                ten letters and four fonts, 10,800 cells.

        Raises:
            ValueError: Another size, or a sample too small to hold every value.
        """
        image_size = IMAGE_SIZES[0] if image_size is None else image_size
        if image_size not in IMAGE_SIZES:
            raise ValueError(
                "Source 'fonts' cannot be rendered at this size. Expected: one of "
                f"{IMAGE_SIZES}. Received: image_size={image_size}. Choose one of them."
            )
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
        return cls(factors, image_size, sampled, name)

    @property
    def description(self) -> str:
        """What the images are and how they were drawn from the grid."""
        count = sum(self.splits.values())
        return (
            f"{len(self.factors['label'])} coloured letters in {len(self.factors['font'])} fonts, "
            f"three sizes, ten inks and ten backgrounds: {count:,} cells of the grid, a keyed "
            "sample in which every value occurs (by default at most 20,000); one in ten is in "
            "`test`."
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Event shape of the images."""
        return self.image_size, self.image_size, 3

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        return {split: len(cells) for split, cells in self.cells.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split."""
        grid = tuple(len(values) for values in self.factors.values())
        letters = np.array([LETTERS.index(letter) for letter in self.factors["label"]])
        fonts = np.array([list(text_faces()).index(font) for font in self.factors["font"]])
        palette = np.array(list(COLOURS.values()), np.float32)
        bank = MaskBank(self.image_size)
        for start in range(0, len(self.cells[split]), BATCH_SIZE):
            cells = self.cells[split][start : start + BATCH_SIZE]
            letter, size, ink, background, font = codes = np.unravel_index(cells, grid)
            mask = bank.masks(letters[letter], size, fonts[font])[..., None] / np.float32(255)
            front, back = palette[ink][:, None, None], palette[background][:, None, None]
            images = np.rint(back * (1 - mask) + front * mask).astype(np.uint8)
            factors = dict(
                zip(self.factors, (code.astype(np.int64) for code in codes), strict=True)
            )
            yield Examples(images, factors, position_ids(cells)), []
