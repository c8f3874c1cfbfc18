"""Measures images generated for unseen cells, with the auditor of the pruned bundle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from latentloom.augment import Coverage
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.unseen.cell_rows import ALL, SIBLINGS
from latentloom.pipeline.evaluation.unseen.donor_pairs import (
    can_judge,
    draw_pairs,
    generate_pairs,
    judge_images,
    seen_siblings,
)
from latentloom.pipeline.evaluation.unseen.tables import TableRow, mean_row


def generate_rows(
    context: EvaluationContext, rows: Mapping[str, Coverage]
) -> dict[str, TableRow] | None:
    """Figures of images generated for the cells of every row, for all rows, and for seen siblings.

    Returns:
        The rows, or None if all blocks of the model carry the label, so that none can be exchanged.
    """
    if not context.codec.spec.free_of("label"):
        return None
    siblings = [
        _generate_row(context, seen_siblings(context.train, cells))
        for cells in rows.values()
        if "label" in cells.names
    ]
    made = {name: _generate_row(context, cells) for name, cells in rows.items()}
    return made | {ALL: mean_row(list(made.values())), SIBLINGS: mean_row(siblings)}


def _generate_row(context: EvaluationContext, cells: Coverage) -> TableRow:
    """Figures of generated and real images of some cells; empty if they cannot be judged."""
    train, config = context.train, context.config
    if not can_judge(list(cells.names), context.codec, context.terciles):
        return {}
    pairs = draw_pairs(train, cells, config.evaluate.anchors, config.generate.seed)
    if not len(pairs):
        return {}
    own = _judge(context, generate_pairs(context.codec, train, pairs), pairs.wanted)
    row: TableRow = {"Made": len(pairs), **own}
    if context.full:
        images = generate_pairs(context.full, train, pairs)
        row["Both, full"] = _judge(context, images, pairs.wanted)["Both"]
    real = Examples.concatenate([context.folds.of_seen_cells, context.folds.of_unseen_cells])
    real = real.take(cells.seen_rows(real.factors))
    if len(real):
        wanted = {name: real.factors[name] for name in cells.names}
        row["Real class"] = _judge(context, real.observations, wanted)["Class"]
    return row


def _judge(
    context: EvaluationContext, images: np.ndarray, wanted: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Shares of images with the wanted values, by the auditor of the pruned bundle."""
    found = judge_images(images, wanted, context.codec, context.terciles)
    return {name.capitalize(): float(np.mean(column)) for name, column in found.items()}
