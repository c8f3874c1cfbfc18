"""The map of the codes of an evaluation, with what is written below it."""

from __future__ import annotations

from latentloom.model_zoo.metrics.projections import neighbour_embedding, principal_components
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.report.charts.code_map import code_map

MAP_EXAMPLES = 2000
"""Most examples on the map of the codes; t-SNE of so many takes seconds."""
MIN_NEIGHBOURS = 10
"""Fewest examples that t-SNE is of use for."""


def draw_map(held_out: EncodedExamples) -> bytes:
    """Draws sampled codes of at most `MAP_EXAMPLES` examples, coloured by class."""
    examples = choose(held_out.examples, MAP_EXAMPLES, held_out.seed, "map")
    codes = held_out.codec.sample_posterior(examples.images, held_out.seed)
    ways = {"principal components": principal_components}
    if len(examples) >= MIN_NEIGHBOURS:
        ways["t-SNE"] = neighbour_embedding
    points = {
        way: {name: project(block) for name, block in codes.items()}
        for way, project in ways.items()
    }
    return code_map(points, examples.labels, held_out.codec.bundle.class_names)


def map_caption(held_out: EncodedExamples) -> str:
    """Says which block should tell the class, and how the map is to be read."""
    blocks = {name: "should tell the class" for name in held_out.carriers}
    blocks |= {name: "should not" for name in held_out.free}
    parts = ", ".join(f"{name} {what}" for name, what in blocks.items())
    caption = (
        f"Sampled codes of {held_out.name} {held_out.many}, coloured by class: {parts}. Principal "
        "components are the directions of largest variance"
    )
    if len(held_out.examples) < MIN_NEIGHBOURS:
        return caption + "."
    return caption + "; t-SNE keeps neighbours together, other distances mean little."
