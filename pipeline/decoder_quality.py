"""Figures of decoded observations: reconstructions, and draws from the prior of a class."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.pixels import mean_squared_error, within_class_variance
from latentloom.pipeline.held_out import HeldOut
from latentloom.pipeline.measures import Measure

PRIORS = {
    "refitted": "drawn from the prior that was fitted to training codes of the class",
    "at the class centre": "at the centre of that prior",
    "learnt": "drawn from the prior that the model learnt in training",
}


def measure_reconstruction(held_out: HeldOut) -> list[Measure]:
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
            value=_ratio(error, class_mean),
            chance=1.0,
            better="lower",
            meaning="Below 1 if the code holds more than the class.",
        ),
        *_measure_shuffled(held_out, error),
    ]


def _measure_shuffled(held_out: HeldOut, error: float) -> list[Measure]:
    """What it costs to decode each example with the blocks without the label of another one."""
    if not held_out.free:
        return []
    rows = cycle(held_out.keys("shuffle"))
    mixed = held_out.decode(held_out.rows(held_out.carriers), held_out.rows(held_out.free, rows))
    free = " and ".join(held_out.free)
    shuffled = Measure(
        name=f"Error with {free} shuffled over plain error",
        value=_ratio(mean_squared_error(mixed, held_out.examples.images), error),
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


def measure_prior(held_out: HeldOut) -> list[Measure]:
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


def _diversity(held_out: HeldOut, images: np.ndarray) -> list[Measure]:
    """Variance at the class centre, where all that varies comes from other blocks."""
    if not held_out.free:
        return []
    drawn = within_class_variance(images, held_out.labels)
    real = within_class_variance(held_out.examples.images, held_out.labels)
    diversity = Measure(
        name="Diversity at the class centre",
        value=_ratio(drawn, real),
        chance=0.0,
        meaning=f"Variance within a class of {held_out.many} with "
        f"{' and '.join(held_out.carriers)} at the class centre and {' and '.join(held_out.free)} "
        f"from its prior, over that of {held_out.name} {held_out.many}.",
    )
    return [diversity]


def _ratio(numerator: float, denominator: float) -> float | None:
    """A ratio, or None where the data give nothing to divide by."""
    return numerator / denominator if denominator else None
