"""The tables of unseen combinations: their columns with what these mean, and their rows."""

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
    "Share of training": "Share that they would have of the training images.",
    "Nats": "Cross-entropy per image of the pixels under those decoded from the mean code, over "
    "the entropy of grey pixels, which nothing can go below.",
    "Nats, full": "The same of the full model, which was trained on the cells, too.",
    "Gap ratio": "Nats over those of the full model: 1 if not having seen them costs nothing.",
    "Nats, nearest": "The same of the nearest training image in place of a reconstruction.",
    "Excess ratio": "Nats over those of the nearest training image; below 1 is asked.",
    "Squared error": "Mean squared error of pixels in [0, 1].",
    "Squared error, full": "The same of the full model.",
    "Squared error, nearest": "The same of the nearest training image.",
}
READINGS = {
    "Class": "Share whose class the model reads right in its mean code.",
    "Class, full": "The same of the full model.",
}
GENERATION = {
    "Made": "Images decoded.",
    "Class": "Share in which the auditor reads the class wanted.",
    "Values": "Share with all other values wanted: measured from the pixels with the limits of the "
    "training images, or read by the auditor.",
    "Both": "Share with class and values.",
    "Both, full": "The same of the full model, of the same donors.",
    "Real class": "Share of real images of the row in which the auditor reads the class.",
}
ERROR_TEXT = (
    "{share:.2%} of the training images were held out. Measured on {split} images, which no model "
    "was trained on. A ratio means little without that share, and beside images that were held in."
)
READING_TEXT = (
    "Linear maps from the whole mean code to what is measured from pixels are fitted to training "
    "images alone."
)
GENERATION_TEXT = (
    "The blocks that carry the label come from a training image of the class, all others from one "
    "of another class with the other values wanted. The last row is of combinations that were "
    "trained on."
)
NO_GENERATION = (
    "Left out: all blocks of this model carry the label, so there is none that could give another "
    "class's value without its class."
)


def tabulate_readings(
    context: EvaluationContext, cells: Mapping[str, Coverage], found: ReadImages
) -> list[FigureTable]:
    """Tables of reconstructions and of what codes tell.

    Args:
        context: The evaluation.
        cells: The cells of every row by its name.
        found: What models make of the images.
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
    """Table of generated images; without rows it says why there is none."""
    if rows is None:
        return as_table("Generation", NO_GENERATION, {}, {})
    return as_table("Generation", GENERATION_TEXT, GENERATION, rows)


def reading_columns(attributes: Sequence[str]) -> dict[str, str]:
    """Columns of what codes tell, with their meanings."""
    columns = dict(READINGS)
    for name in attributes:
        columns[f"Error of {name}"] = f"Root mean square error of {name} read by a linear map."
        columns[f"{name}, ratio"] = "It over that of images that are held in."
        columns[f"{name}, ratio, full"] = "The same of the full model."
    return columns


def error_row(pruned: Readings, full: Readings, nearest: Readings, rows: np.ndarray) -> TableRow:
    """Errors of some images.

    Args:
        pruned: Figures of all images by the pruned model; see `read_model`.
        full: Those by the full model, or none.
        nearest: Those of the nearest training images.
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
    """What codes of some images tell; `held_in` are the images to compare with."""

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
    """Mean of every figure over the rows that have it; the images made are added up."""
    whole: TableRow = {}
    for head in GENERATION:
        values = [value for row in rows if (value := row.get(head)) is not None]
        if values:
            whole[head] = int(sum(values)) if head == "Made" else float(np.mean(values))
    return whole


def as_table(
    title: str, text: str, columns: Mapping[str, str], rows: Mapping[str, TableRow]
) -> FigureTable:
    """A table of the columns that any row has a value in."""
    shown = [head for head in columns if any(row.get(head) is not None for row in rows.values())]
    return FigureTable(
        title=title,
        text=text,
        columns={head: columns[head] for head in shown},
        rows={name: {head: row.get(head) for head in shown} for name, row in rows.items()},
    )
