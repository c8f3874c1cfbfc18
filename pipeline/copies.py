"""Figures of whether draws from the prior are copies of training examples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model_zoo.metrics.copies import USUAL_SHARE, copy_figures
from pipeline.examples import Examples
from pipeline.held_out import HeldOut
from pipeline.measures import Measure

MOST_DRAWS = 1000
"""Draws, and held-out examples, whose nearest training examples are looked for."""


def measure_copies(held_out: HeldOut, train: Examples) -> list[Measure]:
    """Looks for the nearest training example of draws, and of held-out examples to compare with.

    Args:
        held_out: Encoded examples; a draw is made for each, every block from its prior, given the
            class.
        train: All examples that the model was trained on.

    Returns:
        Two figures as stored and two in the features of the auditor.
    """
    codec, rows = held_out.codec, slice(MOST_DRAWS)
    blocks = [*held_out.carriers, *held_out.free]
    drawn = held_out.decode(held_out.from_prior(blocks, "fidelity"))[rows]
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        f"{codec.kind.many} as stored": lambda images: images,
        "the features of the auditor": codec.features,
    }
    return [
        measure
        for where, see in ways.items()
        for measure in _measures(
            where,
            held_out.many,
            copy_figures(see(drawn), see(held_out.examples.images[rows]), see(train.images)),
        )
    ]


def _measures(where: str, many: str, figures: dict[str, float]) -> list[Measure]:
    return [
        Measure(
            name=f"Copies among draws, in {where}",
            value=figures["copies"],
            chance=USUAL_SHARE,
            better="lower",
            meaning="Share that are nearer to a training example than all but one in a hundred "
            f"of the {many} that were held out.",
        ),
        Measure(
            name=f"Nearest training example of draws, in {where}",
            value=figures["distance"],
            chance=1.0,
            meaning=f"Median distance to it over that of the {many} that were held out.",
        ),
    ]
