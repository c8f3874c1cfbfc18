"""The class of draws from the prior."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.pixels import within_class_variance
from latentloom.pipeline.evaluation.decoded.reconstruction import ratio
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.report.measure import Measure

PRIORS = {
    "refitted": "drawn from the prior that was fitted to training codes of the class",
    "at the class centre": "at the centre of that prior",
    "learnt": "drawn from the prior that the model learnt in training",
}


def measure_prior(held_out: EncodedExamples) -> list[Measure]:
    """Decodes draws of every prior of the class, one an example, and asks for their class."""
    carriers, labels = held_out.carriers, held_out.labels
    draws = {
        "refitted": held_out.from_prior(carriers, "prior"),
        "at the class centre": held_out.from_prior(carriers, "prior", temperature=0.0),
    }
    if held_out.codec.has_prior:
        draws["learnt"] = held_out.codec.sample_prior(labels, held_out.seed)
    free = held_out.from_prior(held_out.free, "prior")
    images = {name: held_out.decode(draw, free) for name, draw in draws.items()}
    own, other = " and ".join(carriers), " and ".join(held_out.free)
    others = f", {other} from its prior" if other else ""
    measures = [
        Measure(
            name=f"Prior accuracy, {own} {name}",
            value=float(np.mean(held_out.audit(decoded) == labels)),
            chance=held_out.chance,
            meaning=f"Share of {held_out.many} whose class the auditor reads right: {own} "
            f"{PRIORS[name]}{others}.",
        )
        for name, decoded in images.items()
    ]
    return [*measures, *_diversity(held_out, images["at the class centre"])]


def _diversity(held_out: EncodedExamples, images: np.ndarray) -> list[Measure]:
    """Variance at the class centre, where all that varies comes from other blocks."""
    if not held_out.free:
        return []
    drawn = within_class_variance(images, held_out.labels)
    real = within_class_variance(held_out.examples.images, held_out.labels)
    diversity = Measure(
        name="Diversity at the class centre",
        value=ratio(drawn, real),
        chance=0.0,
        meaning=f"Variance within a class of {held_out.many} with "
        f"{' and '.join(held_out.carriers)} at the class centre and {' and '.join(held_out.free)} "
        f"from its prior, over that of {held_out.name} {held_out.many}.",
    )
    return [diversity]
