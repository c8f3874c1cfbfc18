"""Pictures of the pools of a study, for its smallest seed and largest number of real examples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE
from latentloom.pipeline.dataset.sampling import one_per_class
from latentloom.pipeline.evaluation.decoded.copies import draw_nearest
from latentloom.pipeline.report.pictures.protocol import GRID_COLUMNS
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownVariants
from latentloom.pipeline.report.schema import Picture
from latentloom.pipeline.study.generators import file_name
from latentloom.pipeline.study.own_files import GENERATORS

MOST_ROWS = 10
MOST_COMPARED = 5000
"""Most generated examples of which the nearest to real ones are shown."""
GENERATED = (
    "Left, a real example of each class; right of it, generated examples of that class, which are "
    "mixed with the real ones."
)
NEAREST = (
    "Left, the generated examples of each class nearest to a real one; right, their nearest real "
    "examples, nearest first. An identical pair is a copy."
)


def draw_pools(config: Config, dataset: DatasetDir, out: Path) -> dict[str, Picture]:
    """Draws every generated pool of a study.

    Args:
        config: The configuration of the study.
        dataset: The data set.
        out: Directory of the study.

    Returns:
        Up to two pictures per pool, by name.
    """
    folders = sorted((out / GENERATORS).glob("*"), key=_size_and_seed)
    pictures: dict[str, Picture] = {}
    if not folders:
        return pictures
    real = folders[-1] / "data"
    figures = pictures_of(dataset.observation_kind, dataset.manifest.vocabulary)
    seen = DatasetDir.open(real if real.exists() else dataset.path).read("train")
    for pool in config.study.pools:
        place = folders[-1] / file_name(pool)
        if not (place / MANIFEST_FILE).exists():
            continue
        made = DatasetDir.open(place).read("train")
        shown = _by_class(made)
        anchors = seen.take(np.isin(seen.labels, list(shown)))
        anchors = anchors.take(one_per_class(anchors.labels)[:MOST_ROWS])
        variants = np.stack([made.observations[rows] for rows in shown.values()])
        accepted = np.ones(variants.shape[:2], bool)
        names = dataset.manifest.class_names
        beside = figures.variants(ShownVariants(anchors, variants, accepted, names))
        pictures[f"{pool}, generated"] = replace(beside, caption=GENERATED)
        some = made.take(slice(MOST_COMPARED)).loaded()
        if nearest := draw_nearest(figures, some.observations, some.labels, seen.observations):
            pictures[f"{pool}, nearest"] = Picture(nearest, NEAREST)
    return pictures


def _size_and_seed(folder: Path) -> tuple[float, int]:
    size, _, seed = folder.name.partition("_")
    return (float("inf") if size == "all" else int(size)), -int(seed)


def _by_class(made: Examples) -> dict[int, np.ndarray]:
    """Rows of generated examples by class, equally many of each class."""
    rows = {int(label): np.flatnonzero(made.labels == label) for label in np.unique(made.labels)}
    count = min(GRID_COLUMNS, *map(len, rows.values()), len(made))
    return {label: found[:count] for label, found in list(rows.items())[:MOST_ROWS]}
