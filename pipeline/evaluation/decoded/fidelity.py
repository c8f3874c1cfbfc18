"""Measures how realistic draws and accepted variants are, in the feature space of the auditor."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.fidelity import (
    frechet_distance,
    kernel_distance,
    neighbourhood_figures,
)
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure

NEIGHBOURS = 5
ENOUGH = 10
"""Fewest accepted variants, and fewest real examples, whose precision and recall are measured."""

MEANINGS = {
    "precision": "Share of draws as close to a real example as its fifth nearest real one.",
    "recall": "Share of real examples as close to a draw as its fifth nearest draw.",
    "density": "Mean number of real neighbourhoods that a draw lies in, over five; about 1 for "
    "real examples.",
    "coverage": "Share of real examples with a draw as close as their fifth nearest real one.",
}

OF_ACCEPTED = {
    "precision": "Share of variants as close to a real example as its fifth nearest real one.",
    "recall": "Share of real examples as close to a variant as the fifth nearest other anchor's.",
}


def evaluate_fidelity(context: EvaluationContext) -> SectionResult:
    """Measures how realistic draws from the prior are."""
    return SectionResult(measure_fidelity(context.encoded, context.train))


def measure_fidelity(encoded: EncodedExamples, train: Examples) -> list[Measure]:
    """Compares held-out examples with as many draws and with as many training examples.

    Args:
        encoded: Encoded held-out examples. Each gives one draw: every block from its prior, given
            the class.
        train: Training examples; their figures are the best that draws can reach.
    """
    if min(len(encoded.examples), len(train)) <= NEIGHBOURS:
        return []
    blocks = [*encoded.carriers, *encoded.free]
    real, drawn, known = (
        encoded.codec.features(images)
        for images in (
            encoded.examples.observations,
            encoded.decode(encoded.from_prior(blocks, "fidelity")),
            choose(train, len(encoded.examples), encoded.seed, "fidelity").observations,
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
            meaning="Distance from held-out examples in the features of the auditor; for "
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
            n=len(drawn),
            meaning=f"{MEANINGS[name]} For {best}: {hoped[name]:.3f}.",
        )
        for name, value in figures.items()
    ]


def measure_accepted(
    codec: Codec, accepted: np.ndarray, anchors: np.ndarray, real: np.ndarray
) -> SectionResult:
    """Measures precision and recall of accepted variants against real test examples.

    Args:
        codec: The codec of the bundle.
        accepted: Accepted variants as stored, `(n, ...)`.
        anchors: Number of the anchor of each, `(n,)`. Recall is by the distances between variants
            of different anchors.
        real: Real examples that no model was trained on, `(m, ...)`.

    Returns:
        Two figures, None with fewer than `ENOUGH` anchors or real examples, and a sentence on them.
    """
    figures: dict[str, float] = {}
    number = len(np.unique(anchors))
    on = (
        f"{len(accepted):,} accepted first attempts of {number:,} anchors and {len(real):,} real "
        f"test {codec.kind.many}"
    )
    if min(number, len(real)) < ENOUGH:
        told = f"Not measured on {on}: at least {ENOUGH} anchors and real ones are needed."
        sentence = f"Precision and recall of accepted variants: {told[0].lower()}{told[1:]}"
    else:
        found = codec.features(real), codec.features(accepted)
        figures = neighbourhood_figures(*found, NEIGHBOURS, anchors)
        told = f"Measured on {on}."
        sentence = (
            f"Precision of accepted variants is {figures['precision']:.2f}, the share of them near "
            f"a real one, and recall {figures['recall']:.2f}, the share of real ones near one of "
            "them, in the features of the auditor."
        )
    measures = [
        Measure(
            name=f"{name.capitalize()} of accepted variants",
            key=f"variants/{name}",
            value=figures.get(name),
            n=len(accepted) if name == "precision" else len(real),
            anchors=number if name == "precision" else None,
            meaning=f"{meaning} {told}",
        )
        for name, meaning in OF_ACCEPTED.items()
    ]
    return SectionResult(measures, summary=[sentence])
