"""Image files in a folder per class, below an optional folder per split."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import check_factors
from latentloom.pipeline.dataset.names import check_splits
from latentloom.pipeline.importing.formats.image_decoding import Decoder
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.source import batch_size, path_name, position_ids
from latentloom.pipeline.storage.texts import flaw_of, printable

LAYOUT = "class/image.png or split/class/image.png"
_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}


@dataclass(frozen=True)
class FolderSource:
    """Images whose class is the name of their folder.

    Args:
        root: The folder.
        files: Path and class code of each image, by split, in order of class and name.
        decoder: Decodes the files to one shape.
        ignored: Number of images without a class, by the reason.
    """

    root: Path
    factors: dict[str, list[str]]
    files: dict[str, list[tuple[Path, int]]]
    decoder: Decoder
    label_field: str = "label"
    observation: str = "image"
    ignored: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(
        cls, where: str, form: ImageForm = AS_STORED, channels: int | None = None
    ) -> FolderSource:
        """Lists the files, and takes the shape from the headers of all of them.

        Args:
            where: Folder with `class/image.png` or `split/class/image.png`.
            form: The form that images get.
            channels: 1 to read every image as grey, 3 as RGB, or None to go by the images.

        Raises:
            FileNotFoundError: If the folder is missing.
            ValueError: If a class is empty, the name of a class or a split is invalid, or images
                differ in size and no size was asked for, or are masks.
        """
        root = Path(where)
        if not root.is_dir():
            raise FileNotFoundError(
                f"The folder of images is missing. Expected: {LAYOUT} below a folder. Received: "
                f"SOURCE=folder:{where}. Check the path."
            )
        splits = {"train": root}
        if not any(_images(folder) for folder in _folders(root)):
            splits = {folder.name: folder for folder in _folders(root) if _folders(folder)}
        classes = {split: _folders(folder) for split, folder in splits.items()}
        names = sorted({folder.name for folders in classes.values() for folder in folders})
        if not names or any(_images(folder) for folder in (root, *splits.values())):
            raise ValueError(
                f"'{where}' has no folders of classes. Expected: {LAYOUT}. Received: folders "
                f"{sorted(splits)}, {len(_images(root))} loose images. Move each image "
                "into the folder of its class."
            )
        check_splits(splits)
        check_factors({"label": names})
        files = {
            split: [(file, names.index(c.name)) for c in folders for file in _class_images(c)]
            for split, folders in classes.items()
        }
        everything = (file for pairs in files.values() for file, _ in pairs)
        headers = ((_name(file, root), file) for file in everything if not flaw_of(file.name))
        decoder = Decoder.fit(headers, form, channels)
        paths = (file for pairs in files.values() for file, _ in pairs)
        decoder = decoder.levelled(where, paths)
        return cls(root, {"label": names}, files, decoder, ignored=_count_ignored(root, classes))

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
                    dead.append(DeadLetter(name, position, image))
                    continue
                images.append(image)
                labels.append(label)
                positions.append(position)
            codes = {"label": np.array(labels, np.int64)}
            yield self.decoder.examples(images, codes, position_ids(positions)), dead


def _folders(folder: Path, *, hidden: bool = False) -> list[Path]:
    return [path for path in _entries(folder, hidden=hidden) if path.is_dir()]


def _images(folder: Path, *, hidden: bool = False) -> list[Path]:
    files = _entries(folder, hidden=hidden)
    return [path for path in files if path.suffix.lower() in _SUFFIXES]


def _entries(folder: Path, *, hidden: bool) -> list[Path]:
    """Returns the paths in a folder, in order: those whose names begin with a dot, or the others.

    Raises:
        OSError: If the folder may not be read.
    """
    with told_of_file(folder, "a readable folder"):
        return sorted(p for p in folder.iterdir() if p.name.startswith(".") == hidden)


def _count_ignored(root: Path, classes: dict[str, list[Path]]) -> dict[str, int]:
    """Counts the images without a class, by the reason."""
    ignored: Counter[str] = Counter()
    folders = [folder for below in classes.values() for folder in below]
    for folder in folders:
        name = printable(folder.name)
        ignored[f"their folder is not '{name}' itself but below it"] += sum(
            map(_count_below, _folders(folder))
        )
    for folder in sorted({root, *folders, *(folder.parent for folder in folders)}):
        name = printable(folder.name)
        ignored[f"their names in '{name}' begin with a dot"] += len(_images(folder, hidden=True))
        for hidden in _folders(folder, hidden=True):
            reason = f"the name of their folder '{printable(hidden.name)}' begins with a dot"
            ignored[reason] += _count_below(hidden)
    return {reason: count for reason, count in ignored.items() if count}


def _count_below(folder: Path) -> int:
    names = (name for _, _, names in os.walk(folder) for name in names)
    return sum(Path(name).suffix.lower() in _SUFFIXES for name in names)


def _class_images(folder: Path) -> list[Path]:
    files = _images(folder)
    if not files:
        raise ValueError(
            f"Class '{printable(folder.name)}' is empty. Expected: images "
            f"({', '.join(sorted(_SUFFIXES))}) in its folder. Received: none in "
            f"'{printable(str(folder))}'. Add some or remove the folder."
        )
    return files


def _name(file: Path, root: Path) -> str:
    """Returns the path of a file below the root, for messages."""
    return printable(file.relative_to(root).as_posix())
