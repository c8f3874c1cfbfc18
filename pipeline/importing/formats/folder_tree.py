"""The files below a folder of images, read once, without an image being opened."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.importing.formats.file_names import FileNames, path_below
from latentloom.pipeline.importing.formats.image_opening import FORMATS

_OF_SYSTEMS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found")
"""Folders in which operating systems keep files of their own."""

_OF_CAMERAS = "MPO"  # JPEG images one after the other, which Pillow opens as JPEG


@dataclass(eq=False)
class Folder:
    """A folder with everything in it, sorted by name.

    Args:
        path: Its path.
        images: Files whose suffix is that of an image.
        others: Other files.
        hidden: Images whose names begin with a dot.
        folders: The folders in it.
        skipped: Folders whose names begin with a dot, and folders of operating systems.
    """

    path: Path
    images: FileNames = field(init=False)
    others: FileNames = field(init=False)
    hidden: FileNames = field(init=False)
    folders: list[Folder] = field(default_factory=list, init=False)
    skipped: list[Folder] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.images, self.others, self.hidden = (FileNames(self.path) for _ in range(3))

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    def walk(self) -> Iterator[Folder]:
        """Yields the folder and those below it that are not skipped, parents first."""
        waiting = [self]
        while waiting:
            folder = waiting.pop()
            yield folder
            waiting += folder.folders[::-1]

    def images_below(self) -> FileNames:
        """Returns the images of the folder and of all folders below it."""
        found = FileNames(self.path)
        for folder in self.walk():
            for image in folder.images:
                found.append(path_below(self.path, image))
        found.pack()
        return found

    def first_below(self) -> str | None:
        """Returns the first image at any depth."""
        return next((folder.images.first for folder in self.walk() if folder.images), None)

    def everything(self) -> Iterator[str]:
        """Yields the images at any depth, hidden ones and those of skipped folders too."""
        waiting = [self]
        while waiting:
            folder = waiting.pop()
            yield from folder.images
            yield from folder.hidden
            waiting += [*folder.folders, *folder.skipped][::-1]


def read_tree(root: Path) -> Folder:
    """Lists everything below a folder; a link that leads back to a folder above is no folder.

    Raises:
        OSError: If a folder that is not skipped may not be read.
    """
    tree = Folder(root)
    waiting: list[tuple[Folder, frozenset, bool]] = [(tree, frozenset(), False)]
    while waiting:
        folder, above, is_skipped = waiting.pop()
        may_fail = contextlib.suppress(OSError) if is_skipped else contextlib.nullcontext()
        with may_fail, told_of_file(folder.path, "a readable folder"):
            state = folder.path.stat()
            if (place := (state.st_dev, state.st_ino)) in above:
                continue
            _list(folder)
            inner = above | {place}
            waiting += [(child, inner, is_skipped) for child in folder.folders]
            waiting += [(child, inner, True) for child in folder.skipped]
    return tree


def _list(folder: Folder) -> None:
    with os.scandir(folder.path) as entries:
        for entry in entries:
            is_hidden = entry.name.startswith(".")
            if entry.is_dir():
                passed = is_hidden or entry.name in _OF_SYSTEMS
                inner = Folder(folder.path / entry.name)
                (folder.skipped if passed else folder.folders).append(inner)
            elif os.path.splitext(entry.name)[1].lower() in suffixes():
                (folder.hidden if is_hidden else folder.images).append(entry.name)
            elif not is_hidden:
                folder.others.append(entry.name)
    for files in (folder.images, folder.hidden, folder.others):
        files.pack()
    for folders in (folder.folders, folder.skipped):
        folders.sort(key=lambda inner: inner.name)


@functools.cache
def suffixes() -> frozenset[str]:
    """The suffixes of the image files that are read, in lower case."""
    from PIL import Image

    known = Image.registered_extensions().items()
    return frozenset(suffix for suffix, kind in known if kind in (*FORMATS, _OF_CAMERAS))
