"""Measures judge and auditor on real examples that they were not trained on.

They are trained on halves of the training split, so each has not seen the half of the other one.
Without a test split of `ENOUGH` examples they are measured there: a two-fold cross-validation that
trains nothing anew. The validation share lies in both halves, so it would not do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.report.measure import FEWEST, Measure

JUDGES = ("judge", "auditor")
POOLED = "judges"
"""First part of the keys of figures of both together."""
ENOUGH = 30
"""Fewest test examples that judges are measured on, and fewest held-out examples that need no
warning: the 95 % interval of a share is then at most 0.34 wide."""


def measure_judges(
    codec: Codec, test: Examples, split: str, halves: Mapping[str, Examples], most: int
) -> list[Measure]:
    """Measures the accuracy of judge and auditor, for each of their factors.

    Args:
        codec: The codec of a bundle.
        test: Held-out examples.
        split: Name of the held-out examples, `"test"` or `"validation"`.
        halves: Examples that each judge was not trained on; empty to measure both on `test`.
        most: Largest number of examples of a half.

    Returns:
        The accuracies of each, and of both pooled if each was measured on its half.
    """
    many = codec.kind.many
    if not halves or (split == "test" and len(test) >= ENOUGH):
        return [
            measure
            for judge in JUDGES
            for measure in _accuracies(judge, f"real {split} {many}", [_read(codec, judge, test)])
        ]
    some = {judge: choose(halves[judge], most, 0, "judged") for judge in JUDGES}
    read = {judge: _read(codec, judge, some[judge]) for judge in JUDGES}
    where = f"real {many} of the other half of the training split, which it was not trained on,"
    apart = [measure for judge in JUDGES for measure in _accuracies(judge, where, [read[judge]])]
    where = f"real {many} of the training split, each shown to the one not trained on it,"
    return [*apart, *_accuracies(POOLED, where, [*read.values()])]


@dataclass(frozen=True)
class _Reading:
    """True and predicted values `(n,)` of a factor, and its number of values."""

    true: np.ndarray
    predicted: np.ndarray
    num_values: int


def _read(codec: Codec, judge: str, examples: Examples) -> dict[str, _Reading]:
    """Classifies examples with a judge, factor by factor."""
    return {
        factor: _Reading(examples.factors[factor], np.argmax(found, axis=-1), found.shape[1])
        for factor, found in codec.judge_factors(examples.observations, judge).items()
    }


def _accuracies(who: str, where: str, parts: Sequence[dict[str, _Reading]]) -> list[Measure]:
    """The accuracy for each factor, over all parts."""
    name, reader = f"the {who}", f"the {who} classifies"
    if who == POOLED:
        name, reader = "judge and auditor, pooled", "they classify"
    measures = []
    for factor, first in parts[0].items():
        true = np.concatenate([part[factor].true for part in parts])
        predicted = np.concatenate([part[factor].predicted for part in parts])
        measures.append(
            Measure.of_share(
                predicted == true,
                true,
                fewest=FEWEST,
                name=f"Accuracy of {name}" + ("" if factor == "label" else f": {factor}"),
                key=f"{who}/accuracy/{factor}",
                chance=1.0 / first.num_values,
                meaning=f"Share of {where} that {reader} correctly.",
            )
        )
    return measures
