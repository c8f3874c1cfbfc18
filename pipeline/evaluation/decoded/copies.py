"""Measures whether draws from the prior are copies of training examples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentloom.model_zoo.metrics.copies import USUAL_SHARE, copy_figures, nearest_examples
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import classes_in_turn
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import FEWEST, Measure
from latentloom.pipeline.report.pictures.protocol import Pictures
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.schema import Picture

MOST_DRAWS = 1000
"""Most draws, and most held-out examples, to find the nearest training examples of."""

SHOWN = 10
"""Most draws shown: those of each class that are nearest to a training example."""
NEIGHBOURS = 4
"""Nearest training examples shown beside each draw."""
CAPTION = (
    "Left, the draws of each class nearest to a training example, of {count:,} draws from the "
    "prior; right, their nearest training examples, nearest first. An identical pair is a copy."
)


def evaluate_copies(context: EvaluationContext) -> SectionResult:
    """Measures and shows whether draws from the prior are copies of training examples."""
    encoded, train = context.encoded, context.train
    return SectionResult(measure_copies(encoded, train), draw_copies(encoded, train))


def measure_copies(encoded: EncodedExamples, train: Examples) -> list[Measure]:
    """Compares the distance of draws to training examples with that of held-out examples.

    Args:
        encoded: Encoded examples. Each gives one draw: every block from its prior, given the
            class.
        train: All examples that the model was trained on.

    Returns:
        Two figures for observations as stored and two for the features of the auditor.
    """
    codec, rows = encoded.codec, slice(MOST_DRAWS)
    drawn = draw(encoded)
    ways: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
        "stored": (f"{codec.kind.many} as stored", lambda images: images),
        "features": ("the features of the auditor", codec.features),
    }
    return [
        measure
        for way, (where, see) in ways.items()
        for measure in _measures(
            way,
            where,
            encoded.many,
            copy_figures(
                see(drawn), see(encoded.examples.observations[rows]), see(train.observations)
            ),
            len(drawn),
        )
    ]


def draw(encoded: EncodedExamples) -> np.ndarray:
    """Decodes draws from the prior: the first `MOST_DRAWS` of the draws of the fidelity figures."""
    blocks = [*encoded.carriers, *encoded.free]
    codes = encoded.from_prior(blocks, "fidelity")
    return encoded.decode({name: code[:MOST_DRAWS] for name, code in codes.items()})


def draw_copies(encoded: EncodedExamples, train: Examples) -> dict[str, Picture]:
    """Shows draws beside their nearest training examples; empty with too few of these."""
    drawn, codec = draw(encoded), encoded.codec
    figures = pictures_of(codec.kind, codec.bundle.vocabulary)
    picture = draw_nearest(figures, drawn, encoded.labels[: len(drawn)], train.observations)
    caption = CAPTION.format(count=min(len(encoded.examples), MOST_DRAWS))
    return {"copies": Picture(picture, caption)} if picture else {}


def draw_nearest(
    figures: Pictures, made: np.ndarray, labels: np.ndarray, train: np.ndarray
) -> bytes | None:
    """Shows the generated observations nearest to training examples, class by class.

    Args:
        figures: Drawing for this kind of observation.
        made: Generated observations.
        labels: Their classes, int64.
        train: Training examples as stored.

    Returns:
        A PNG file, or None with too few training examples or nothing to draw.
    """
    if len(train) < NEIGHBOURS or not len(made):
        return None
    distances, places = nearest_examples(made, train, NEIGHBOURS)
    shown = classes_in_turn(labels, SHOWN, distances[:, 0])
    return figures.copies(made[shown], train[places[shown]])


def _measures(way: str, where: str, many: str, figures: dict[str, float], n: int) -> list[Measure]:
    return [
        Measure(
            name=f"Copies among draws, in {where}",
            key=f"copies/{way}/share",
            value=figures["copies"] if n >= FEWEST else None,
            n=n,
            chance=USUAL_SHARE,
            better="lower",
            meaning="Share of draws nearer to a training example than all but one in a hundred "
            f"held-out {many}.",
        ),
        Measure(
            name=f"Nearest training example of draws, in {where}",
            key=f"copies/{way}/distance",
            value=figures["distance"],
            n=n,
            chance=1.0,
            meaning=f"Median distance of draws over the median distance of held-out {many}.",
        ),
    ]
