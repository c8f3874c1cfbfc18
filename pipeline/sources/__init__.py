"""Where labelled observations come from: one file a kind, all seen through `Source`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from augment.spelling import nearest
from pipeline.examples import DeadLetter, Examples
from pipeline.files import exists, find
from pipeline.observations import KINDS

BATCH_SIZE = 1024
FONTS = ("builtin:fonts", "builtin:letters")
GRIDS = ("builtin:dsprites", *FONTS)
"""Sources that render a grid, and draw their own sample of its cells."""
SCHEMES = ("builtin:digits", *GRIDS, "builtin:moons", "folder:DIR", "idx:DIR") + (
    "npz:FILE",
    "tfds:NAME",
    "tfrecord:GLOB",
)


class Source(Protocol):
    """A labelled data set to import, read in order and in bounded memory.

    A source of bags of words also has its `vocabulary`; see `vocabulary_of`.

    Args:
        name: Name that suits the data set.
        description: One or two sentences for people.
        observation: Kind of observation, a key of `pipeline.observations.KINDS`.
        image_shape: Event shape `(height, width, channels)`, `(features,)` of vectors or
            `(words,)` of bags of words.
        factors: Value names of each factor; `"label"` first.
        splits: Number of examples, good and bad, of each split.
        label_field: What the source itself calls the label.
    """

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def observation(self) -> str: ...
    @property
    def image_shape(self) -> tuple[int, ...]: ...
    @property
    def factors(self) -> dict[str, list[str]]: ...
    @property
    def splits(self) -> dict[str, int]: ...
    @property
    def label_field(self) -> str: ...

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split. The id of an example, and the `record` of a dead letter, is its
        position in the source, so neither depends on the options of an import."""
        ...


def vocabulary_of(source: Source) -> list[str]:
    """The words that a source counts; none if it is of something else."""
    return list(getattr(source, "vocabulary", ()))


def position_ids(positions: Iterable[int]) -> list[str]:
    """Ids of examples within their split, from their positions in the source."""
    return [f"{position:08d}" for position in positions]


def path_name(path: str | os.PathLike[str]) -> str:
    """A name for a data set from the last part of its path."""
    return re.sub(r"\W+", "_", Path(path).resolve().stem.lower()).strip("_")


def source_paths(spec: str) -> list[str]:
    """The files or the directory that a spec names, if any."""
    kind, _, where = spec.partition(":")
    if kind == "tfrecord":
        return find(where)
    return [where] if where and exists(where) else []


def open_source(
    spec: str,
    *,
    label: str | None = None,
    factors: Sequence[str] | None = None,
    image_size: int | None = None,
    max_examples: int | None = None,
    inks: int | None = None,
) -> Source:
    """Opens a source and applies the options to it; reads no images yet.

    Args:
        spec: What to read, one of `SCHEMES`.
        label: Field that becomes the label; the old one becomes the factor `original_label`.
        factors: Factors to keep beside the label; all by default.
        image_size: Side in pixels to which images, and no others, are resized, to a square.
        max_examples: Size of the sample to take of the split "train"; others in proportion.
        inks: Number of inks in which grey images are coloured; they become the factor `ink`.

    Raises:
        ValueError: The spec, an option or the data is not what it should be.
        FileNotFoundError: There is nothing at the path.
    """
    from pipeline.sources import inks as colouring
    from pipeline.sources import selection

    for option, value in {"image_size": image_size, "max_examples": max_examples}.items():
        if value is not None and value < 1:
            raise ValueError(
                f"Option `{option}` is too small. Expected: at least 1. "
                f"Received: {option}={value}. Raise it."
            )
    source = _open(spec, label, factors, image_size, max_examples)
    kind = KINDS[source.observation]
    if image_size is not None and not kind.can_resize:
        raise ValueError(
            f"Source '{spec}' is not of images. Expected: `image_size` for images only. "
            f"Received: image_size={image_size} for {kind.many} of shape {source.image_shape}. "
            "Drop --image-size."
        )
    if inks is not None:
        source = colouring.colour(source, inks)
    if max_examples is not None and spec not in GRIDS:
        source = selection.sample(source, max_examples)
    if label is not None and label != source.label_field:
        source = selection.relabel(source, label)
    if factors is not None and not spec.startswith(("tfds:", "tfrecord:")):
        source = selection.keep_factors(source, factors)
    if image_size is not None and source.image_shape[:2] != (image_size, image_size):
        source = selection.resize(source, image_size)
    return source


def _open(
    spec: str,
    label: str | None,
    factors: Sequence[str] | None,
    image_size: int | None,
    max_examples: int | None,
) -> Source:
    from pipeline.sources import digits, dsprites, folder, fonts, idx, moons, npz, tfds, tfrecord

    kind, _, where = spec.partition(":")
    if spec == "builtin:digits":
        return digits.open_digits()
    if spec == "builtin:dsprites":
        return dsprites.DSpritesSource.open(image_size, max_examples)
    if spec in FONTS:
        return fonts.FontsSource.open(image_size, max_examples, where)
    if spec == "builtin:moons":
        return moons.open_moons()
    if kind == "idx" and where:
        return idx.IdxSource.open(where)
    if kind == "npz" and where:
        return npz.open_npz(where)
    if kind == "folder" and where:
        return folder.FolderSource.open(where, image_size)
    if kind == "tfds" and where:
        return tfds.TfdsSource.open(where, label, factors, image_size)
    if kind == "tfrecord" and where:
        return tfrecord.TFRecordSource.open(where, label, factors, image_size)
    raise ValueError(
        f"There is no such source. Expected: one of {', '.join(SCHEMES)}. "
        f"Received: source='{spec}'. {nearest(spec, SCHEMES)}"
    )
