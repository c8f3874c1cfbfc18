"""Figures of decoded observations: reconstructions, and draws from the prior of a class."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.pixels import mean_squared_error, within_class_variance
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.report.measure import Measure


def measure_reconstruction(held_out: EncodedExamples) -> list[Measure]:
    """Measures what decoding loses, against what the mean of the class alone would lose.

    Nothing is measured where squared errors tell nothing, as of bags of words.
    """
    originals, name = held_out.examples.images, held_out.name
    told = held_out.codec.kind.error_unit(held_out.codec.bundle.model.value_range)
    if told is None:
        return []
    level, unit = told
    error = mean_squared_error(held_out.decode(held_out.latents), originals)
    class_mean = within_class_variance(originals, held_out.labels)
    return [
        Measure(
            name="Reconstruction error",
            value=error * level,
            better="lower",
            meaning=f"Mean squared error {unit} of {name} {held_out.many} decoded from their mean "
            "codes.",
        ),
        Measure(
            name="Error of the class mean",
            value=class_mean * level,
            better="lower",
            meaning=f"The same of the mean {name} {held_out.one} of the class.",
        ),
        Measure(
            name="Reconstruction error over that of the class mean",
            value=ratio(error, class_mean),
            chance=1.0,
            better="lower",
            meaning="Below 1 if the code holds more than the class.",
        ),
        *_measure_shuffled(held_out, error),
    ]


def _measure_shuffled(held_out: EncodedExamples, error: float) -> list[Measure]:
    """What it costs to decode each example with the blocks without the label of another one."""
    if not held_out.free:
        return []
    rows = cycle(held_out.keys("shuffle"))
    mixed = held_out.decode(held_out.rows(held_out.carriers), held_out.rows(held_out.free, rows))
    free = " and ".join(held_out.free)
    shuffled = Measure(
        name=f"Error with {free} shuffled over plain error",
        value=ratio(mean_squared_error(mixed, held_out.examples.images), error),
        chance=1.0,
        meaning=f"Each {held_out.one} decoded with {free} of another one; 1 if the decoder "
        "ignores it.",
    )
    return [shuffled]


def cycle(keys: np.ndarray) -> np.ndarray:
    """For every example the next one in the order of the keys: rows `(n,)`, each once.

    Args:
        keys: `(n,)` uint64, which decide; the order of the examples does not.
    """
    order = np.argsort(keys, kind="stable")
    rows = np.empty_like(order)
    rows[order] = np.roll(order, -1)
    return rows


def ratio(numerator: float, denominator: float) -> float | None:
    """A ratio, or None where the data give nothing to divide by."""
    return numerator / denominator if denominator else None
