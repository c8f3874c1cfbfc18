"""Draws some examples of every class and factor of a data set, or variants beside their anchors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.reader import read
from latentloom.pipeline.report.pictures.protocol import Pictures
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownExamples, ShownVariants
from latentloom.pipeline.report.schema import Picture
from latentloom.pipeline.storage.files import Location

MOST_VALUES = 20
"""Most values of a factor that are shown."""
COLUMNS = 10
"""Most examples of a value, and most variants of an anchor, that are shown."""
SEARCHED = 20_000
"""Records of variants in which anchors of every class are looked for."""
BESIDE = (
    "Left, a real example, the anchor; right of it, the variants of it that the gate accepted, or "
    "some of them."
)


def draw_contact_sheet(
    path: Location, split: str = "train", *, data: Location | None = None, seed: int = 0
) -> Picture:
    """Draws a sheet on which a person sees what a data set holds.

    Args:
        path: Data set directory, imported or generated.
        split: Name of its split.
        data: Data set that it was generated from, which shows variants beside their anchors.
        seed: Integer, another seed shows other examples.

    Returns:
        The picture: a row for each value of the class and of every other factor, at most
        `MOST_VALUES` of each; or with `data` a row for an anchor of each class.

    Raises:
        ValueError: A record is damaged, the split is unknown, it has no examples, or `data` is
            given for a data set that was not generated from it.
    """
    dataset = DatasetDir.open(path)
    pictures = pictures_of(dataset.observation_kind, dataset.manifest.vocabulary)
    if data is None:
        return _draw_values(dataset, split, pictures, seed)
    return _draw_variants(dataset, split, DatasetDir.open(data), pictures)


def _draw_values(dataset: DatasetDir, split: str, pictures: Pictures, seed: int) -> Picture:
    examples, factors = dataset.read(split), dataset.manifest.factors
    if not len(examples):
        raise ValueError(
            f"There is nothing to look at. Expected: examples in split '{split}' of "
            f"'{dataset.path}'. Received: none. Name another split."
        )
    mixed = choose(examples, len(examples), seed, "look")
    chosen, titles, left_out = [], [], []
    for name, values in factors.items():
        counts = np.bincount(examples.factors[name], minlength=len(values))
        present = np.flatnonzero(counts)
        for value in present[:MOST_VALUES]:
            chosen.append(np.flatnonzero(mixed.factors[name] == value)[:COLUMNS])
            what = values[value] if name == "label" else f"{name}: {values[value]}"
            titles.append(f"{what} ({counts[value]:,})")
        if len(present) > MOST_VALUES:
            left_out.append(f"{len(present) - MOST_VALUES} further values of '{name}'")
    rows = np.concatenate(chosen)
    groups = np.split(np.arange(len(rows)), np.cumsum([len(some) for some in chosen[:-1]]))
    picture = pictures.examples(ShownExamples(mixed.take(rows).loaded(), groups, titles))
    told = f" Left out: {' and '.join(left_out)}." if left_out else ""
    return Picture(picture.png, picture.caption + told)


def _draw_variants(
    dataset: DatasetDir, split: str, source: DatasetDir, pictures: Pictures
) -> Picture:
    found = _variants_of_anchors(dataset, split)
    real = source.read(split)
    rows = {example_id: row for row, example_id in enumerate(real.ids)}
    known = [anchor for anchor in found if anchor in rows]
    if not known:
        raise ValueError(
            f"No anchor was found. Expected: --data with the data set that '{dataset.path}' was "
            f"generated from. Received: --data {source.path}. Pass that data set."
        )
    most = min(COLUMNS, max(len(found[anchor]) for anchor in known))
    variants = np.stack([_padded(found[anchor], most) for anchor in known])
    shown = ShownVariants(
        anchors=real.take(np.array([rows[anchor] for anchor in known])).loaded(),
        variants=variants,
        accepted=np.ones(variants.shape[:2], bool),
        names=dataset.manifest.class_names,
    )
    return Picture(pictures.variants(shown).png, BESIDE)


def _padded(variants: list[np.ndarray], count: int) -> np.ndarray:
    """Stacks `count` variants, with zeros in place of missing ones."""
    blank = [np.zeros_like(variants[0])] * (count - len(variants))
    return np.stack([*variants[:count], *blank])


def _variants_of_anchors(dataset: DatasetDir, split: str) -> Mapping[str, list[np.ndarray]]:
    """Some variants of one anchor of every class, by the anchor's id."""
    anchors: dict[int, str] = {}
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for record in _records(dataset, split):
        anchor = record["anchor_id"]
        anchor = anchor.decode() if isinstance(anchor, bytes) else anchor
        if anchors.setdefault(record["label"], anchor) == anchor and len(found[anchor]) < COLUMNS:
            found[anchor].append(record[dataset.observation_kind.feature])
    return {anchor: found[anchor] for _, anchor in sorted(anchors.items())}


def _records(dataset: DatasetDir, split: str) -> Iterator[dict]:
    if dataset.manifest.kind != "generated":
        raise ValueError(
            f"'{dataset.path}' has no anchors. Expected: with --data, a data set that `generate` "
            f"wrote. Received: one of kind '{dataset.manifest.kind}'. Leave out --data."
        )
    return islice(read(dataset.path, split), SEARCHED)
