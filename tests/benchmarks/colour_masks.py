"""Colours glyph masks of many fonts, into an archive that `latentloom import npz:` reads.

The masks are an archive of `masks` `(fonts, letters, sizes, height, width)` uint8, `fonts`,
`letters`, `sizes`, `palette` `(colours, 3)` and `palette_names`. An image is the background where
the mask is 0 and the ink where it is 255. Cells are drawn without replacement from the grid of
letters, sizes, inks, other backgrounds and fonts; one in ten goes to the split `test`. Fonts are
chosen such that they can be told apart where they are small.

    python tests/benchmarks/colour_masks.py MASKS.npz OUT.npz [--fonts 100] [--letters AEGHKMRSTX]
        [--examples 20000] [--seed 0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np


def distinct_fonts(masks: np.ndarray, number: int) -> np.ndarray:
    """The first font, and one by one that which is farthest from all that are chosen.

    Args:
        masks: `(fonts, letters, height, width)` uint8 of one size.
        number: How many to choose.
    """
    flat = masks.reshape(len(masks), -1).astype(np.float32)
    chosen = [0]
    nearest = np.full(len(flat), np.inf)
    while len(chosen) < number:
        nearest = np.minimum(nearest, np.abs(flat - flat[chosen[-1]]).mean(axis=1))
        chosen.append(int(nearest.argmax()))
    return np.array(chosen)


def colour(masks: dict[str, np.ndarray], options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Images, factors and split of a sample of the grid."""
    rng, names = np.random.default_rng(options.seed), masks["letters"].tolist()
    letters = np.array([names.index(letter) for letter in options.letters or names])
    fonts = distinct_fonts(masks["masks"][:, letters, 0], min(options.fonts, len(masks["fonts"])))
    colours = len(masks["palette"])
    grid = (len(letters), len(masks["sizes"]), colours, colours, len(fonts))
    cells = rng.permutation(np.prod(grid))
    codes = np.stack(np.unravel_index(cells, grid))
    codes = codes[:, codes[2] != codes[3]][:, : options.examples]
    letter, size, ink, background, font = codes
    shares = masks["masks"][fonts[font], letters[letter], size][..., None] / np.float32(255)
    palette = masks["palette"].astype(np.float32)
    front, back = palette[ink][:, None, None], palette[background][:, None, None]
    return {
        "images": np.rint(back * (1 - shares) + front * shares).astype(np.uint8),
        "label": masks["letters"][letters[letter]],
        "size": masks["sizes"][size].astype(str),
        "ink": masks["palette_names"][ink],
        "background": masks["palette_names"][background],
        "font": masks["fonts"][fonts[font]],
        "split": np.where(rng.random(len(letter)) < 0.1, "test", "train"),
    }


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("masks", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fonts", type=int, default=100, help="how many, evenly spaced by name")
    parser.add_argument("--letters", default="", help="which, all by default")
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with np.load(options.masks, allow_pickle=False) as archive:
        arrays = colour(dict(archive), options)
    np.savez(options.out, **arrays)
    print(f"{len(arrays['images']):,} images of {arrays['images'].shape[1:]} in '{options.out}'")


if __name__ == "__main__":
    main()
