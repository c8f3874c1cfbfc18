"""Measures swaps of one factor: takes its block from another example and audits all factors."""

from __future__ import annotations

import numpy as np

from latentloom.augment import find_clashes, go_together
from latentloom.pipeline.config import Config
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.class_split import partners
from latentloom.pipeline.report.measure import Measure


def measure_factor_swaps(encoded: EncodedExamples, config: Config) -> list[Measure]:
    """Gives every example the block of an example with another value, factor by factor.

    Skips swaps to values that must not be combined (`generate.differ`).

    Args:
        encoded: The encoded examples to score.
        config: The configuration; its section `generate` applies.

    Returns:
        The measures; none for a factor that the judges do not classify or that has one value.
    """
    shares = {}
    for block in encoded.codec.spec:
        for name in block.factors[:1]:
            values = encoded.examples.factors[name]
            if name in encoded.codec.bundle.judge_sizes and len(np.unique(values)) > 1:
                shares[name] = _swap(encoded, block.name, name, config)
    shares = {name: found for name, found in shares.items() if found is not None}
    if not shares:
        return []
    means = _measures("one factor, mean", "", np.mean(list(shares.values()), axis=0))
    return means + [
        number for name, found in shares.items() for number in _measures(name, f"{name}/", found)
    ]


def _swap(encoded: EncodedExamples, block: str, name: str, config: Config) -> np.ndarray | None:
    """Shares with the donor's value, with the host's values of all other factors, and with both.

    None if the swap leaves no allowed combination.
    """
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
    return np.array([swapped.mean(), kept.mean(), np.mean(swapped & (kept == 1))])


def _measures(name: str, within: str, shares: np.ndarray) -> list[Measure]:
    """Figures of one factor or of the mean; `within` is the middle part of their keys."""
    meanings = {
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
    return [
        Measure(
            name=f"Swap of {name}: {what}",
            key=f"factor_swap/{within}{key}",
            value=float(share),
            meaning=f"Share, by the auditor, {meaning}.",
        )
        for (key, (what, meaning)), share in zip(meanings.items(), shares, strict=True)
    ]
