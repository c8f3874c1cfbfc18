"""Divides the training split into folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from latentloom.augment import identity_keys, uniforms
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import rank_in_class

SMALLEST_CLASS = 2
"""Fewest examples of a class: judge and auditor both need one."""
SPARES_ONE = 4
"""Fewest examples of a class that spares one for validation: three still train the model. Judge and
auditor learn from halves of the whole class, two each."""
FOLLOWS_SHARE = 20
"""Fewest examples of a class whose validation examples follow from the share alone: at the default
share of 0.05, one of 20."""


@dataclass(frozen=True)
class Folds:
    """The training split, divided by the identity of the examples, class by class.

    `train` and `validation` are disjoint; `judge` and `auditor` are the two halves of the split.
    `validation` is a share of the split, or the split `validation` of data that have one.
    Every class is in `train`, `judge` and `auditor`.
    """

    train: Examples
    validation: Examples
    judge: Examples
    auditor: Examples


def divide(
    examples: Examples, validation_share: float, seed: int, validation: Examples | None = None
) -> Folds:
    """Divides examples into folds by their ids; their order does not matter.

    Args:
        examples: The examples, at least two of every class that occurs.
        validation_share: Share of each class that goes into `validation`, rounded down, but at
            least one example of a class of `SPARES_ONE` to `FOLLOWS_SHARE - 1`, and of the largest.
        seed: Integer, another seed gives other folds.
        validation: The examples of `validation` if the data bring them; then `train` is everything.
    """
    draws = uniforms(identity_keys(seed, "fold", examples.ids), 2)
    counts = np.bincount(examples.labels)
    least = ((counts >= SPARES_ONE) & (counts < FOLLOWS_SHARE)).astype(np.int64)
    least[counts.argmax()] = 1
    sizes = np.maximum(np.floor(validation_share * counts).astype(np.int64), least)
    held_out = rank_in_class(draws[:, 0], examples.labels) < sizes[examples.labels]
    judge = rank_in_class(draws[:, 1], examples.labels) < (counts[examples.labels] + 1) // 2
    return Folds(
        train=examples.take(~held_out) if validation is None else examples,
        validation=examples.take(held_out) if validation is None else validation,
        judge=examples.take(judge),
        auditor=examples.take(~judge),
    )


def check_folds(folds: Folds, class_names: Sequence[str]) -> None:
    """Rejects examples that would silently spoil a model.

    Args:
        folds: The examples, divided.
        class_names: Names of the classes, in the order of their labels.

    Raises:
        ValueError: If a label is no class, a class is missing from a fold other than `validation`,
            or an image holds NaN or infinity.
    """
    for name in (field.name for field in fields(folds)):
        fold: Examples = getattr(folds, name)
        where = f"fold '{name}'"
        _check_labels(fold, class_names, where)
        missing = np.flatnonzero(np.bincount(fold.labels, minlength=len(class_names)) == 0)
        if len(missing) and name != "validation":
            raise ValueError(
                f"Class '{class_names[missing[0]]}' is not in the {where}. Expected: some examples "
                f"of every class. Received: none of {len(missing)} classes. Divide the examples "
                "with `divide`, or drop the names of classes without any."
            )
        _check_finite(fold, where)


def _check_labels(fold: Examples, class_names: Sequence[str], where: str) -> None:
    unknown = (fold.labels < 0) | (fold.labels >= len(class_names))
    if unknown.any():
        row = int(np.argmax(unknown))
        raise ValueError(
            f"Example '{fold.ids[row]}' of the {where} has no known class. Expected: labels 0 to "
            f"{len(class_names) - 1}, one for each name. Received: label={fold.labels[row]}. "
            "Number the classes without gaps, in the order of their names."
        )


def _check_finite(fold: Examples, where: str) -> None:
    if fold.observations.dtype.kind != "f":
        return
    finite = np.isfinite(fold.observations).reshape(len(fold), -1).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"Example '{fold.ids[np.argmin(finite)]}' of the {where} is not finite. Expected: no "
            f"NaN or infinity. Received: {np.sum(~finite)} such examples. Repair or remove them."
        )


def check_counts(counts: Sequence[int], class_names: Sequence[str], where: str) -> None:
    """Rejects classes with too few examples to learn from.

    Args:
        counts: Examples of each class.
        class_names: Their names.
        where: Name of the data set, for the message.

    Raises:
        ValueError: If there are fewer than two classes, or a class has fewer than two examples.
    """
    if len(counts) < 2:
        raise ValueError(
            f"{where} has one class. Expected: at least two, because training contrasts classes. "
            f"Received: {list(class_names)}. Import with another "
            "--label, or add examples of another class."
        )
    few = [index for index, count in enumerate(counts) if count < SMALLEST_CLASS]
    if few:
        name, count = class_names[few[0]], int(counts[few[0]])
        raise ValueError(
            f"Class '{name}' of {where} has too few examples. Expected: at least {SMALLEST_CLASS} "
            f"of every class. Received: {count} of '{name}' ({len(few)} such classes). Add "
            "examples, raise `data.limit`, or import the data without this class."
        )
