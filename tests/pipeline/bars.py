"""Small data sets whose classes are easy to tell, and studies of them in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentloom.pipeline.config import Config, parse_config
from latentloom.pipeline.dataset_dir import DatasetDir
from latentloom.pipeline.importing import import_dataset

INKS = ("red", "green", "blue")


def bars(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Bars at three heights (the class) in three colours, which have nothing to do with it."""
    rng = np.random.default_rng(seed)
    label, ink = np.arange(count) % 3, np.arange(count) // 3 % 3
    images = rng.integers(0, 60, (count, 9, 9, 3))
    for row in range(count):
        images[row, 3 * label[row] : 3 * label[row] + 3, :, ink[row]] += 180
    return {
        "images": images.astype(np.uint8),
        "label": np.array(["top", "middle", "bottom"])[label],
        "ink": np.array(INKS)[ink],
        "split": np.where(np.arange(count) // 9 % 4 == 0, "test", "train"),
    }


def bars_data(folder: Path, count: int = 720) -> DatasetDir:
    """The bars as a data set directory."""
    np.savez(folder / "bars.npz", **bars(count))  # type: ignore[arg-type]
    return import_dataset(f"npz:{folder / 'bars.npz'}", folder / "bars", shards=2)


def study_config(*overrides: str) -> Config:
    """A study of two arms in seconds, without a generator."""
    settings = (
        "study.sizes=[6]",
        "study.seeds=[0, 1]",
        "study.arms=[real, classical]",
        "study.steps=20",
        "study.batch_size=16",
        "study.width=4",
    )
    return parse_config({}, "the test", [*settings, *overrides])
