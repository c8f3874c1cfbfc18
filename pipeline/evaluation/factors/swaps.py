"""Measured swaps of one factor: a block of another example, and what the auditor reads of all."""

from __future__ import annotations

import numpy as np

from latentloom.augment import find_clashes, go_together
from latentloom.pipeline.config import Config
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.class_split import partners
from latentloom.pipeline.report.measure import Measure


def measure_factor_swaps(encoded: EncodedExamples, config: Config) -> list[Measure]:
    """Gives every example the block of another with another value, factor by factor.

    Swaps to values that do not go together (`generate.differ`) are left out.

    Args:
        encoded: Encoded examples that everything is scored on.
        config: The configuration; its section `generate` decides.

    Returns:
        Nothing for factors that no judge reads or that have one value.
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
    """Shares with the factor of the donor, with the others of the host, and with both."""
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
    """Figures of one factor, or of their mean; `within` is what its keys have before their end."""
    meanings = {
        "donor": (
            "value of the donor",
            "read of it as that of the example that gave its block",
        ),
        "others": (
            "other factors kept",
            "read of the others as those of the example that gave their blocks",
        ),
        "all": ("every factor as expected", "in which both hold for all"),
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
