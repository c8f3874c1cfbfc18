"""Measured control of factors: which block tells which, what swaps of one do, and paths."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from latentloom.model_zoo.metrics.probes import probe_accuracy
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.paths import measure_paths
from latentloom.pipeline.evaluation.factors.swaps import measure_factor_swaps
from latentloom.pipeline.report.charts.factor_table import factor_table
from latentloom.pipeline.report.measure import Measure

SCALE = "what a linear probe reads in its mean code, 0 for guessing and 1 for always right"
TABLE_CAPTION = (
    "What a linear probe reads of each factor in the mean code of each block: 0 for guessing the "
    "most frequent value, 1 for always right. A block should tell its own factor and no other."
)


def measure_factors(held_out: EncodedExamples, train: Examples, config: Config) -> list[Measure]:
    """Measures blocks, swaps and paths.

    Args:
        held_out: Encoded examples that everything is scored on.
        train: Examples that probes are trained on.
        config: The configuration; sections `generate` and `evaluate` decide.

    Returns:
        Nothing for a bundle whose blocks carry one factor.
    """
    if len(held_out.codec.spec.carried(train.factors)) < 2:
        return []
    return [
        *measure_blocks(held_out, train, config),
        *measure_factor_swaps(held_out, config),
        *measure_paths(held_out.codec, held_out.examples, config),
    ]


def measure_blocks(held_out: EncodedExamples, train: Examples, config: Config) -> list[Measure]:
    """Measures which block tells which factor, by a linear probe on mean codes.

    Accuracies are scaled so that always guessing the most frequent value gives 0, and 1 is perfect.
    """
    train = choose(train, config.evaluate.probe_examples, 0, "probe")
    spec, codes = held_out.codec.spec, held_out.codec.encode(train.images)
    scores: dict[bool, dict[str, float]] = {True: {}, False: {}}
    for block, name in itertools.product(spec, spec.carried(train.factors)):
        values, found = held_out.examples.factors[name], held_out.latents[block.name]
        chance = np.bincount(values).max() / len(values)
        accuracy = probe_accuracy("linear", codes[block.name], train.factors[name], found, values)
        scaled = (accuracy - chance) / max(1 - chance, 1e-9)
        scores[name in block.factors][cell_name(block.name, name)] = float(scaled)
    means = [
        _tells(f"Blocks tell {what}, mean", float(np.mean(list(scores[is_own].values()))), is_own)
        for what, is_own in (("their own factors", True), ("other factors", False))
    ]
    return means + [_tells(*item, is_own) for is_own in scores for item in scores[is_own].items()]


def draw_blocks(held_out: EncodedExamples, numbers: Sequence[Measure]) -> dict[str, bytes]:
    """Draws which block tells which factor, if that was measured."""
    values = {number.name: number.value for number in numbers}
    blocks, factors = held_out.codec.spec.names, held_out.examples.factors
    told = [f for f in factors if cell_name(blocks[0], f) in values]
    if not told:
        return {}
    table = np.array([[values[cell_name(block, f)] for f in told] for block in blocks], float)
    return {"block_table": factor_table(("block", blocks), told, table)}


def _tells(name: str, value: float, is_own: bool) -> Measure:
    return Measure(
        name=name,
        value=value,
        chance=0.0,
        better="higher" if is_own else "lower",
        meaning=f"It should{'' if is_own else ' not'}: {SCALE}.",
    )


def cell_name(block: str, factor: str) -> str:
    """Name of the figure that says what a block tells of a factor."""
    return f"Block {block} tells {factor}"
