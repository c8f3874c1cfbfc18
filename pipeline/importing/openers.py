"""How each source is opened, with the options that it applies itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from latentloom.pipeline.importing.bins import parse_bins
from latentloom.pipeline.importing.builtin.digits import open_digits
from latentloom.pipeline.importing.builtin.domain_letters import open_domain_letters
from latentloom.pipeline.importing.builtin.dsprites import open_dsprites
from latentloom.pipeline.importing.builtin.fonts import open_fonts
from latentloom.pipeline.importing.builtin.moons import open_moons
from latentloom.pipeline.importing.builtin.overlaid_letters import open_overlaid_letters
from latentloom.pipeline.importing.formats.folder import FolderSource
from latentloom.pipeline.importing.formats.idx import IdxSource
from latentloom.pipeline.importing.formats.npz import open_npz
from latentloom.pipeline.importing.formats.table import TableSource
from latentloom.pipeline.importing.formats.table_opening import TableOptions, column_and_rule
from latentloom.pipeline.importing.formats.tfds import TfdsSource
from latentloom.pipeline.importing.formats.tfrecord import TFRecordSource
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.importing.split_names import SplitRule


@dataclass(frozen=True)
class SourceOptions:
    """Options of an import that some sources apply themselves; see `open_source`."""

    label: str | None = None
    factors: Sequence[str] | None = None
    form: ImageForm = AS_STORED
    max_examples: int | None = None
    channels: int | None = None
    overlays: Sequence[str] | None = None
    domains: Sequence[str] | None = None
    split: str | None = None
    image: str | None = None
    subfolders: bool = False
    first: bool = False
    channels_first: bool = False
    root: str | None = None
    bins: Sequence[str] = ()

    @property
    def rule(self) -> SplitRule:
        """What `split` tells of the splits of a source that is no table."""
        return SplitRule.parse(self.split)

    @property
    def table(self) -> TableOptions:
        """Which columns of a table are what."""
        column, rule = column_and_rule(self.split)
        return TableOptions(
            self.label, self.factors, self.image, column, rule, self.root, parse_bins(self.bins)
        )

    @property
    def side(self) -> int | None:
        """Side of the squares that a source is to draw itself, or None for its own size.

        Raises:
            ValueError: If no squares are asked for.
        """
        if self.form.size is None:
            return None
        height, width = self.form.size
        if height != width:
            raise ValueError(
                "The builtin images are squares. Expected: one side. Received: image_size="
                f"{height}x{width}. Pass --image-size {height}."
            )
        return height


OPENERS: dict[str, Callable[[str, SourceOptions], Source]] = {
    "builtin:digits": lambda where, options: open_digits(),
    "builtin:dsprites": lambda where, options: open_dsprites(options.side, options.max_examples),
    "builtin:fonts": lambda where, options: open_fonts(options.side, options.max_examples, where),
    "builtin:letters": lambda where, options: _open_letters(options),
    "builtin:moons": lambda where, options: open_moons(),
    "folder:DIR": lambda where, options: FolderSource.open(
        where, options.form, options.channels, options.rule, subfolders=options.subfolders
    ),
    "idx:DIR": lambda where, options: IdxSource.open(where),
    "npz:FILE": lambda where, options: open_npz(
        where,
        options.label,
        options.rule,
        takes_all_types=options.form.levels is not None,
        channels_first=options.channels_first,
        has_ground=options.form.ground is not None,
        factors=options.factors,
    ),
    "table:FILE": lambda where, options: TableSource.open(
        where, options.table, options.form, options.channels
    ),
    "tfds:NAME": lambda where, options: TfdsSource.open(
        where, options.label, options.factors, options.form, options.rule
    ),
    "tfrecord:GLOB": lambda where, options: TFRecordSource.open(
        where,
        options.label,
        options.factors,
        options.form,
        options.channels,
        options.rule,
        options.image,
        first=options.first,
    ),
}
"""Opens the source of an entry, from the part of its spec after the colon and the options."""


def _open_letters(options: SourceOptions) -> Source:
    """Opens the small grid of letters, or letters that differ only by font, place and colours."""
    size = (options.side, options.max_examples)
    if options.overlays is not None:
        return open_overlaid_letters(options.overlays, *size)
    if options.domains is not None:
        return open_domain_letters(options.domains, *size)
    return open_fonts(*size, "letters")
