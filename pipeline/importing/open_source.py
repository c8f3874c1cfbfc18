"""The registry of sources: opens the source of a spec and applies the options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.names import check_source_text
from latentloom.pipeline.importing import derived as selection
from latentloom.pipeline.importing import inks as colouring
from latentloom.pipeline.importing.builtin.digits import open_digits
from latentloom.pipeline.importing.builtin.dsprites import open_dsprites
from latentloom.pipeline.importing.builtin.fonts import open_fonts
from latentloom.pipeline.importing.builtin.moons import open_moons
from latentloom.pipeline.importing.formats.folder import FolderSource
from latentloom.pipeline.importing.formats.idx import IdxSource
from latentloom.pipeline.importing.formats.npz import open_npz
from latentloom.pipeline.importing.formats.tfds import TfdsSource
from latentloom.pipeline.importing.formats.tfrecord import TFRecordSource
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import exists, find

BUILTIN = "builtin"


@dataclass(frozen=True)
class SourceOptions:
    """Options of an import that some sources apply themselves; see `open_source`."""

    label: str | None = None
    factors: Sequence[str] | None = None
    image_size: int | None = None
    max_examples: int | None = None
    channels: int | None = None


@dataclass(frozen=True)
class SourceEntry:
    """A source that `import` knows.

    Attributes:
        spec: The spec that a user types, such as `builtin:digits` or `folder:DIR`.
        holds: What it reads or makes, in one line of Markdown.
        open: Opens it from the part after the colon and the options.
        samples_itself: Whether it draws its own sample of `max_examples`.
        selects_fields: Whether it selects the factors itself.
    """

    spec: str
    holds: str
    open: Callable[[str, SourceOptions], Source]
    samples_itself: bool = False
    selects_fields: bool = False

    def matches(self, spec: str) -> bool:
        """Whether a user's spec names this source."""
        scheme, _, where = spec.partition(":")
        if self.spec.startswith(f"{BUILTIN}:"):
            return spec == self.spec
        return bool(where) and scheme == self.spec.partition(":")[0]


SOURCES = (
    SourceEntry(
        "builtin:digits",
        "scikit-learn's 1,797 real digits, 8 x 8",
        lambda where, options: open_digits(),
    ),
    SourceEntry(
        "builtin:dsprites",
        "a rendering of the factor grid of dSprites, not the published file: square, ellipse or "
        "heart in 6 scales, 40 orientations and 32 x 32 positions; 20,000 of the 737,280 cells, or "
        "`--max-examples`",
        lambda where, options: open_dsprites(options.image_size, options.max_examples),
        samples_itself=True,
    ),
    SourceEntry(
        "builtin:fonts",
        "52 letters in 21 fonts, 3 sizes, 10 inks, 10 backgrounds, rendered from the fonts that "
        "matplotlib ships",
        lambda where, options: open_fonts(options.image_size, options.max_examples, where),
        samples_itself=True,
    ),
    SourceEntry(
        "builtin:letters",
        "`builtin:fonts` with 10 letters in 4 fonts, distinguishable at every size: all 10,800 "
        "cells",
        lambda where, options: open_fonts(options.image_size, options.max_examples, where),
        samples_itself=True,
    ),
    SourceEntry(
        "builtin:moons",
        "7,500 points of three interleaved half circles, 2-D vectors",
        lambda where, options: open_moons(),
    ),
    SourceEntry(
        "folder:DIR",
        "one folder per class, or `split/class/...`",
        lambda where, options: FolderSource.open(where, options.image_size, options.channels),
    ),
    SourceEntry(
        "idx:DIR", "MNIST-style `*-ubyte.gz` files", lambda where, options: IdxSource.open(where)
    ),
    SourceEntry(
        "npz:FILE",
        "arrays `images` (n, h, w[, c]) uint8, or `observations` (n, features) of floats, and "
        "`label`; every other array of length n is a factor; `split` is optional. Or counts of "
        "words: `train_data`, `train_indices` and `train_indptr` of a sparse matrix by rows, "
        "`train_labels`, likewise for other splits, and `vocab`",
        lambda where, options: open_npz(where),
    ),
    SourceEntry(
        "tfds:NAME",
        "a prepared TFDS data set; nested integers and booleans by path, as in "
        "`--label attributes/Smiling --factors attributes/Male`. Images of 0 and 1, as in "
        "`tfds:dsprites` (`--label label_shape`), become black and white",
        lambda where, options: TfdsSource.open(
            where, options.label, options.factors, options.image_size
        ),
        selects_fields=True,
    ),
    SourceEntry(
        "tfrecord:GLOB",
        "`tf.train.Example` files",
        lambda where, options: TFRecordSource.open(
            where, options.label, options.factors, options.image_size, options.channels
        ),
        selects_fields=True,
    ),
)
SPECS = tuple(entry.spec for entry in SOURCES)


