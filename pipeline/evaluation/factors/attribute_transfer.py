"""Measures the transfer of attributes: the looks of the donor's own, and all else of the anchor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.model_zoo.metrics.attribute_region import (
    colour_errors,
    outside_changes,
    shape_errors,
)
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.transfer_pictures import (
    draw_transfers,
    draw_two_attributes,
    shown_places,
)
from latentloom.pipeline.evaluation.factors.transfers import Transfer, transfers
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure

LEAST_OF_VALUE = 10
"""Fewest images that got a value, to measure its looks."""


def evaluate_transfer(context: EvaluationContext) -> SectionResult:
    """Measures and draws the transfer of attributes by models that keep the image they put it on.

    Nothing for models without an anchored block, and for observations that are no images.
    """
    encoded, measures, some = context.encoded, [], []
    for made in transfers(context):
        measures += measure_transfer(encoded, made)
        some.append(made.take(shown_places(encoded, made)))  # images of all would add up
    if not some:
        return SectionResult()
    pictures = draw_transfers(encoded, some) | draw_two_attributes(encoded, some)
    return SectionResult(measures, pictures, note_transfers(some))


def measure_transfer(encoded: EncodedExamples, made: Transfer) -> list[Measure]:
    """Measures the looks of each value, and the change outside; empty if not `is_bounded`."""
    if not made.is_bounded:
        return []
    images, name = encoded.examples.observations, made.attribute
    given = encoded.examples.factors[name][made.donors]
    names = encoded.codec.bundle.factors[name]
    measures = []
    for value in np.unique(given):
        of_value = np.flatnonzero(given == value)
        if len(of_value) >= LEAST_OF_VALUE:
            measures += _looks(images, made, of_value, names[int(value)])
    anchors, donors = images[made.rows], images[made.donors]
    return [
        *measures,
        Measure(
            name=f"Transfer of {name}: change outside",
            key=f"transfer/{name}/outside",
            value=float(outside_changes(made.made, anchors, made.region).mean()),
            chance=float(outside_changes(donors, anchors, made.region).mean()),
            better="lower",
            meaning=f"Mean absolute change, of the range of pixels, where {name} does not show. "
            "Chance is the donor itself in place of the result.",
        ),
    ]


def _looks(images: np.ndarray, made: Transfer, rows: np.ndarray, value: str) -> list[Measure]:
    """Errors of colour and of shape of the images that got this value."""
    name, found = made.attribute, made.made[rows]
    donors, others = images[made.donors[rows]], images[made.others[rows]]
    return [
        Measure(
            name=f"Transfer of {name}, {value}: error of {what}",
            key=f"transfer/{name}/{value}/{what}",
            value=float(errors(found, donors, made.region).mean()),
            chance=float(errors(found, others, made.region).mean()),
            better="lower",
            meaning=f"Mean absolute difference of {of_what} between result and donor, where {name} "
            "shows. Chance is another donor of the value; near it, the result has the value, but "
            "not the looks of its donor, or the value shows nothing.",
        )
        for what, of_what, errors in (
            ("colour", "the mean colour", colour_errors),
            ("shape", "pixels less their mean colour", shape_errors),
        )
    ]


def note_transfers(made: Sequence[Transfer]) -> list[str]:
    """Says in how many pixels each attribute shows, and what was not measured."""
    shown = ", ".join(f"{each.attribute} in {each.region.mean():.1%}" for each in made)
    notes = [
        f"Attributes show in these shares of the pixels: {shown}. A pixel counts if the value "
        "explains some of its variance within classes of training images, at least a quarter of "
        "what it explains of the clearest pixel."
    ]
    if unbounded := [each.attribute for each in made if not each.is_bounded]:
        notes.append(
            f"The looks of {', '.join(unbounded)} were not measured: they show in no pixel, or in "
            "nearly all."
        )
    return notes
