"""Measures the reconstruction error."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.pixels import mean_squared_error, within_class_variance
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure


def evaluate_reconstruction(context: EvaluationContext) -> SectionResult:
    """Measures the reconstruction error."""
    return SectionResult(measure_reconstruction(context.encoded))


def measure_reconstruction(encoded: EncodedExamples) -> list[Measure]:
    """Measures the reconstruction error and compares it with the error of the class mean.

    Returns nothing for observations without a squared error, such as bags of words.
    """
    originals, name = encoded.examples.observations, encoded.name
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
            meaning=f"Mean squared error {unit} if the mean {name} {encoded.one} of the class "
            f"replaces each {encoded.one}.",
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
    """Measures the error if each example is decoded with the free blocks of another example."""
    if not encoded.free:
        return []
    rows = cycle(encoded.keys("shuffle"))
    mixed = encoded.decode(encoded.rows(encoded.carriers), encoded.rows(encoded.free, rows))
    free = " and ".join(encoded.free)
    shuffled = Measure(
        name=f"Error with {free} shuffled over plain error",
        key="reconstruction/shuffled",
        value=ratio(mean_squared_error(mixed, encoded.examples.observations), error),
        chance=1.0,
        meaning=f"Each {encoded.one} decoded with {free} of another one; 1 if the decoder "
        "ignores it.",
    )
    return [shuffled]


def cycle(keys: np.ndarray) -> np.ndarray:
    """The next example, in the order of the keys, for every example: rows `(n,)`, each once.

    Args:
        keys: `(n,)` uint64. The result depends on the keys, not on the order of the examples.
    """
    order = np.argsort(keys, kind="stable")
    rows = np.empty_like(order)
    rows[order] = np.roll(order, -1)
    return rows


def ratio(numerator: float, denominator: float) -> float | None:
    """The ratio, or None if the denominator is 0."""
    return numerator / denominator if denominator else None
