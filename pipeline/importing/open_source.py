"""Opens the source of a spec and applies the options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.names import check_source_text
from latentloom.pipeline.importing import derived as selection
from latentloom.pipeline.importing import inks as colouring
from latentloom.pipeline.importing import overlays as marks
from latentloom.pipeline.importing.builtin.digits import open_digits
from latentloom.pipeline.importing.builtin.dsprites import open_dsprites
from latentloom.pipeline.importing.builtin.fonts import open_fonts
from latentloom.pipeline.importing.builtin.moons import open_moons
from latentloom.pipeline.importing.builtin.overlaid_letters import open_overlaid_letters
from latentloom.pipeline.importing.formats.folder import FolderSource
from latentloom.pipeline.importing.formats.idx import IdxSource
from latentloom.pipeline.importing.formats.npz import open_npz
from latentloom.pipeline.importing.formats.tfds import TfdsSource
from latentloom.pipeline.importing.formats.tfrecord import TFRecordSource
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.importing.specs import SOURCES, SPECS, SourceEntry
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import exists, find


@dataclass(frozen=True)
class SourceOptions:
    """Options of an import that some sources apply themselves; see `open_source`."""

    label: str | None = None
    factors: Sequence[str] | None = None
    image_size: int | None = None
    max_examples: int | None = None
    channels: int | None = None
    overlays: Sequence[str] | None = None
    splits: SplitRule = SplitRule()
    subfolders: bool = False
    image: str | None = None
    first: bool = False


_OPENERS: dict[str, Callable[[str, SourceOptions], Source]] = {
    "builtin:digits": lambda where, options: open_digits(),
    "builtin:dsprites": lambda where, options: open_dsprites(
        options.image_size, options.max_examples
    ),
    "builtin:fonts": lambda where, options: open_fonts(
        options.image_size, options.max_examples, where
    ),
    "builtin:letters": lambda where, options: _open_letters(options),
    "builtin:moons": lambda where, options: open_moons(),
    "folder:DIR": lambda where, options: FolderSource.open(
        where,
        options.image_size,
        options.channels,
        options.splits,
        subfolders=options.subfolders,
    ),
    "idx:DIR": lambda where, options: IdxSource.open(where),
    "npz:FILE": lambda where, options: open_npz(where, options.label, options.splits),
    "tfds:NAME": lambda where, options: TfdsSource.open(
        where, options.label, options.factors, options.image_size, options.splits
    ),
    "tfrecord:GLOB": lambda where, options: TFRecordSource.open(
        where,
        options.label,
        options.factors,
        options.image_size,
        options.channels,
        options.splits,
        options.image,
        first=options.first,
    ),
}
"""Opens the source of an entry, from the part of its spec after the colon and the options."""


def _open_letters(options: SourceOptions) -> Source:
    """Opens the small grid of letters, or letters that differ only by font, place and colours."""
    if options.overlays is None:
        return open_fonts(options.image_size, options.max_examples, "letters")
    return open_overlaid_letters(options.overlays, options.image_size, options.max_examples)


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
    overlays: Sequence[str] | None = None,
    split: str | None = None,
    subfolders: bool = False,
    image: str | None = None,
    first: bool = False,
) -> Source:
    """Opens a source and applies the options to it; decodes no images of files yet.

    Args:
        spec: Source to read, one of `specs.SPECS`.
        label: Field that becomes the label; the old one becomes the factor `original_label`.
        factors: Factors to keep beside the label; all by default.
        image_size: Side in pixels of the square to which images are resized; for images only.
        max_examples: Size of the sample of "train", other splits in proportion; everything by
            default. A source that `samples_itself` counts all splits together and defaults to
            20,000.
        inks: Number of inks to colour grey images with; the ink becomes the factor `ink`.
        channels: 1 to make all images grey, 3 to make them RGB; by default image files are grey if
            all of them are, else RGB.
        overlays: Marks to lay over images, each on half of them and a factor; see `overlays`. A
            source that `draws_overlays` has images of its own for them.
        split: What splits are of a name that does not tell it; see `SplitRule.parse`. Only for a
            source that `names_splits`.
        subfolders: Whether images below the folder of a class are of the class; for `folder:`.
        image: Field of the image; for `tfrecord:`.
        first: Whether the first of several labels is the label; for `tfrecord:`.

    Raises:
        ValueError: If the spec, an option or the data is invalid.
        FileNotFoundError: If the path is missing.
    """
    check_source_text("The source", spec)
    _check_positive({"image_size": image_size, "max_examples": max_examples})
    _check_colour(overlays, channels)
    entry = find_source(spec)
    given = {"split": split, "subfolders": subfolders, "image": image, "first": first}
    _check_own_options(entry, [name for name, value in given.items() if value not in (None, False)])
    options = SourceOptions(
        *(label, factors, image_size, max_examples, channels, overlays),
        splits=SplitRule.parse(split),
        subfolders=subfolders,
        image=image,
        first=first,
    )
    source = _OPENERS[entry.spec](spec.partition(":")[2], options)
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
    if overlays is not None and not entry.draws_overlays:
        source = marks.overlay(source, overlays)
    return source


def _check_positive(numbers: Mapping[str, int | None]) -> None:
    for option, value in numbers.items():
        if value is not None and value < 1:
            raise ValueError(
                f"Option `{option}` is too small. Expected: at least 1. "
                f"Received: {option}={value}. Raise it."
            )


def _check_own_options(entry: SourceEntry, given: Sequence[str]) -> None:
    """Rejects an option that has no effect on a source."""
    for option in given:
        if option not in entry.own_options:
            fitting = [each.spec for each in SOURCES if option in each.own_options]
            raise ValueError(
                f"Source '{entry.spec}' does not use --{option}. Expected: --{option} for "
                f"{', '.join(fitting)}. Received: --{option}. Drop --{option}."
            )


def _check_colour(overlays: Sequence[str] | None, channels: int | None) -> None:
    if overlays is not None and channels == 1:
        raise ValueError(
            "Grey images cannot show overlays, which differ by their colour. Expected: images in "
            "colour. Received: channels=1 and overlays. Drop --channels or --overlays."
        )


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
