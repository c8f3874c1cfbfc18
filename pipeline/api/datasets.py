"""Data sets for programs: their records by number, and whether a directory is whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentloom.pipeline.api.arguments import input_path, prepare
from latentloom.pipeline.reader import Records, read
from latentloom.pipeline.storage.files import Location
from latentloom.pipeline.storage.path_checks import check_path

if TYPE_CHECKING:  # known when a directory is verified
    from latentloom.pipeline.verification.problem import Verification


def open_dataset(
    path: Location,
    split: str = "train",
    *,
    recipes: Sequence[str] = (),
    min_confidence: float = 0.0,
    index: Location | None = None,
) -> Records:
    """Opens the records of a data set directory that `import` or `generate` wrote.

    Imports neither TensorFlow nor Keras. Iterating streams the records in the order of the shards;
    a number gives one record, and a slice a sequence of them, from a local directory.

    Args:
        path: The directory; local, or remote to stream it.
        split: Name of the split.
        recipes: Recipes to keep, for generated records; all by default.
        min_confidence: Least probability of the class by the judge, in `[0, 1]`, for generated
            records.
        index: File that keeps where records begin, written if it is missing; by default each
            process scans their lengths once, when the first one is read by its number.

    Returns:
        The records, each a dictionary: `image`, uint8 of shape `(height, width, channels)`,
        `observation`, float32 of shape `(features,)`, or `words`, int32 counts of shape
        `(words,)`; an integer for `label` and every other factor; `example_id` and, for generated
        records, their provenance.

    Raises:
        FileNotFoundError: If the directory or one of its files is missing.
        ValueError: If the directory, the index or a record is damaged, the split is unknown, or a
            selection needs generated records.

    Example:
        >>> records = latentloom.open_dataset("data")
        >>> len(records) == records.splits["train"]
        True
        >>> record = records[0]
        >>> record["image"].shape, record["image"].dtype
        ((8, 8, 1), dtype('uint8'))
        >>> records.class_names[record["label"]] in records.class_names
        True
        >>> [len(records[:5]), len(records[::100]) == -(-len(records) // 100)]
        [5, True]
    """
    kept = None if index is None else check_path(index, "index")
    options = {"recipes": recipes, "min_confidence": min_confidence, "index": kept}
    return read(input_path(path, "path"), split, **options)


def verify(path: Location, *, data: Location | None = None) -> Verification:
    """Checks that a data set or a bundle is whole.

    Args:
        path: Data set directory or bundle.
        data: Data set that `path` was generated from; its anchors, donors and labels must fit.

    Returns:
        What was found: `ok`, whether it is whole; `problems`, each with its `file` and `reason`;
        and `contents`, what it holds, in words.

    Raises:
        FileNotFoundError: If it is neither, or `data` is missing.
        ValueError: If `data` is given for something that was not generated, or is invalid.

    Example:
        >>> latentloom.verify("data").ok
        True
    """
    from latentloom.pipeline.verification.describe import is_bundle
    from latentloom.pipeline.verification.verify import verify as verify_dataset

    path = input_path(path, "path")
    source = None if data is None else input_path(data, "data")
    if not is_bundle(path):
        return verify_dataset(path, source)
    if source is not None:
        raise ValueError(
            f"'{path}' is a model bundle, which has no anchors. Expected: a generated data set "
            f"with --data. Received: --data {source}. Leave it out."
        )
    prepare()
    from latentloom.pipeline.verification.verify_bundle import verify_bundle

    return verify_bundle(path)
