"""Finds out which folders are splits and which are classes, and says what lies at which depth."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from latentloom.pipeline.importing.formats.file_names import FileNames, path_below
from latentloom.pipeline.importing.formats.folder_tree import Folder, suffixes
from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.importing.split_names import NONE, SPLITS, TRAIN, SplitRule
from latentloom.pipeline.storage.texts import printable

LAYOUT = "class/image.png or split/class/image.png"
_CHOICE = f"SPLIT one of {', '.join(SPLITS)} or {NONE}"


@dataclass(frozen=True)
class Layout:
    """The folders of the classes, by split.

    Args:
        tree: The folder of the source.
        classes: The folders of classes of each split.
        left_out: The folders that `--split` leaves out.
        subfolders: Whether images below the folder of a class are of the class.
    """

    tree: Folder
    classes: dict[str, list[Folder]]
    left_out: list[Folder]
    subfolders: bool

    def images(self, folder: Folder) -> FileNames:
        """Returns the images of a folder of a class.

        Raises:
            ValueError: If there are none.
        """
        found = folder.images_below() if self.subfolders else folder.images
        if not found:
            _refuse_empty(self.tree, folder)
        return found

    def ignored(self) -> list[Ignored]:
        """Returns the files that are no examples, by folder and reason."""
        found = _LeftOut(self.tree)
        for folder in self.left_out:
            reason = f"their folder '{printable(folder.name)}' is left out by --split"
            found.add(reason, folder.everything())
        classes = {folder.path for below in self.classes.values() for folder in below}
        waiting = [self.tree]
        while waiting:
            folder = waiting.pop(0)
            found.add_of(folder)
            if folder.path in classes and not self.subfolders:
                reason = f"their folder is not '{printable(folder.name)}' itself but below it"
                for below in folder.folders:
                    found.add(reason, below.everything())
            else:
                waiting = [f for f in folder.folders if f not in self.left_out] + waiting
        return [Ignored(reason, *counted) for reason, counted in found.counted.items()]


@dataclass
class _LeftOut:
    """Counts the files that are no examples, by reason, and keeps the name of the first."""

    tree: Folder
    counted: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, reason: str, paths: Iterable[str]) -> None:
        for path in paths:
            count, first = self.counted.get(reason) or (0, _name(self.tree, path))
            self.counted[reason] = count + 1, first

    def add_of(self, folder: Folder) -> None:
        """Adds the files of a folder that are no examples whatever the class."""
        name = printable(folder.name)
        self.add(f"their names in '{name}' begin with a dot", folder.hidden)
        for inner in folder.skipped:
            begins = inner.name.startswith(".")
            flaw = "begins with a dot" if begins else "is that of a system's files"
            reason = f"the name of their folder '{printable(inner.name)}' {flaw}"
            self.add(reason, inner.everything())
        for path in folder.others:
            reason = f"the suffix '{printable(_suffix(path))}' in '{name}' is not of an image"
            self.add(reason, [path])


def find_layout(tree: Folder, rule: SplitRule, *, subfolders: bool) -> Layout:
    """Decides whether the folders at the first level are splits or classes.

    They are splits if `rule` tells the split of each of them, classes if they hold images.

    Args:
        tree: The folder of the source.
        rule: Tells splits by their names.
        subfolders: Whether images below the folder of a class are of the class.

    Raises:
        ValueError: If images lie outside folders of classes, or it cannot be told which folders are
            splits and which are classes.
    """
    rule.check_patterns([folder.name for folder in tree.folders], str(tree.path))
    told = {folder.name: rule.tell(folder.name) for folder in tree.folders}
    left_out = [folder for folder in tree.folders if told[folder.name] == NONE]
    kept = [folder for folder in tree.folders if folder not in left_out]
    live = [folder for folder in kept if folder.first_below()]
    if tree.images or not live:
        _refuse_loose(tree)
    flat = [folder for folder in live if folder.images]
    splits = [folder for folder in live if told[folder.name]]
    if len(splits) == len(live) or (not flat and (splits or rule.otherwise)):
        return Layout(tree, _by_split(tree, live, rule), left_out, subfolders)
    if not subfolders and not (flat and all(folder.images for folder in splits)):
        _refuse_ambiguous(tree, flat, splits, [f for f in live if f not in flat])
    _check_no_splits(tree, live, rule)
    return Layout(tree, {TRAIN: kept}, left_out, subfolders)


def _check_no_splits(tree: Folder, live: Sequence[Folder], rule: SplitRule) -> None:
    """Rejects a `--split` that would make a split of a folder of a class."""
    chosen = {folder.name: rule.chosen_for(folder.name) or rule.otherwise for folder in live}
    if named := [name for name, split in chosen.items() if split not in ("", TRAIN)]:
        raise ValueError(
            f"'{printable(named[0])}' of '{printable(str(tree.path))}' is the folder of a class. "
            "Expected: --split for folders of splits, split/class/image.png. Received: --split "
            f"{printable(named[0])}={chosen[named[0]]}. Drop it, or put the folders of classes "
            "into folders of splits."
        )


def _by_split(tree: Folder, live: Sequence[Folder], rule: SplitRule) -> dict[str, list[Folder]]:
    """Returns the folders of classes of each split; rejects images without a class."""
    told = rule.assign([folder.name for folder in live], printable(str(tree.path)))
    if flat := [folder for folder in live if folder.images]:
        sorted_ones = [folder for folder in live if not folder.images]
        beside = f", and folders of classes in {_names(sorted_ones)}" if sorted_ones else ""
        name = printable(flat[0].name)
        raise ValueError(
            f"Split '{name}' of '{printable(str(tree.path))}' has images without a class. "
            f"Expected: split/class/image.png. Received: {len(flat[0].images)} images directly in "
            f"'{name}', the first '{_first(tree, flat[0])}'{beside}. Move each into the "
            "folder of its class"
            + (
                f", or leave the split out with --split {name}={NONE}."
                if sorted_ones
                else "; or give the folders other names if they are classes."
            )
        )
    for folder in live:
        _check_no_splits_inside(tree, folder, rule)
    classes: dict[str, list[Folder]] = {}
    for folder in live:
        classes.setdefault(told[folder.name], []).extend(folder.folders)
    return classes


def _check_no_splits_inside(tree: Folder, split: Folder, rule: SplitRule) -> None:
    """Rejects folders of splits where those of classes are expected."""
    inner = [folder for folder in split.folders if folder.first_below()]
    if inner and all(rule.tell(folder.name) and not folder.images for folder in inner):
        where, name = printable(str(tree.path)), printable(split.name)
        raise ValueError(
            f"The folder '{name}' of '{where}' holds splits, not classes. Expected: {LAYOUT}. "
            f"Received: {_names(inner)} in '{name}'. Import '{where}/{name}' itself, or name its "
            "folders otherwise if they are classes."
        )


def _refuse_loose(tree: Folder) -> NoReturn:
    """Rejects images that lie in the folder itself, or a folder without any image."""
    where = printable(str(tree.path))
    if tree.images:
        raise ValueError(
            f"'{where}' has images outside the folders of classes. Expected: {LAYOUT}. Received: "
            f"folders {_names(tree.folders)}, {len(tree.images)} loose images. Move each image "
            "into the folder of its class."
        )
    raise ValueError(
        f"'{where}' has no images. Expected: {LAYOUT}, the suffix one of "
        f"{', '.join(sorted(suffixes()))}. Received: {_others(tree)}. Check the path, or convert "
        "the files."
    )


def _refuse_empty(tree: Folder, folder: Folder) -> NoReturn:
    name = printable(folder.name)
    if folder.first_below():
        count, shown = len(folder.images_below()), _first(tree, folder)
        raise ValueError(
            f"Class '{name}' has images only in folders below its own. Expected: {LAYOUT}. "
            f"Received: none directly in '{_name(tree, folder.path)}', {count} deeper, the first "
            f"'{shown}'. Pass --subfolders to read them as images of class '{name}'."
        )
    fix = "Convert them. " if any(f.others for f in folder.walk()) else ""
    raise ValueError(
        f"Class '{name}' is empty. Expected: images ({', '.join(sorted(suffixes()))}) in its "
        f"folder. Received: {_others(folder)} in '{_name(tree, folder.path)}'. {fix}Add some or "
        "remove the folder if it is no class."
    )


def _refuse_ambiguous(
    tree: Folder, flat: Sequence[Folder], splits: Sequence[Folder], deep: Sequence[Folder]
) -> NoReturn:
    """Rejects folders that are splits or classes, depending on what is meant."""
    where, name = printable(str(tree.path)), printable(deep[0].name)
    shown = _first(tree, deep[0])
    depth = shown.count("/")
    if not flat:
        inner = f"; for a folder around the data set, pass {name} itself" if len(deep) == 1 else ""
        raise ValueError(
            f"'{where}' has no training examples that its folders tell. Expected: {LAYOUT}. "
            f"Received: no images in the folders of the first level, {_names(deep)}; the first "
            f"lies {depth} folders deep, '{shown}'. If '{name}' is a class, pass --subfolders; if "
            f"it is a split, pass --split {name}=SPLIT, {_CHOICE}{inner}."
        )
    alone = [folder for folder in flat if folder not in splits]
    raise ValueError(
        f"'{where}' has folders of two kinds. Expected: {LAYOUT}. Received: images directly in "
        f"{_names(flat)}, and {depth} folders deep in {_names(deep)}, the first '{shown}'. If "
        f"'{name}' is a class, pass --subfolders; if it is a split, move the images of the others "
        f"or leave them out with --split {printable(alone[0].name)}={NONE}."
    )


def _others(folder: Folder) -> str:
    """Says what lies in a folder in place of images."""
    first = next((path for inner in folder.walk() for path in inner.others), None)
    if first is None:
        return "no files"
    others = (path for inner in folder.walk() for path in inner.others)
    told = Counter(_suffix(path).lower() or "no suffix" for path in others).most_common(3)
    kinds = ", ".join(f"{count} of {printable(suffix)}" for suffix, count in told)
    return f"files of other kinds ({kinds}), the first '{_name(folder, first)}'"


def _names(folders: Iterable[Folder]) -> str:
    names = [f"'{printable(folder.name)}'" for folder in folders]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(names[:5]) or "none") + more


def _first(tree: Folder, folder: Folder) -> str:
    """Names the first image of a folder or of those below it."""
    path = folder.first_below()
    return _name(tree, path) if path else "none"


def _name(tree: Folder, path: str | Path) -> str:
    return printable(path_below(tree.path, path))


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1]
