"""Opens the source of a spec and applies the options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.names import check_source_text
from latentloom.pipeline.importing import derived as selection
from latentloom.pipeline.importing import domains as renderings
from latentloom.pipeline.importing import inks as colouring
from latentloom.pipeline.importing import overlays as marks
from latentloom.pipeline.importing.image_form import ImageForm, Size
from latentloom.pipeline.importing.levels import Levels, Range, find_levels, peaks_of
from latentloom.pipeline.importing.opacity import has_opacity, shown, with_ground, without_opacity
from latentloom.pipeline.importing.openers import OPENERS, SourceOptions
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.importing.specs import SOURCES, SPECS, SourceEntry
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import exists, find


def source_paths(spec: str) -> list[str]:
    """Returns the files or the directory that a spec names; empty if there are none."""
    kind, _, where = spec.partition(":")
    if kind in ("tfrecord", "table"):
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
    image_size: Size | None = None,
    max_examples: int | None = None,
    inks: int | None = None,
    channels: int | None = None,
    overlays: Sequence[str] | None = None,
    domains: Sequence[str] | None = None,
    fit: str | None = None,
    ground: str | None = None,
    value_range: Range | None = None,
    split: str | None = None,
    image: str | None = None,
    subfolders: bool = False,
    first: bool = False,
    channels_first: bool = False,
    root: str | None = None,
    bins: Sequence[str] = (),
) -> Source:
    """Opens a source and applies the options to it; decodes no images of files yet.

    Args:
        spec: Source to read, one of `specs.SPECS`.
        label: Field that becomes the label; the old one becomes the factor `original_label`.
        factors: Factors to keep beside the label; all by default.
        image_size: Side in pixels of the square that images become, or height and width; for
            images only.
        max_examples: Size of the sample of "train", other splits in proportion; everything by
            default. A source that `samples_itself` counts all splits together and defaults to
            20,000.
        inks: Number of inks to colour grey images with; the ink becomes the factor `ink`.
        channels: 1 to make all images grey, 3 to make them RGB; by default image files are grey if
            all of them are, else RGB.
        overlays: Marks to lay over images, each on half of them and a factor; see `overlays`. A
            source that `renders_itself` has images of its own for them.
        domains: Renderings of grey images, each of which is in one; they become the factor
            `domain`; see `domains`. Excludes overlays. A source that `renders_itself` has images
            of its own for them.
        fit: How images of another aspect get this size: a key of `fitting.FITS`, `pad` by default.
        ground: Colour behind transparent images, white by default, and of the border of padded
            ones, by default that of their edge. One in colour makes images RGB.
        value_range: The values that become 0 and 255, or `levels.OWN_RANGE` for the smallest and
            the largest one of each file; needed for other values than 8-bit levels.
        split: What splits are of a name that does not tell it, see `SplitRule.parse`; of a table
            also its column of splits, see `column_and_rule`. This option and those below are for
            sources that have them as `own_options`.
        image: Field of the image in TFRecord files, or column of a table with paths or bytes.
        subfolders: Whether images below the folder of a class are of the class.
        first: Whether the first of several labels is the label.
        channels_first: Whether the arrays of an archive have the axis of channels first.
        root: Folder that the paths of a table begin at.
        bins: Bins of factors of a table that are numbers; see `parse_bins`.

    Raises:
        ValueError: If the spec, an option or the data is invalid.
        FileNotFoundError: If the path is missing.
    """
    check_source_text("The source", spec)
    _check_max_examples(max_examples)
    form = ImageForm.of(image_size, fit, ground, value_range)
    channels = 3 if channels is None and form.is_coloured else channels
    _check_colour(overlays, domains, channels)
    entry = find_source(spec)
    own: dict[str, Any] = {"split": split, "image": image, "subfolders": subfolders}
    own |= {"first": first, "channels_first": channels_first, "root": root, "bins": tuple(bins)}
    own = {name: value for name, value in own.items() if value not in (None, False, ())}
    _check_own_options(entry, list(own))
    options = SourceOptions(label, factors, form, max_examples, channels, overlays, domains, **own)
    source = OPENERS[entry.spec](spec.partition(":")[2], options)
    _check_image_options(
        spec,
        source,
        {"image_size": image_size, "ground": ground, "range": value_range, "channels": channels},
    )
    if not entry.gives_form:
        source = _levelled(spec, entry, source, form, channels)
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
    if form.fit is not None and source.observation_shape[:2] != form.size:
        source = selection.resize(source, form.fit)
    if overlays is not None and not entry.renders_itself:
        source = marks.overlay(source, overlays)
    if domains is not None and not entry.renders_itself:
        source = renderings.render_source(source, domains)
    return source


def _check_max_examples(max_examples: int | None) -> None:
    if max_examples is not None and max_examples < 1:
        raise ValueError(
            "Option `max_examples` is too small. Expected: at least 1. "
            f"Received: max_examples={max_examples}. Raise it."
        )


def _check_own_options(entry: SourceEntry, given: Sequence[str]) -> None:
    """Rejects an option that has no effect on a source."""
    for option in given:
        if option not in entry.own_options:
            name = f"--{option.replace('_', '-')}"
            fitting = [each.spec for each in SOURCES if option in each.own_options]
            raise ValueError(
                f"Source '{entry.spec}' does not use {name}. Expected: {name} for "
                f"{', '.join(fitting)}. Received: {name}. Drop {name}."
            )


def _levelled(
    spec: str, entry: SourceEntry, source: Source, form: ImageForm, channels: int | None
) -> Source:
    """Gives images in arrays their levels and a ground, as they are asked to or need it."""
    if not KINDS[source.observation].can_resize:
        return source
    levels = _levels_of(spec, entry, source, form.levels)
    if has_opacity(source.observation_shape[2]):
        return with_ground(source, form.ground, levels, channels)
    return source if levels is None else selection.with_levels(source, levels)


def _levels_of(
    spec: str, entry: SourceEntry, source: Source, asked: Levels | None
) -> Levels | None:
    """Returns how values are spread over 0 to 255, if they are asked to or are masks."""
    images = (
        batch.observations
        for split in source.splits
        for batch, _ in source.batches(split)
        if len(batch)
    )
    if asked is None and entry.has_foreign_arrays:
        return find_levels(spec, (int(peaks_of(shown(batch)).max()) for batch in images))
    if asked is not None and asked.is_own:
        colours = without_opacity(source.observation_shape[2])
        return Levels.over(batch[..., :colours] for batch in images)
    return asked


def _check_colour(
    overlays: Sequence[str] | None, domains: Sequence[str] | None, channels: int | None
) -> None:
    if overlays is not None and domains is not None:
        raise ValueError(
            "Images are rendered in domains or get overlays. Expected: one of both. Received: "
            f"overlays={','.join(overlays)}, domains={','.join(domains)}. Drop --domains or "
            "--overlays."
        )
    if overlays is not None and channels == 1:
        raise ValueError(
            "Grey images cannot show overlays, which differ by their colour. Expected: images in "
            "colour. Received: channels=1 and overlays. Drop --channels or --overlays."
        )


def _check_image_options(spec: str, source: Source, options: Mapping[str, Any]) -> None:
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
