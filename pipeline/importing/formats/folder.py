"""Image files in a folder per class, below an optional folder per split."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import check_factors
from latentloom.pipeline.importing.formats.file_names import FileNames, path_below
from latentloom.pipeline.importing.formats.folder_layout import LAYOUT, find_layout
from latentloom.pipeline.importing.formats.folder_tree import read_tree
from latentloom.pipeline.importing.formats.image_decoding import Decoder
from latentloom.pipeline.importing.formats.image_pixels import Decoded
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.source import (
    Ignored,
    batch_size,
    in_batches,
    path_name,
    position_ids,
)
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.importing.value_order import in_order
from latentloom.pipeline.storage.texts import flaw_of, printable


@dataclass(frozen=True)
class FolderSource:
    """Images whose class is the name of their folder.

    Args:
        root: The folder.
        files: The images of each class with its code, by split, each in order of name.
        decoder: Decodes the files to one shape.
        ignored: Files that are no examples, by the reason.
    """

    root: Path
    factors: dict[str, list[str]]
    files: dict[str, list[tuple[FileNames, int]]]
    decoder: Decoder
    label_field: str = "label"
    observation: str = "image"
    ignored: list[Ignored] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        where: str,
        form: ImageForm = AS_STORED,
        channels: int | None = None,
        splits: SplitRule | None = None,
        *,
        subfolders: bool = False,
    ) -> FolderSource:
        """Lists the files, and takes the shape from the headers of all of them.

        Args:
            where: Folder with `class/image.png` or `split/class/image.png`.
            form: The form that images get.
            channels: 1 to read every image as grey, 3 as RGB, or None to go by the images.
            splits: Tells the splits of folders; by their names alone by default.
            subfolders: Whether images below the folder of a class are of the class.

        Raises:
            FileNotFoundError: If the folder is missing.
            ValueError: If splits and classes cannot be told, a class is empty, the name of a class
                or a split is invalid, or images differ in size and no size was asked for, or are
                masks.
        """
        root = Path(where)
        if not root.is_dir():
            raise FileNotFoundError(
                f"The folder of images is missing. Expected: {LAYOUT} below a folder. Received: "
                f"SOURCE=folder:{where}. Check the path."
            )
        layout = find_layout(read_tree(root), splits or SplitRule(), subfolders=subfolders)
        names = in_order(folder.name for below in layout.classes.values() for folder in below)
        check_factors({"label": names})
        codes = {name: code for code, name in enumerate(names)}
        files = {
            split: [(layout.images(folder), codes[folder.name]) for folder in folders]
            for split, folders in layout.classes.items()
        }
        everything = [images for classes in files.values() for images, _ in classes]
        named = ((path_below(root, file), file) for file in chain(*everything))
        of_text = (
            (printable(name), file) for name, file in named if not flaw_of(os.path.basename(name))
        )
        decoder = Decoder.fit(of_text, form, channels)
        decoder = decoder.levelled(where, chain(*everything))
        ignored = [*layout.ignored(), *decoder.ignored]
        return cls(root, {"label": names}, files, decoder, ignored=ignored)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return path_name(self.root)

    @property
    def description(self) -> str:
        """What the images are."""
        kind = "grey" if self.observation_shape[2] == 1 else "RGB"
        return f"Image files of {len(self.factors['label'])} classes, a folder each, as {kind}."

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        """Event shape of the images."""
        return self.decoder.image_shape

    @property
    def splits(self) -> dict[str, int]:
        """Number of files of each split, readable or not."""
        return {s: sum(len(images) for images, _ in each) for s, each in self.files.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; an unreadable file, or one whose name is no text, is a dead letter."""
        for rows, dead in in_batches(self._rows(split), batch_size(self)):
            positions, images, labels = zip(*rows, strict=True) if rows else ((), (), ())
            codes = {"label": np.array(labels, np.int64)}
            yield self.decoder.examples(images, codes, position_ids(positions)), dead

    def _rows(self, split: str) -> Iterator[tuple[int, Decoded, int] | DeadLetter]:
        """Yields position, image and class code of each file."""
        pairs = ((file, code) for images, code in self.files[split] for file in images)
        for position, (file, label) in enumerate(pairs):
            name, flaw = printable(path_below(self.root, file)), _flaw(file)
            image = f"the file name {flaw}; rename it" if flaw else self.decoder(name, file)
            is_dead = isinstance(image, str)
            yield DeadLetter(name, position, image, label) if is_dead else (position, image, label)


def _flaw(file: str) -> str:
    """Says what makes the name of a file no text, or nothing."""
    return flaw_of(os.path.basename(file))
