"""The splits of an archive, by its array `split`, and the arrays that nothing uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader
from latentloom.pipeline.importing.arrays import encode_values
from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.importing.split_names import NONE, SPLITS, TRAIN, SplitRule, is_split_word
from latentloom.pipeline.storage.texts import printable


def check_split(file: str, headers: Mapping[str, ArrayHeader], size: int) -> None:
    """Rejects an array `split` that is not one name or number for each observation.

    Args:
        file: Path of the archive, for messages.
        headers: The headers of its arrays.
        size: Number of observations.

    Raises:
        ValueError: If its shape is neither `(size,)` nor `(size, 1)`, or its type is another.
    """
    split = headers.get("split")
    if split is None:
        return
    if split.shape not in ((size,), (size, 1)) or split.dtype.kind not in "biuSU":
        raise ValueError(
            f"The array `split` of '{file}' does not tell the split of each observation. Expected: "
            f"texts or integers of shape ({size},) or ({size}, 1). Received: split.shape="
            f"{split.shape}, split.dtype={split.dtype}. Save one name for each observation."
        )


def check_no_splits(file: str, factors: Mapping[str, Sequence[str]], asked: Sequence[str]) -> None:
    """Rejects a factor whose values are names of splits, whose test rows would be trained on.

    Args:
        file: Path of the archive, for messages.
        factors: Value names of each factor.
        asked: Factors that the user asked for.

    Raises:
        ValueError: If there is one that was not asked for.
    """
    for name, values in factors.items():
        if name not in ("label", *asked) and all(map(is_split_word, values)):
            raise ValueError(
                f"The array `{name}` of '{file}' seems to have the splits. Expected: `split` as "
                f"its name. Received: {name} of {', '.join(values)}. Save it as `split`; or pass "
                f"--factors {name} if all rows are for training and it is a factor."
            )


def rows_of_splits(
    file: str, values: np.ndarray | None, size: int, rule: SplitRule
) -> tuple[dict[str, np.ndarray], list[Ignored]]:
    """Returns the rows of each split, and what `--split` leaves out.

    Args:
        file: Path of the archive, for messages.
        values: The array `split`, of shape `(size,)` or `(size, 1)`; without it, all is `train`.
        size: Number of observations.
        rule: Tells splits by their names.

    Raises:
        ValueError: If a name tells no split.
    """
    if values is None:
        rule.check_patterns([], file)
        return {rule.otherwise or TRAIN: np.arange(size)}, []
    names, codes = encode_values("split", values.reshape(-1))
    rule.check_patterns(names, file)
    told = rule.assign(names, file)
    found = {
        split: np.flatnonzero(np.isin(codes, [c for c, n in enumerate(names) if told[n] == split]))
        for split in SPLITS
    }
    ignored = [
        Ignored(f"--split leaves out '{printable(n)}'", int((codes == c).sum()), n)
        for c, n in enumerate(names)
        if told[n] == NONE
    ]
    return {split: rows for split, rows in found.items() if len(rows)}, ignored


def unused_arrays(headers: Mapping[str, ArrayHeader], used: Iterable[str]) -> list[Ignored]:
    """Returns the arrays of an archive that are neither observations nor values for each."""
    used = set(used)
    return [
        Ignored(
            f"the array '{printable(name)}' of shape {header.shape} is neither observations nor "
            "one value for each of them",
            1,
            printable(name),
        )
        for name, header in headers.items()
        if name not in used
    ]
