"""The sections of an evaluation, which give its figures, pictures, notes and tables.

To add a section, write a function from `EvaluationContext` to `SectionResult` and add a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.decoded.copies import evaluate_copies
from latentloom.pipeline.evaluation.decoded.fidelity import evaluate_fidelity
from latentloom.pipeline.evaluation.decoded.prior_draws import evaluate_prior
from latentloom.pipeline.evaluation.decoded.reconstruction import evaluate_reconstruction
from latentloom.pipeline.evaluation.decoded.variants import evaluate_variants
from latentloom.pipeline.evaluation.factors.attribute_transfer import evaluate_transfer
from latentloom.pipeline.evaluation.factors.axes import evaluate_axes
from latentloom.pipeline.evaluation.factors.blocks import evaluate_factors
from latentloom.pipeline.evaluation.factors.domain_translation import evaluate_translation
from latentloom.pipeline.evaluation.latents.class_probes import evaluate_probes
from latentloom.pipeline.evaluation.latents.class_split import evaluate_split
from latentloom.pipeline.evaluation.latents.code_map import evaluate_map
from latentloom.pipeline.evaluation.latents.information import evaluate_information
from latentloom.pipeline.evaluation.latents.topics import evaluate_topics
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.evaluation.unseen.combinations import evaluate_combinations
from latentloom.pipeline.evaluation.unseen.recombined_cells import evaluate_unseen_cells
from latentloom.pipeline.terminal.progress import Advance

SECTIONS: Mapping[str, Callable[[EvaluationContext], SectionResult]] = {
    "probes": evaluate_probes,
    "swap": evaluate_split,
    "decoder": evaluate_reconstruction,
    "prior": evaluate_prior,
    "fidelity": evaluate_fidelity,
    "copies": evaluate_copies,
    "variants": evaluate_variants,
    "factors": evaluate_factors,
    "transfer": evaluate_transfer,
    "translation": evaluate_translation,
    "unseen cells": evaluate_unseen_cells,
    "axes": evaluate_axes,
    "information": evaluate_information,
    "topics": evaluate_topics,
    "unseen combinations": evaluate_combinations,
    "map": evaluate_map,
}
"""The function of each section by the name that progress shows, in the order of the report."""


def evaluate_sections(
    context: EvaluationContext, advance: Advance = lambda *_: None
) -> SectionResult:
    """Measures and draws all sections; the result does not depend on the order of the examples.

    Args:
        context: Models, data and settings.
        advance: Called before every section and at the end.

    Raises:
        ValueError: Two sections give a picture of the same name or a measure of the same key.
    """
    result = SectionResult()
    for done, (name, section) in enumerate(SECTIONS.items()):
        advance(done, len(SECTIONS), name)
        result += section(context)
    advance(len(SECTIONS), len(SECTIONS))
    return result
