"""Image files in a folder per class, below an optional folder per split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import check_factors
from latentloom.pipeline.importing.formats.folder_layout import LAYOUT, find_layout
from latentloom.pipeline.importing.formats.folder_tree import read_tree
from latentloom.pipeline.importing.formats.image_decoding import Decoder
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.source import Ignored, batch_size, path_name, position_ids
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.importing.value_order import in_order
from latentloom.pipeline.storage.texts import flaw_of, printable


@dataclass(frozen=True)
class FolderSource:
    """Images whose class is the name of their folder.

    Args:
        root: The folder.
        files: Path and class code of each image, by split, in order of class and name.
        decoder: Decodes the files to one shape.
        ignored: Files that are no examples, by the reason.
    """

    root: Path
    factors: dict[str, list[str]]
    files: dict[str, list[tuple[Path, int]]]
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
            split: [(file, codes[c.name]) for c in folders for file in layout.images(c)]
            for split, folders in layout.classes.items()
        }
        everything = (file for pairs in files.values() for file, _ in pairs)
        headers = ((_name(file, root), file) for file in everything if not flaw_of(file.name))
        decoder = Decoder.fit(headers, form, channels)
        decoder = decoder.levelled(where, (file for pairs in files.values() for file, _ in pairs))
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
        return {split: len(files) for split, files in self.files.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; an unreadable file, or one whose name is no text, is a dead letter."""
        files, size = self.files[split], batch_size(self)
        for start in range(0, len(files), size):
            images, labels, positions, dead = [], [], [], []
            part = files[start : start + size]
            for position, (file, label) in enumerate(part, start):
                name, flaw = _name(file, self.root), flaw_of(file.name)
                image = f"the file name {flaw}; rename it" if flaw else self.decoder(name, file)
                if isinstance(image, str):
                    dead.append(DeadLetter(name, position, image, label))
                    continue
                images.append(image)
                labels.append(label)
                positions.append(position)
            codes = {"label": np.array(labels, np.int64)}
            yield self.decoder.examples(images, codes, position_ids(positions)), dead


def _name(file: Path, root: Path) -> str:
    """Returns the path of a file below the root, for messages."""
    return printable(file.relative_to(root).as_posix())
