"""Measures the control of factors: which block predicts which factor, swaps and paths."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from latentloom.model_zoo.metrics.probes import probe_accuracy
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.paths import measure_paths
from latentloom.pipeline.evaluation.factors.swaps import measure_factor_swaps
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.charts.factor_table import factor_table
from latentloom.pipeline.report.measure import FEWEST, Measure, by_key
from latentloom.pipeline.report.schema import Picture

SCALE = "accuracy of a linear probe on its mean code, 0 for guessing and 1 for always right"
TABLE_CAPTION = (
    "Accuracy of a linear probe of each factor on the mean code of each block: 0 for guessing the "
    "most frequent value, 1 for always right. A block should predict its own factor and no other."
)


def evaluate_factors(context: EvaluationContext) -> SectionResult:
    """Measures which block predicts which factor, swaps and paths; draws the table of blocks."""
    measures = measure_factors(context.encoded, context.train, context.config)
    return SectionResult(measures, draw_blocks(context.encoded, measures))


def measure_factors(encoded: EncodedExamples, train: Examples, config: Config) -> list[Measure]:
    """Measures blocks, swaps and paths.

    Args:
        encoded: The encoded examples to score.
        train: Examples to train probes on.
        config: The configuration; sections `generate` and `evaluate` apply.

    Returns:
        The measures; empty for a bundle whose blocks carry fewer than two factors.
    """
    if len(encoded.codec.spec.carried(train.factors)) < 2:
        return []
    return [
        *measure_blocks(encoded, train, config),
        *measure_factor_swaps(encoded, config),
        *measure_paths(encoded.codec, encoded.examples, config),
    ]


def measure_blocks(encoded: EncodedExamples, train: Examples, config: Config) -> list[Measure]:
    """Measures which block predicts which factor, by a linear probe on mean codes.

    Leaves anchored blocks out: one that holds the observation predicts whatever can be seen.
    Accuracies are scaled so that always guessing the most frequent value gives 0, and 1 is perfect.
    With fewer than `FEWEST` examples nothing is measured, and all values are None.
    """
    train = choose(train, config.evaluate.probe_examples, 0, "probe")
    spec, codes = encoded.codec.spec, encoded.codec.encode(train.observations)
    scores: dict[bool, dict[tuple[str, str], float]] = {True: {}, False: {}}
    blocks = [block for block in spec if not block.anchored]
    for block, name in itertools.product(blocks, spec.carried(train.factors)):
        values, found = encoded.examples.factors[name], encoded.latents[block.name]
        chance = np.bincount(values).max() / len(values)
        accuracy = probe_accuracy("linear", codes[block.name], train.factors[name], found, values)
        scaled = (accuracy - chance) / max(1 - chance, 1e-9)
        scores[name in block.factors][block.name, name] = float(scaled)
    means = [
        _tells(
            (f"Blocks tell {what}, mean", key),
            float(np.mean([*scores[is_own].values()])),
            is_own,
            n=len(encoded.examples),
        )
        for what, key, is_own in (
            ("their own factors", "blocks/own", True),
            ("other factors", "blocks/other", False),
        )
    ]
    return means + [
        _tells(
            (f"Block {block} tells {name}", cell_key(block, name)),
            score,
            is_own,
            n=len(encoded.examples),
            classes=len(np.unique(encoded.examples.factors[name])),
        )
        for is_own in scores
        for (block, name), score in scores[is_own].items()
    ]


def draw_blocks(encoded: EncodedExamples, numbers: Sequence[Measure]) -> dict[str, Picture]:
    """Draws which block predicts which factor, if that was measured."""
    found = by_key(numbers)
    blocks = tuple(block.name for block in encoded.codec.spec if not block.anchored)
    factors = encoded.examples.factors
    told = [f for f in factors if cell_key(blocks[0], f) in found]
    if not told or len(encoded.examples) < FEWEST:
        return {}
    table = np.array([[found[cell_key(block, f)].value for f in told] for block in blocks], float)
    drawing = factor_table(("block", blocks), told, table)
    return {"block_table": Picture(drawing, TABLE_CAPTION)}


def _tells(
    named: tuple[str, str], value: float, is_own: bool, n: int, classes: int | None = None
) -> Measure:
    """A figure with its name and key, on `n` examples."""
    return Measure(
        name=named[0],
        key=named[1],
        value=value if n >= FEWEST else None,
        n=n,
        classes=classes,
        chance=0.0,
        better="higher" if is_own else "lower",
        meaning=f"Should be {'high' if is_own else 'low'}: {SCALE}.",
    )


def cell_key(block: str, factor: str) -> str:
    """Key of the figure for a block and a factor."""
    return f"blocks/{block}/{factor}"
