"""The tables of unseen combinations: their columns with meanings, and their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment import Coverage
from latentloom.model_zoo.metrics.transfer import ratio
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.unseen.cell_rows import ALL, HELD_IN, share_of_rows
from latentloom.pipeline.evaluation.unseen.readings import ReadImages, Readings, mean_of
from latentloom.pipeline.report.schema import FigureTable

TableRow = dict[str, float | int | None]

ERRORS = {
    "Images": "Images of the row, which no model was trained on.",
    "Share of training": "Share of the training images in these cells before they were held out.",
    "Nats": "Cross-entropy per image between its pixels and the pixels decoded from its mean code, "
    "less the entropy of grey pixels, the lower bound.",
    "Nats, full": "Nats of the full model, which was trained on the cells too.",
    "Gap ratio": "Nats over Nats, full: 1 if holding the cells out costs nothing.",
    "Nats, nearest": "Nats of the nearest training image in place of a reconstruction.",
    "Excess ratio": "Nats over Nats, nearest: should be below 1.",
    "Squared error": "Mean squared error of pixels in [0, 1].",
    "Squared error, full": "Squared error of the full model.",
    "Squared error, nearest": "Squared error of the nearest training image.",
}
READINGS = {
    "Class": "Share that the model itself classifies correctly from the mean code.",
    "Class, full": "Share that the full model classifies correctly.",
}
GENERATION = {
    "Made": "Images decoded.",
    "Class": "Share that the auditor classifies as the wanted class.",
    "Values": "Share with all other wanted values, measured from the pixels with the limits of the "
    "training images, or classified by the auditor.",
    "Both": "Share with the wanted class and values.",
    "Both, full": "Share with both for the full model, from the same donors.",
    "Real class": "Share of real images of the row that the auditor classifies correctly.",
}
ERROR_TEXT = (
    "{share:.2%} of the training images were held out. Measured on {split} images, which no model "
    "was trained on. Compare ratios with that share, and with the row of images held in."
)
READING_TEXT = (
    "Linear maps from the whole mean code to attributes measured from pixels are fitted to "
    "training images alone."
)
GENERATION_TEXT = (
    "The blocks that carry the label come from a training image of the class, all other blocks "
    "from a training image of another class with the other wanted values. The last row has "
    "combinations from the training data."
)
NO_GENERATION = (
    "Left out: all blocks of this model carry the label, so none can give a value of another "
    "class's image without its class."
)


def tabulate_readings(
    context: EvaluationContext, cells: Mapping[str, Coverage], found: ReadImages
) -> list[FigureTable]:
    """Tables of reconstructions and of predictions from codes.

    Args:
        context: The context of the evaluation.
        cells: The cells of every row by its name.
        found: The images with figures of models.
    """
    masks = {name: row.seen_rows(found.factors) for name, row in cells.items()}
    masks |= {ALL: ~found.held_in, HELD_IN: found.held_in}
    shares = share_of_rows(context.hold_out, context.folds.whole_factors)
    errors, readings = {}, {}
    for name, rows in masks.items():
        counts: TableRow = {"Images": int(rows.sum()), "Share of training": shares[name]}
        errors[name] = counts | error_row(found.pruned, found.full, found.nearest, rows)
        readings[name] = reading_row(
            found.pruned, found.full, rows, found.held_in, found.attributes
        )
    text = ERROR_TEXT.format(share=shares[ALL], split=context.folds.name)
    columns = reading_columns(found.attributes)
    return [
        as_table("Reconstruction", text, ERRORS, errors),
        as_table("What the code tells", READING_TEXT, columns, readings),
    ]


def tabulate_generation(rows: Mapping[str, TableRow] | None) -> FigureTable:
    """Table of generated images; without rows its text gives the reason."""
    if rows is None:
        return as_table("Generation", NO_GENERATION, {}, {})
    return as_table("Generation", GENERATION_TEXT, GENERATION, rows)


def reading_columns(attributes: Sequence[str]) -> dict[str, str]:
    """Columns of predictions from codes, with their meanings."""
    columns = dict(READINGS)
    for name in attributes:
        columns[f"Error of {name}"] = f"Root mean square error of {name} by a linear map."
        columns[f"{name}, ratio"] = "Error of the row over the error of images held in."
        columns[f"{name}, ratio, full"] = f"{name}, ratio of the full model."
    return columns


def error_row(pruned: Readings, full: Readings, nearest: Readings, rows: np.ndarray) -> TableRow:
    """Errors of some images.

    Args:
        pruned: Figures of all images by the pruned model; see `read_model`.
        full: Figures of all images by the full model; empty without one.
        nearest: Figures of the nearest training images.
        rows: Which images, bool `(n,)`.
    """
    models = {"": pruned, ", full": full, ", nearest": nearest}
    nats = {end: mean_of(figures, "nats", rows) for end, figures in models.items()}
    return {
        **{f"Nats{end}": value for end, value in nats.items()},
        "Gap ratio": ratio(nats[""], nats[", full"]),
        "Excess ratio": ratio(nats[""], nats[", nearest"]),
        **{
            f"Squared error{end}": mean_of(figures, "squares", rows)
            for end, figures in models.items()
        },
    }


def reading_row(
    pruned: Readings,
    full: Readings,
    rows: np.ndarray,
    held_in: np.ndarray,
    attributes: Sequence[str],
) -> TableRow:
    """Errors of predictions from the codes of some images; `held_in` are the reference images."""

    def error(figures: Readings, name: str, rows: np.ndarray) -> float | None:
        square = mean_of(figures, name, rows)
        return None if square is None else float(np.sqrt(square))

    row: TableRow = {"Class": mean_of(pruned, "class", rows)}
    row["Class, full"] = mean_of(full, "class", rows)
    for name in attributes:
        row[f"Error of {name}"] = error(pruned, name, rows)
        for end, figures in {"": pruned, ", full": full}.items():
            usual = error(figures, name, held_in)
            row[f"{name}, ratio{end}"] = ratio(error(figures, name, rows), usual)
    return row


def mean_row(rows: Sequence[TableRow]) -> TableRow:
    """Mean of every figure over the rows that have it, but the sum of the images made."""
    whole: TableRow = {}
    for head in GENERATION:
        values = [value for row in rows if (value := row.get(head)) is not None]
        if values:
            whole[head] = int(sum(values)) if head == "Made" else float(np.mean(values))
    return whole


def as_table(
    title: str, text: str, columns: Mapping[str, str], rows: Mapping[str, TableRow]
) -> FigureTable:
    """A table of the columns in which at least one row has a value."""
    shown = [head for head in columns if any(row.get(head) is not None for row in rows.values())]
    return FigureTable(
        title=title,
        text=text,
        columns={head: columns[head] for head in shown},
        rows={name: {head: row.get(head) for head in shown} for name, row in rows.items()},
    )
