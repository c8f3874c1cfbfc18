"""Measures the class and the diversity of draws from the prior."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.pixels import within_class_variance
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.decoded.reconstruction import ratio
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import FEWEST, Measure

PRIORS = {
    "refitted": (
        "refitted",
        "drawn from the prior fitted to training codes of the class",
    ),
    "centre": ("at the class centre", "at the centre of the fitted prior"),
    "learnt": ("learnt", "drawn from the prior that the model learnt in training"),
}
"""Name and meaning of every class prior by key."""


def evaluate_prior(context: EvaluationContext) -> SectionResult:
    """Measures the class and the diversity of draws from the prior."""
    return SectionResult(measure_prior(context.encoded))


def measure_prior(encoded: EncodedExamples) -> list[Measure]:
    """Decodes one draw per example from every class prior and audits its class."""
    carriers, labels = encoded.carriers, encoded.labels
    draws = {
        "refitted": encoded.from_prior(carriers, "prior"),
        "centre": encoded.from_prior(carriers, "prior", temperature=0.0),
    }
    if encoded.codec.has_prior:
        draws["learnt"] = encoded.codec.sample_prior(labels, encoded.seed)
    free = encoded.from_prior(encoded.free, "prior")
    images = {prior: encoded.decode(draw, free) for prior, draw in draws.items()}
    own, other = " and ".join(carriers), " and ".join(encoded.free)
    others = f", {other} from its prior" if other else ""
    measures = [
        Measure.of_share(
            encoded.audit(decoded) == labels,
            labels,
            fewest=FEWEST,
            name=f"Prior accuracy, {own} {PRIORS[prior][0]}",
            key=f"prior/{prior}",
            chance=encoded.chance,
            meaning=f"Share of {encoded.many} that the auditor classifies correctly: {own} "
            f"{PRIORS[prior][1]}{others}.",
        )
        for prior, decoded in images.items()
    ]
    return [*measures, *_diversity(encoded, images["centre"])]


def _diversity(encoded: EncodedExamples, images: np.ndarray) -> list[Measure]:
    """Variance at the class centre, where only the other blocks vary."""
    if not encoded.free:
        return []
    drawn = within_class_variance(images, encoded.labels)
    real = within_class_variance(encoded.examples.observations, encoded.labels)
    diversity = Measure(
        name="Diversity at the class centre",
        key="prior/diversity",
        value=ratio(drawn, real),
        chance=0.0,
        meaning=f"Variance within a class of {encoded.many} with "
        f"{' and '.join(encoded.carriers)} at the class centre and {' and '.join(encoded.free)} "
        f"from its prior, over the variance within a class of {encoded.name} {encoded.many}.",
    )
    return [diversity]
