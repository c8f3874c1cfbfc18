"""Figures of how real drawn images look, in the feature space of the auditor."""

from __future__ import annotations

import numpy as np

from model_zoo.metrics.fidelity import frechet_distance, kernel_distance, neighbourhood_figures
from pipeline.examples import Examples
from pipeline.held_out import HeldOut
from pipeline.measures import Measure
from pipeline.quality import choose

NEIGHBOURS = 5

MEANINGS = {
    "precision": "Share of drawn images as close to a real one as its five nearest real ones are.",
    "recall": "Share of real images as close to a drawn one as its five nearest drawn ones are.",
    "density": "How many real neighbourhoods a drawn image lies in, over five; about 1 for real.",
    "coverage": "Share of real images with a drawn one among their five nearest neighbours.",
}


def measure_fidelity(held_out: HeldOut, train: Examples) -> list[Measure]:
    """Compares as many drawn as held-out images, and as many training images, with these.

    Args:
        held_out: Encoded examples; one image is drawn for each, every block from its prior, given
            the class.
        train: Examples that the model was trained on, whose figures are the best to hope for.
    """
    if min(len(held_out.examples), len(train)) <= NEIGHBOURS:
        return []
    blocks = [*held_out.carriers, *held_out.free]
    real, drawn, known = (
        held_out.codec.features(images)
        for images in (
            held_out.examples.images,
            held_out.decode(held_out.from_prior(blocks, "fidelity")),
            choose(train, len(held_out.examples), held_out.seed, "fidelity").images,
        )
    )
    return [*_distances(real, drawn, known), *_neighbourhoods(real, drawn, known)]


def _distances(real: np.ndarray, drawn: np.ndarray, known: np.ndarray) -> list[Measure]:
    kinds = {"Frechet distance": frechet_distance, "Kernel distance": kernel_distance}
    return [
        Measure(
            name=f"{name} of drawn images",
            value=distance(real, drawn),
            better="lower",
            meaning="From held-out images, in the features of the auditor; of "
            f"{len(known):,} training images: {distance(real, known):.3f}.",
        )
        for name, distance in kinds.items()
    ]


def _neighbourhoods(real: np.ndarray, drawn: np.ndarray, known: np.ndarray) -> list[Measure]:
    figures, best = (neighbourhood_figures(real, other, NEIGHBOURS) for other in (drawn, known))
    return [
        Measure(
            name=f"{name.capitalize()} of drawn images",
            value=value,
            meaning=f"{MEANINGS[name]} Of {len(known):,} training images: {best[name]:.3f}.",
        )
        for name, value in figures.items()
    ]
