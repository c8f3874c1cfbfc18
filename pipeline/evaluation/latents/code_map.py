"""The map of the codes of an evaluation, with its caption."""

from __future__ import annotations

from latentloom.model_zoo.metrics.projections import neighbour_embedding, principal_components
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.charts.code_map import code_map
from latentloom.pipeline.report.schema import Picture

MAP_EXAMPLES = 2000
"""Most examples on the map of the codes; t-SNE takes seconds for this number."""
MIN_NEIGHBOURS = 10
"""Fewest examples for which t-SNE is drawn."""


def evaluate_map(context: EvaluationContext) -> SectionResult:
    """Draws the map of sampled codes."""
    encoded = context.encoded
    return SectionResult(pictures={"code_map": Picture(draw_map(encoded), map_caption(encoded))})


def draw_map(encoded: EncodedExamples) -> bytes:
    """Draws sampled codes of at most `MAP_EXAMPLES` examples, coloured by class."""
    examples = choose(encoded.examples, MAP_EXAMPLES, encoded.seed, "map")
    codes = encoded.codec.sample_posterior(examples.observations, encoded.seed)
    ways = {"principal components": principal_components}
    if len(examples) >= MIN_NEIGHBOURS:
        ways["t-SNE"] = neighbour_embedding
    points = {
        way: {name: project(block) for name, block in codes.items()}
        for way, project in ways.items()
    }
    return code_map(points, examples.labels, encoded.codec.bundle.class_names)


def map_caption(encoded: EncodedExamples) -> str:
    """Says which block should separate the classes, and explains the projections."""
    blocks = {name: "should separate the classes" for name in encoded.carriers}
    blocks |= {name: "should not" for name in encoded.free}
    parts = ", ".join(f"{name} {what}" for name, what in blocks.items())
    caption = (
        f"Sampled codes of {encoded.name} {encoded.many}, coloured by class: {parts}. Principal "
        "components are the directions of largest variance"
    )
    if len(encoded.examples) < MIN_NEIGHBOURS:
        return caption + "."
    return caption + "; t-SNE keeps neighbours together, larger distances mean little."
