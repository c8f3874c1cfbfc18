"""Figures of reconstructions: what decoding loses."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.pixels import mean_squared_error, within_class_variance
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure


def evaluate_reconstruction(context: EvaluationContext) -> SectionResult:
    """What decoding loses."""
    return SectionResult(measure_reconstruction(context.encoded))


def measure_reconstruction(encoded: EncodedExamples) -> list[Measure]:
    """Measures what decoding loses, against what the mean of the class alone would lose.

    Nothing is measured where squared errors tell nothing, as of bags of words.
    """
    originals, name = encoded.examples.images, encoded.name
    told = encoded.codec.kind.error_unit(encoded.codec.bundle.model.value_range)
    if told is None:
        return []
    level, unit = told
    error = mean_squared_error(encoded.decode(encoded.latents), originals)
    class_mean = within_class_variance(originals, encoded.labels)
    return [
        Measure(
            name="Reconstruction error",
            key="reconstruction/error",
            value=error * level,
            better="lower",
            meaning=f"Mean squared error {unit} of {name} {encoded.many} decoded from their mean "
            "codes.",
        ),
        Measure(
            name="Error of the class mean",
            key="reconstruction/class_mean",
            value=class_mean * level,
            better="lower",
            meaning=f"The same of the mean {name} {encoded.one} of the class.",
        ),
        Measure(
            name="Reconstruction error over that of the class mean",
            key="reconstruction/ratio",
            value=ratio(error, class_mean),
            chance=1.0,
            better="lower",
            meaning="Below 1 if the code holds more than the class.",
        ),
        *_measure_shuffled(encoded, error),
    ]


def _measure_shuffled(encoded: EncodedExamples, error: float) -> list[Measure]:
    """What it costs to decode each example with the blocks without the label of another one."""
    if not encoded.free:
        return []
    rows = cycle(encoded.keys("shuffle"))
    mixed = encoded.decode(encoded.rows(encoded.carriers), encoded.rows(encoded.free, rows))
    free = " and ".join(encoded.free)
    shuffled = Measure(
        name=f"Error with {free} shuffled over plain error",
        key="reconstruction/shuffled",
        value=ratio(mean_squared_error(mixed, encoded.examples.images), error),
        chance=1.0,
        meaning=f"Each {encoded.one} decoded with {free} of another one; 1 if the decoder "
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
