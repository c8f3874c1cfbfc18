"""Selects the scalar features of a TFDS data set that become label and factors."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.manifest import RESERVED_FEATURES
from latentloom.pipeline.observations import BATCH_SIZE

_MOST_SHOWN = 300  # characters of a message of TensorFlow
_MOST_VALUES = 256  # of a factor of integers without names


def scalar_features(features: Any, prefix: str = "") -> dict[str, Any]:
    """Returns integer and boolean features by path; a nested one is `attributes/Smiling`.

    Sorts them, because TFDS reads the features of a directory in another order in every process.
    """
    import tensorflow_datasets as tfds

    found: dict[str, Any] = {}
    for name, feature in sorted(features.items()):
        path = prefix + name
        if isinstance(feature, tfds.features.FeaturesDict):
            found |= scalar_features(feature, f"{path}/")
        elif (
            feature.shape == () and _is_discrete(feature) and _factor(path) not in RESERVED_FEATURES
        ):
            found[path] = feature
    return found


def _is_discrete(feature: Any) -> bool:
    kinds = (np.integer, np.bool_)
    return feature.shape == () and any(np.issubdtype(feature.np_dtype, kind) for kind in kinds)


def _factor(path: str) -> str:
    """Returns the name of the factor that a feature becomes."""
    return re.sub(r"\W", "_", path)


def label_path(where: str, builder: Any, scalars: Mapping[str, Any], label: str | None) -> str:
    """Returns the path of the label: `label` if given, else "label", else TFDS' supervised key."""
    keys = builder.info.supervised_keys or ()
    usual = ("label", *(keys[1:] if len(keys) == 2 else ()))
    for candidate in usual if label is None else (label,):
        if candidate in list(scalars):
            return candidate
    hint = "" if label is None else f"{nearest(label, scalars)} "
    raise ValueError(
        f"TFDS data set '{where}' has no such label. Expected: one of {sorted(scalars)}. "
        f"Received: label={label}. {hint}Pass --label to name one."
    )


def factor_paths(
    where: str, scalars: Mapping[str, Any], label: str, factors: Sequence[str] | None
) -> dict[str, str]:
    """Returns the path behind each factor, `"label"` first.

    Args:
        where: Name of the data set, for the errors.
        scalars: Features that may be factors, by path.
        label: Path of the label.
        factors: Paths or names of the factors to keep, or None for all.

    Raises:
        ValueError: If a factor is unknown, or two features would become one factor.
    """
    known = {path: "original_label" if path == "label" else _factor(path) for path in scalars}
    del known[label]
    for wanted in factors or ():
        if wanted not in (label, *known, *known.values()):
            raise ValueError(
                f"TFDS data set '{where}' has no such factor. Expected: some of {sorted(known)}. "
                f"Received: factors='{wanted}'. {nearest(wanted, known)}"
            )
    chosen = {"label": label}
    for path, name in known.items():
        if factors is not None and path not in factors and name not in factors:
            continue
        if name in chosen:
            raise ValueError(
                f"Two features of TFDS data set '{where}' would be the factor '{name}'. Expected: "
                f"distinct names. Received: '{chosen[name]}' and '{path}'. Pass --factors with "
                "one of them."
            )
        chosen[name] = path
    return chosen


def value_names(feature: Any) -> list[str]:
    """Returns the value names of a feature; empty for integers and for classes named by number."""
    if feature.np_dtype == np.bool_:
        return ["false", "true"]
    count = getattr(feature, "num_classes", None) or 0
    names = list(feature.names) if count else []
    return [] if names == [str(number) for number in range(count)] else names


def distinct_values(
    where: str,
    builder: Any,
    splits: Sequence[str],
    scalars: Mapping[str, Any],
    paths: Mapping[str, str],
    *,
    strict: bool,
) -> dict[str, np.ndarray]:
    """Finds the values of factors without value names in some splits, in one pass over the data.

    Args:
        where: Name of the data set, for the error.
        builder: The TFDS builder.
        splits: Names of the splits.
        scalars: The features by path.
        paths: Path behind each factor.
        strict: Whether to reject a factor with too many values; if not, it is left out.

    Returns:
        Sorted integers by factor, without the -1 of a `ClassLabel`, which means no class.

    Raises:
        ValueError: If `strict` and a factor has too many values.
    """
    found: dict[str, set[int]] = {
        name: set() for name, path in paths.items() if not value_names(scalars[path])
    }
    fields = [paths[name] for name in found]
    for split in splits if found else ():
        for batch in iterate(read(builder, split, fields).batch(BATCH_SIZE), where):
            for name, values in found.items():
                values.update(column(batch, paths[name]).tolist())
    for name, values in found.items():
        if strict and name != "label" and len(values) > _MOST_VALUES:
            raise ValueError(
                f"Feature '{paths[name]}' of TFDS data set '{where}' has too many values. "
                f"Expected: at most {_MOST_VALUES} values. Received: {len(values)}. Drop it from "
                "--factors, or make it the label."
            )
        if hasattr(scalars[paths[name]], "num_classes"):
            values.discard(-1)
    return {
        name: np.array(sorted(values), np.int64)
        for name, values in found.items()
        if name == "label" or len(values) <= _MOST_VALUES
    }


def column(batch: Mapping[str, Any], path: str) -> np.ndarray:
    """Returns a feature of a batch, by path."""
    return functools.reduce(operator.getitem, path.split("/"), batch)  # type: ignore[return-value]


def read(builder: Any, split: str, paths: Iterable[str]):
    """Reads a split in its stored order, with these features only."""
    import tensorflow_datasets as tfds

    wanted: dict[str, Any] = {}
    for path in paths:
        *parents, name = path.split("/")
        inner = functools.reduce(lambda tree, key: tree.setdefault(key, {}), parents, wanted)
        inner[name] = True
    return builder.as_dataset(
        split=split,
        decoders=tfds.decode.PartialDecoding(wanted),
        read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
    )


def iterate(dataset: Any, where: str) -> Iterator[Any]:
    """Yields the batches of a data set as arrays.

    Args:
        dataset: The `tf.data` data set.
        where: Name of the TFDS data set, for the error.

    Raises:
        ValueError: If a record is damaged, or no `tf.train.Example` with the features of the data
            set.
    """
    import tensorflow as tf

    batches = dataset.as_numpy_iterator()
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except tf.errors.OpError as error:
            problem = " ".join(str(error.message).partition("\n")[0].split())[:_MOST_SHOWN]
            raise ValueError(
                f"A record of TFDS data set '{where}' cannot be read. Expected: intact "
                "tf.train.Example records with the features of features.json. Received: "
                f"{problem}. Prepare the data set again."
            ) from error
        yield batch
