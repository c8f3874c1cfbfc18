"""Figures of how real draws from the prior look, in the feature space of the auditor."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.fidelity import (
    frechet_distance,
    kernel_distance,
    neighbourhood_figures,
)
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure

NEIGHBOURS = 5

MEANINGS = {
    "precision": "Share of draws as close to a real one as its five nearest real ones are.",
    "recall": "Share of real ones as close to a draw as its five nearest draws are.",
    "density": "How many real neighbourhoods a draw lies in, over five; about 1 for real ones.",
    "coverage": "Share of real ones with a draw among their five nearest neighbours.",
}


def evaluate_fidelity(context: EvaluationContext) -> SectionResult:
    """How real draws from the prior look."""
    return SectionResult(measure_fidelity(context.encoded, context.train))


def measure_fidelity(encoded: EncodedExamples, train: Examples) -> list[Measure]:
    """Compares as many draws as held-out examples, and as many training examples, with these.

    Args:
        encoded: Encoded examples; one draw is made for each, every block from its prior, given
            the class.
        train: Examples that the model was trained on, whose figures are the best to hope for.
    """
    if min(len(encoded.examples), len(train)) <= NEIGHBOURS:
        return []
    blocks = [*encoded.carriers, *encoded.free]
    real, drawn, known = (
        encoded.codec.features(images)
        for images in (
            encoded.examples.images,
            encoded.decode(encoded.from_prior(blocks, "fidelity")),
            choose(train, len(encoded.examples), encoded.seed, "fidelity").images,
        )
    )
    best = f"{len(known):,} training {encoded.many}"
    return [*_distances(real, drawn, known, best), *_neighbourhoods(real, drawn, known, best)]


def _distances(real: np.ndarray, drawn: np.ndarray, known: np.ndarray, best: str) -> list[Measure]:
    kinds = {"frechet": frechet_distance, "kernel": kernel_distance}
    return [
        Measure(
            name=f"{kind.capitalize()} distance of draws",
            key=f"fidelity/{kind}",
            value=distance(real, drawn),
            better="lower",
            meaning="From what is held out, in the features of the auditor; of "
            f"{best}: {distance(real, known):.3f}.",
        )
        for kind, distance in kinds.items()
    ]


def _neighbourhoods(
    real: np.ndarray, drawn: np.ndarray, known: np.ndarray, best: str
) -> list[Measure]:
    figures, hoped = (neighbourhood_figures(real, other, NEIGHBOURS) for other in (drawn, known))
    return [
        Measure(
            name=f"{name.capitalize()} of draws",
            key=f"fidelity/{name}",
            value=value,
            meaning=f"{MEANINGS[name]} Of {best}: {hoped[name]:.3f}.",
        )
        for name, value in figures.items()
    ]
