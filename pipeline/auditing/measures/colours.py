"""Which factors are colours: those that the colours of the images alone tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.auditing.measures.readings import (
    FOLDS,
    MOST_READ,
    balanced,
    read_numbers,
)
from latentloom.pipeline.auditing.survey import Survey

COLOUR_PROPERTIES = ("colour_cast", "border_colour", "object_colour")
LEAST_TOLD = 0.4
"""Least accuracy above chance with which colours tell a colour, as a share of what is above it."""


def find_colours(survey: Survey, names: Sequence[str]) -> list[str]:
    """Finds the colours among factors; none in grey images.

    Args:
        survey: The survey.
        names: The factors to look at.
    """
    columns = [survey.properties[n] for n in COLOUR_PROPERTIES if n in survey.properties]
    if len(columns) < len(COLOUR_PROPERTIES):
        return []
    rows = np.arange(survey.train.start, survey.train.stop)
    sampled = survey.sample(rows, MOST_READ, "audit ties")
    numbers, folds = np.concatenate(columns, axis=1)[sampled], survey.folds(sampled, FOLDS)
    found = []
    for name in names:
        codes = survey.examples.factors[name][sampled]
        accuracy = balanced(read_numbers(numbers, codes, folds), codes)
        chance = 1 / max(2, len(np.unique(codes)))
        if (accuracy - chance) / (1 - chance) >= LEAST_TOLD:
            found.append(name)
    return found
