"""The section "Unseen combinations": reconstruction and generation of held-out cells."""

from __future__ import annotations

from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.evaluation.unseen.cell_rows import choose_rows
from latentloom.pipeline.evaluation.unseen.generated import generate_rows
from latentloom.pipeline.evaluation.unseen.readings import read_images
from latentloom.pipeline.evaluation.unseen.tables import tabulate_generation, tabulate_readings


def evaluate_combinations(context: EvaluationContext) -> SectionResult:
    """Measures reconstructions of images of unseen cells, and images generated for these cells.

    Returns:
        The tables; empty for vectors and documents, or if no cell was held out.
    """
    if not context.hold_out or not context.codec.kind.can_resize:
        return SectionResult()
    rows = choose_rows(context.hold_out)
    readings = tabulate_readings(context, rows, read_images(context, len(rows)))
    return SectionResult(tables=[*readings, tabulate_generation(generate_rows(context, rows))])
