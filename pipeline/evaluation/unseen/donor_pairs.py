"""Generates images of unseen combinations: the class of one example with the rest of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import Coverage, identity_keys, uniforms
from latentloom.model_zoo.metrics.strokes import measure_strokes
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.terciles import Terciles


@dataclass(frozen=True)
class DonorPairs:
    """Donors of images to generate.

    Attributes:
        class_rows: Rows of examples of the wanted class, `(n,)` int64. They give the blocks that
            carry the label.
        value_rows: Rows of examples of another class with the other wanted values, `(n,)` int64.
            They give all other blocks.
        wanted: Indices of the wanted values by factor, including the label, `(n,)` int64 each.
    """

    class_rows: np.ndarray
    value_rows: np.ndarray
    wanted: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.class_rows)


def draw_pairs(train: Examples, cells: Coverage, count: int, seed: int) -> DonorPairs:
    """Draws donors for some cells in turn.

    Args:
        train: The training examples of the model.
        cells: Cells of a grid with the label and at least one other factor.
        count: Number of images to generate, divided among the cells.
        seed: Integer, the seed of the draw.

    Returns:
        The pairs. Skips a cell if its class has no example, or no other class has its other values.
    """
    order = np.argsort(identity_keys(seed, "unseen donors", train.ids), kind="stable")
    columns = {name: train.factors[name][order] for name in cells.names}
    others = [name for name in cells.names if name != "label"]
    parts: list[np.ndarray] = [np.zeros((0, 2 + len(cells.names)), np.int64)]
    for turn, cell in enumerate(sorted(cells.counts)):
        values = dict(zip(cells.names, cell, strict=True))
        own = columns["label"] == values["label"]
        like = np.logical_and.reduce([columns[name] == values[name] for name in others])
        donors = [order[own], order[like & ~own]]
        number = count // len(cells.counts) + (turn < count % len(cells.counts))
        if not number or not all(len(rows) for rows in donors):
            continue
        name = "/".join(cells.name_cell(cell).values())
        keys = identity_keys(seed, f"unseen pairs {name}", [str(n) for n in range(number)])
        draws = (uniforms(keys, 2) * [len(rows) for rows in donors]).astype(np.int64)
        pair = [rows[draws[:, side]] for side, rows in enumerate(donors)]
        parts.append(np.stack([*pair, *(np.full(number, value) for value in cell)], axis=1))
    rows = np.concatenate(parts)
    wanted = {name: rows[:, 2 + axis] for axis, name in enumerate(cells.names)}
    return DonorPairs(rows[:, 0], rows[:, 1], wanted)


def seen_siblings(train: Examples, cells: Coverage) -> Coverage:
    """Cells of the same grid and the same classes that the training examples have."""
    coverage = Coverage(cells.names).count(train.factors)
    axis = list(cells.names).index("label")
    classes = {cell[axis] for cell in cells.counts}
    return Coverage(
        cells.names,
        {cell: number for cell, number in coverage.counts.items() if cell[axis] in classes},
    )


def generate_pairs(codec: Codec, train: Examples, pairs: DonorPairs) -> np.ndarray:
    """Decodes the class of one donor with all other blocks of the other, to images as stored."""
    rows, places = np.unique(
        np.concatenate([pairs.class_rows, pairs.value_rows]), return_inverse=True
    )
    codes = codec.encode(train.observations[rows])
    own, other = np.split(places, 2)
    carriers = codec.spec.carriers("label")
    return codec.render(
        {name: codes[name][own if name in carriers else other] for name in codec.spec.names}
    )[0]


def can_judge(factors: Sequence[str], auditor: Codec, terciles: Terciles) -> bool:
    """Whether a grid has the label and other factors, all of them measurable or audited."""
    readable = {*terciles.limits, *auditor.bundle.judge_sizes}
    return "label" in factors and 1 < len(factors) and set(factors) <= readable


def judge_images(
    images: np.ndarray, wanted: Mapping[str, np.ndarray], auditor: Codec, terciles: Terciles
) -> dict[str, np.ndarray]:
    """Checks whether images have the wanted values.

    Args:
        images: uint8 `(n, height, width, channels)`.
        wanted: Value indices of the label and of other factors, `(n,)` each.
        auditor: The codec with the auditor, which classifies the label and the factors that are
            not measured.
        terciles: Limits of the factors measured from pixels.

    Returns:
        bool `(n,)` each: `class`, the label is right; `values`, all other factors are right;
        `both`.
    """
    read = auditor.judge_factors(images, "auditor")
    right = {
        name: terciles.codes(name, measure_strokes(images, name)) == codes
        if name in terciles.limits
        else np.argmax(read[name], axis=-1) == codes
        for name, codes in wanted.items()
    }
    own = right.pop("label")
    values = np.logical_and.reduce(list(right.values()))
    return {"class": own, "values": values, "both": own & values}
