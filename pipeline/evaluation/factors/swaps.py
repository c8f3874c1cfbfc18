"""Measures swaps of one factor: takes its block from another example and audits all factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import find_clashes, go_together
from latentloom.pipeline.config import Config
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.class_split import partners
from latentloom.pipeline.report.measure import FEWEST, Measure

MEANINGS = {
    "donor": (
        "value of the donor",
        "of swapped examples with the value of the donor, which gave the block",
    ),
    "others": (
        "other factors kept",
        "of other factors with the value of the host, which gave all other blocks",
    ),
    "all": ("every factor as expected", "of swapped examples in which both hold"),
}
"""Name and meaning of each figure of a swap."""


@dataclass(frozen=True)
class _Swapped:
    """Swapped examples, as the auditor reads them.

    Attributes:
        values: Value of the swapped factor in each donor, `(n,)`.
        hits: What is as expected, by the keys of `MEANINGS`, `(n,)`: bool, or for `others` the part
            of the other factors.
    """

    values: np.ndarray
    hits: dict[str, np.ndarray]


def measure_factor_swaps(encoded: EncodedExamples, config: Config) -> list[Measure]:
    """Gives every example the block of an example with another value, factor by factor.

    Skips swaps to values that must not be combined (`generate.differ`).

    Args:
        encoded: The encoded examples to score.
        config: The configuration; its section `generate` applies.

    Returns:
        The measures; none for a factor that the judges do not classify or that has one value.
    """
    found = {}
    for block in encoded.codec.spec:
        for name in block.factors[:1]:
            values = encoded.examples.factors[name]
            if name in encoded.codec.bundle.judge_sizes and len(np.unique(values)) > 1:
                found[name] = _swap(encoded, block.name, name, config)
    measures = [
        Measure.of_share(
            hits,
            swapped.values,
            fewest=FEWEST,
            name=f"Swap of {name}: {MEANINGS[key][0]}",
            key=f"factor_swap/{name}/{key}",
            meaning=f"Share, by the auditor, {MEANINGS[key][1]}.",
        )
        for name, swapped in found.items()
        if swapped is not None
        for key, hits in swapped.hits.items()
    ]
    return [*_means(measures), *measures]


def _means(measures: Sequence[Measure]) -> list[Measure]:
    """Figures over all factors: the mean of those that were measured."""
    means = []
    for key, (what, meaning) in MEANINGS.items():
        of_factors = [number for number in measures if number.key.endswith(f"/{key}")]
        values = [number.value for number in of_factors if number.value is not None]
        if of_factors:
            means.append(
                Measure(
                    name=f"Swap of one factor, mean: {what}",
                    key=f"factor_swap/{key}",
                    value=float(np.mean(values)) if values else None,
                    n=sum(number.n or 0 for number in of_factors),
                    meaning=f"Share, by the auditor, {meaning}.",
                )
            )
    return means


def _swap(encoded: EncodedExamples, block: str, name: str, config: Config) -> _Swapped | None:
    """Swaps the block of a factor; None if that leaves no allowed combination."""
    factors, spec = encoded.examples.factors, encoded.codec.spec
    donors = partners(factors[name], encoded.keys(f"swap {name}"))
    expected = {**factors, name: factors[name][donors]}
    clashes = find_clashes(encoded.codec.bundle.factors, config.generate.differ)
    cells = np.stack(list(expected.values()), axis=1)
    rows = np.flatnonzero(go_together(tuple(expected), cells, clashes))
    if not len(rows):
        return None
    codes = encoded.rows(spec.names, rows)
    codes[block] = encoded.latents[block][donors[rows]]
    read = encoded.codec.judge_factors(encoded.decode(codes), "auditor")
    right = {
        other: read[other].argmax(axis=-1) == expected[other][rows]
        for other in read
        if spec.carriers(other)
    }
    swapped, others = right.pop(name), list(right.values())
    kept = np.mean(others, axis=0) if others else np.ones(len(rows))
    hits = {"donor": swapped, "others": kept, "all": swapped & (kept == 1)}
    return _Swapped(expected[name][rows], hits)
