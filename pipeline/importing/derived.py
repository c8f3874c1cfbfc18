"""Changes that an import makes to any source: sample, label, factors, image size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.bins import Bins
from latentloom.pipeline.importing.changes import change_columns
from latentloom.pipeline.importing.fitting import FITS, LUMA, Fit
from latentloom.pipeline.importing.levels import NOT_FINITE, Levels
from latentloom.pipeline.importing.source import (
    Ignored,
    Source,
    batch_size,
    ignored_of,
    vocabulary_of,
)

Batch = tuple[Examples, list[DeadLetter]]


@dataclass(frozen=True)
class DerivedSource:
    """A source that applies `change(split, batch)` to the batches of another source."""

    name: str
    description: str
    observation: str
    observation_shape: tuple[int, ...]
    factors: dict[str, list[str]]
    splits: dict[str, int]
    label_field: str
    source: Source
    change: Callable[[str, Batch], Batch]

    @property
    def vocabulary(self) -> list[str]:
        """The words of bags of words; empty for other observations."""
        return vocabulary_of(self.source)

    @property
    def ignored(self) -> list[Ignored]:
        """What the source leaves out, by reason."""
        return ignored_of(self.source)

    @property
    def bins(self) -> dict[str, Bins]:
        """The bins of the factors of a table that are numbers."""
        return getattr(self.source, "bins", {})

    def batches(self, split: str) -> Iterator[Batch]:
        """Streams the changed batches, cut where changed observations are larger."""
        size = batch_size(self)
        for batch in self.source.batches(split):
            yield from (self.change(split, part) for part in _cut(batch, size))


def _cut(batch: Batch, size: int) -> Iterator[Batch]:
    """Cuts a batch into batches of at most `size` examples; the first has all dead letters."""
    examples, dead = batch
    yield examples.take(np.arange(min(size, len(examples)))), dead
    for start in range(size, len(examples), size):
        yield examples.take(np.arange(start, min(start + size, len(examples)))), []


def derive_source(
    source: Source, change: Callable[[str, Batch], Batch], **changed
) -> DerivedSource:
    """Returns a source with changed batches; keywords replace other fields."""
    inherited = [field.name for field in dataclasses.fields(DerivedSource)][:-2]
    values = {name: getattr(source, name) for name in inherited}
    return DerivedSource(**(values | changed), source=source, change=change)


def sample_examples(source: Source, max_examples: int) -> Source:
    """Samples examples by keyed position: `max_examples` of "train", other splits in proportion."""
    total = source.splits.get("train", 0)
    if max_examples >= total:
        return source
    chosen = {}
    for split, count in source.splits.items():
        ids = [f"{source.name}/{split}/{position}" for position in range(count)]
        keys = identity_keys(0, "sample", ids)
        size = max(1, round(count * max_examples / total))
        chosen[split] = np.zeros(count, bool)
        chosen[split][np.argsort(keys, kind="stable")[:size]] = True

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        rows = chosen[split][np.array(examples.ids, np.int64)]
        return examples.take(rows), [letter for letter in dead if chosen[split][letter.record]]

    return derive_source(source, change, splits={s: int(rows.sum()) for s, rows in chosen.items()})


def _check_field(source: Source, field: str, option: str) -> None:
    if field not in source.factors:
        raise ValueError(
            f"Source '{source.name}' has no such factor. Expected: some of "
            f"{sorted(source.factors)}. Received: {option}='{field}'. "
            f"{nearest(field, source.factors)}"
        )


def relabel(source: Source, field: str) -> Source:
    """Makes the factor `field` the label, and the old label the factor `original_label`."""
    _check_field(source, field, "label")
    if field == "label":
        return source
    others = [name for name in source.factors if name not in ("label", field)]
    origin = {"label": field, "original_label": "label"} | {name: name for name in others}

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        factors = {name: examples.factors[old] for name, old in origin.items()}
        unlabelled = [dataclasses.replace(letter, label=None) for letter in dead]
        return dataclasses.replace(examples, factors=factors), unlabelled

    factors = {name: source.factors[old] for name, old in origin.items()}
    return derive_source(source, change, factors=factors, label_field=field)


def keep_factors(source: Source, names: Sequence[str]) -> Source:
    """Keeps only the label and these factors."""
    for name in names:
        if name != source.label_field:
            _check_field(source, name, "factors")
    kept = ["label", *(name for name in source.factors if name in names and name != "label")]

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        factors = {name: examples.factors[name] for name in kept}
        return dataclasses.replace(examples, factors=factors), dead

    return derive_source(source, change, factors={name: source.factors[name] for name in kept})


def with_channels(source: Source, channels: int) -> Source:
    """Makes grey images RGB, or images in colour grey by their luma (ITU-R 601-2)."""

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        images = examples.observations
        if channels == 3:
            images = np.repeat(images, 3, axis=-1)
        else:
            weighted = images.astype(np.int64) @ np.array(LUMA)
            images = ((weighted + (1 << 15)) >> 16).astype(np.uint8)[..., None]
        return dataclasses.replace(examples, observations=images), dead

    height, width, _ = source.observation_shape
    return derive_source(source, change, observation_shape=(height, width, channels))


def resize(source: Source, fit: Fit) -> Source:
    """Fits the images to a size by bilinear sampling, antialiased where they shrink."""
    height, width, channels = source.observation_shape
    amount = fit.amount(height, width)

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        changes = {FITS[fit.how]: np.full(len(examples), amount, np.float32)}
        images = fit(examples.observations)
        changes = examples.changes | changes
        return dataclasses.replace(examples, observations=images, changes=changes), dead

    return derive_source(source, change, observation_shape=(*fit.size, channels))


def with_levels(source: Source, levels: Levels) -> Source:
    """Spreads the values of the images over 0 to 255; an image with NaN is a dead letter."""

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        finite = np.isfinite(np.asarray(examples.observations)).all(axis=(1, 2, 3))
        dead = dead + [
            DeadLetter(
                f"{source.name}/{split}",
                int(examples.ids[row]),
                NOT_FINITE,
                int(examples.labels[row]),
            )
            for row in np.flatnonzero(~finite)
        ]
        examples = examples.take(np.flatnonzero(finite))
        images = np.zeros(examples.observations.shape, np.uint8)
        for image, values in zip(images, examples.observations, strict=True):
            image[:] = levels(values)
        changes = change_columns([levels.amounts(values) for values in examples.observations])
        return dataclasses.replace(examples, observations=images, changes=changes), dead

    return derive_source(source, change)
