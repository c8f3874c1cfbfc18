"""The section "Unseen combinations" of an evaluation: what becomes of cells never trained on."""

from __future__ import annotations

from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.evaluation.unseen.cell_rows import choose_rows
from latentloom.pipeline.evaluation.unseen.generated import generate_rows
from latentloom.pipeline.evaluation.unseen.readings import read_images
from latentloom.pipeline.evaluation.unseen.tables import tabulate_generation, tabulate_readings


def evaluate_combinations(context: EvaluationContext) -> SectionResult:
    """What models make of images of unseen cells, and what they make for these cells.

    Returns:
        Nothing for vectors and documents, or where no cell was held out.
    """
    if not context.hold_out or not context.codec.kind.can_resize:
        return SectionResult()
    rows = choose_rows(context.hold_out)
    readings = tabulate_readings(context, rows, read_images(context, len(rows)))
    return SectionResult(tables=[*readings, tabulate_generation(generate_rows(context, rows))])
