"""The builder of a prepared TFDS data set, and its splits by one rule."""

from __future__ import annotations

import os
from typing import Any

from latentloom.augment.spelling import nearest
from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.importing.split_names import NONE, SplitRule
from latentloom.pipeline.storage.files import check_regular, list_names, read_text
from latentloom.pipeline.terminal.quiet import start_tensorflow

_NAMES_OF_CLASSES = ".labels.txt"


def open_builder(where: str) -> Any:
    """Returns the builder of a prepared data set, by its name or its directory.

    Raises:
        FileNotFoundError: If it is not prepared on this machine.
        ValueError: If TFDS does not know it.
    """
    start_tensorflow()
    import tensorflow_datasets as tfds

    if os.path.isdir(where):
        _check_files(where)
        if not os.path.exists(os.path.join(where, "features.json")):
            raise FileNotFoundError(
                f"'{where}' is not a TFDS directory. Expected: a folder with features.json and "
                f"dataset_info.json. Received: tfds:{where}. Name the folder of the version."
            )
        return tfds.builder_from_directory(where)
    try:
        builder = tfds.builder(where)
    except tfds.core.DatasetNotFoundError as error:
        raise ValueError(
            f"TFDS knows no data set '{where}'. Expected: a TFDS name or a folder. Received: "
            f"tfds:{where}. {nearest(where, tfds.list_builders(with_community_datasets=False))}"
        ) from error
    if not builder.info.splits:
        raise FileNotFoundError(
            f"TFDS data set '{where}' is not prepared. Expected: its files in "
            f"'{builder.data_dir}'. Received: none. Run `tfds build {where}`, or set TFDS_DATA_DIR."
        )
    return builder


def stored_splits(
    where: str, builder: Any, rule: SplitRule
) -> tuple[dict[str, list[str]], list[Ignored]]:
    """Returns the stored names of each split, and what `--split` leaves out."""
    sizes = builder.info.splits
    rule.check_patterns(list(sizes), where)
    stored: dict[str, list[str]] = {}
    for name, split in rule.assign(list(sizes), where).items():
        stored.setdefault(split, []).append(name)
    return stored, [
        Ignored(f"--split leaves out '{name}'", sizes[name].num_examples, name)
        for name in stored.pop(NONE, [])
    ]


def _check_files(where: str) -> None:
    """Rejects pipes, and names of classes that TFDS would drop unsaid.

    It would number the classes where their names are not UTF-8, and leave out a blank name, so that
    all later classes had the name of the next one.
    """
    for name in list_names(where):
        path = os.path.join(where, name)
        check_regular(path)
        if name.endswith(_NAMES_OF_CLASSES):
            names = read_text(path).rstrip().split("\n")
            if blank := [line for line, name in enumerate(names, start=1) if not name.strip()]:
                raise ValueError(
                    f"A name of a class in '{path}' is blank. Expected: a name in every line. "
                    f"Received: none in line {blank[0]}. Write the name that belongs there."
                )