def source_paths(spec: str) -> list[str]:
    """Returns the files or the directory that a spec names; empty if there are none."""
    kind, _, where = spec.partition(":")
    if kind == "tfrecord":
        return find(where)
    return [where] if where and exists(where) else []


def find_source(spec: str) -> SourceEntry:
    """Returns the source that a spec names.

    Raises:
        ValueError: If the spec is unknown.
    """
    for entry in SOURCES:
        if entry.matches(spec):
            return entry
    raise ValueError(
        f"The source is unknown. Expected: one of {', '.join(SPECS)}. "
        f"Received: source='{spec}'. {nearest(spec, SPECS)}"
    )


def open_source(
    spec: str,
    *,
    label: str | None = None,
    factors: Sequence[str] | None = None,
    image_size: int | None = None,
    max_examples: int | None = None,
    inks: int | None = None,
    channels: int | None = None,
) -> Source:
    """Opens a source and applies the options to it; decodes no images of files yet.

    Args:
        spec: Source to read, one of `SPECS`.
        label: Field that becomes the label; the old one becomes the factor `original_label`.
        factors: Factors to keep beside the label; all by default.
        image_size: Side in pixels of the square to which images are resized; for images only.
        max_examples: Size of the sample of "train", other splits in proportion; everything by
            default. A source that `samples_itself` counts all splits together and defaults to
            20,000.
        inks: Number of inks to colour grey images with; the ink becomes the factor `ink`.
        channels: 1 to make all images grey, 3 to make them RGB; by default image files are grey if
            all of them are, else RGB.

    Raises:
        ValueError: If the spec, an option or the data is invalid.
        FileNotFoundError: If the path is missing.
    """
    check_source_text("The source", spec)
    for option, value in {"image_size": image_size, "max_examples": max_examples}.items():
        if value is not None and value < 1:
            raise ValueError(
                f"Option `{option}` is too small. Expected: at least 1. "
                f"Received: {option}={value}. Raise it."
            )
    entry = find_source(spec)
    options = SourceOptions(label, factors, image_size, max_examples, channels)
    source = entry.open(spec.partition(":")[2], options)
    _check_image_options(spec, source, {"image_size": image_size, "channels": channels})
    if channels is not None and source.observation_shape[2] != channels:
        source = selection.with_channels(source, channels)
    if inks is not None:
        source = colouring.colour(source, inks)
    if max_examples is not None and not entry.samples_itself:
        source = selection.sample_examples(source, max_examples)
    if label is not None and label != source.label_field:
        source = selection.relabel(source, label)
    if factors is not None and not entry.selects_fields:
        source = selection.keep_factors(source, factors)
    if image_size is not None and source.observation_shape[:2] != (image_size, image_size):
        source = selection.resize(source, image_size)
    return source


def _check_image_options(spec: str, source: Source, options: Mapping[str, int | None]) -> None:
    """Rejects options of images for a source of other observations, and channels that none has."""
    kind = KINDS[source.observation]
    for option, value in options.items():
        if value is not None and not kind.can_resize:
            raise ValueError(
                f"Source '{spec}' does not hold images. Expected: `{option}` for images only. "
                f"Received: {option}={value} for {kind.many} of shape {source.observation_shape}. "
                f"Drop --{option.replace('_', '-')}."
            )
    if (channels := options["channels"]) not in (None, 1, 3):
        raise ValueError(
            "The number of channels is unknown. Expected: 1 for grey or 3 for RGB. "
            f"Received: channels={channels}. Pass --channels 1 or --channels 3."
        )
