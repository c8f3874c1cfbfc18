"""Which examples of the training split are used for what."""

from __future__ import annotations

from dataclasses import dataclass

from augment import identity_keys, uniforms
from pipeline.examples import Examples


@dataclass(frozen=True)
class Folds:
    """The training split, divided by the identity of the examples.

    `train` and `validation` are apart; `judge` and `auditor` are the two halves of the whole.
    """

    train: Examples
    validation: Examples
    judge: Examples
    auditor: Examples


def divide(examples: Examples, validation_share: float, seed: int) -> Folds:
    """Divides examples into folds by their ids, whatever their order."""
    draws = uniforms(identity_keys(seed, "fold", examples.ids), 2)
    validation, judge = draws[:, 0] < validation_share, draws[:, 1] < 0.5
    folds = Folds(
        train=examples.take(~validation),
        validation=examples.take(validation),
        judge=examples.take(judge),
        auditor=examples.take(~judge),
    )
    for name, fold in vars(folds).items():
        if not len(fold):
            raise ValueError(
                f"The fold '{name}' is empty. Expected: at least one example in each fold. "
                f"Received: {len(examples)} training examples. Give more of them, or raise "
                "`data.validation_share`."
            )
    return folds
