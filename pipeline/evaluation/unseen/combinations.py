"""The section "Unseen combinations" of an evaluation: what becomes of cells never trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.augment import Coverage, HoldOut
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.dataset.terciles import Terciles
from latentloom.pipeline.evaluation.folds import EvaluationFolds
from latentloom.pipeline.evaluation.unseen.donor_pairs import (
    can_judge,
    draw_pairs,
    generate_pairs,
    judge_images,
    seen_siblings,
)
from latentloom.pipeline.evaluation.unseen.readings import read_model, read_nearest
from latentloom.pipeline.evaluation.unseen.tables import (
    ERRORS,
    GENERATION,
    GENERATION_TEXT,
    NO_GENERATION,
    READING_TEXT,
    TableRow,
    as_table,
    error_row,
    mean_row,
    reading_columns,
    reading_row,
)
from latentloom.pipeline.report.schema import FigureTable

MOST_CELLS = 20
"""A group of more cells has one row for all of them."""
HELD_IN, ALL, SIBLINGS = "held in", "all held out", "seen cells of these classes"


@dataclass(frozen=True)
class UnseenCombinations:
    """Models, data and settings of the section.

    Args:
        pruned: The codec of the bundle, which was not trained on the cells.
        full: That of a bundle of the same recipe that was, or none.
        folds: The examples.
        hold_out: The cells.
        terciles: Limits of the factors that are measured from pixels.
        config: The configuration; sections `generate` and `evaluate` decide.
    """

    pruned: Codec
    full: Codec | None
    folds: EvaluationFolds
    hold_out: HoldOut
    terciles: Terciles
    config: Config

    def tabulate(self) -> list[FigureTable]:
        """Measures everything; no tables for vectors, or where no cell was held out."""
        if not self.hold_out or not self.pruned.kind.can_resize:
            return []
        return [*self._tabulate_readings(), self._tabulate_generation()]

    @property
    def rows(self) -> dict[str, Coverage]:
        """The cells of every row by its name: a cell, or a group of many cells."""
        rows: dict[str, Coverage] = {}
        for name, group in self.hold_out.groups.items():
            if len(group.counts) > MOST_CELLS:
                rows[name] = group
                continue
            for cell, number in sorted(group.counts.items()):
                words = [f"{factor} {value}" for factor, value in group.name_cell(cell).items()]
                rows[", ".join(words)] = Coverage(group.names, {cell: number})
        return rows

    @property
    def shares(self) -> dict[str, float]:
        """Share of each row of the training examples as they were before cells were held out."""
        columns = self.folds.whole_factors
        shares = {name: np.mean(cells.seen_rows(columns)) for name, cells in self.rows.items()}
        kept = np.mean(self.hold_out.keeps(columns))
        shares |= {ALL: 1 - kept, HELD_IN: kept}
        return {name: float(share) for name, share in shares.items()}

    def _tabulate_readings(self) -> list[FigureTable]:
        evaluate, seed, folds = self.config.evaluate, self.config.generate.seed, self.folds
        usual = choose(folds.of_seen_cells, evaluate.anchors, seed, "held in")
        unseen = choose(folds.of_unseen_cells, evaluate.anchors * len(self.rows), seed, "unseen")
        test = Examples.concatenate([usual, unseen])
        held_in = np.arange(len(test)) < len(usual)
        known = choose(folds.train, evaluate.probe_examples, 0, "probe")
        attributes = list(self.terciles.limits)
        nearest = read_nearest(test.images, folds.train.images)
        pruned = read_model(self.pruned, known, test, attributes)
        full = read_model(self.full, known, test, attributes) if self.full else {}
        masks = {name: cells.seen_rows(test.factors) for name, cells in self.rows.items()}
        masks |= {ALL: ~held_in, HELD_IN: held_in}
        shares, errors, readings = self.shares, {}, {}
        for name, rows in masks.items():
            counts: TableRow = {"Images": int(rows.sum()), "Share of training": shares[name]}
            errors[name] = counts | error_row(pruned, full, nearest, rows)
            readings[name] = reading_row(pruned, full, rows, held_in, attributes)
        text = (
            f"{shares[ALL]:.2%} of the training images were held out. Measured on "
            f"{folds.name} images, which no model was trained on. A ratio means little without "
            "that share, and beside images that were held in."
        )
        columns = reading_columns(attributes)
        return [
            as_table("Reconstruction", text, ERRORS, errors),
            as_table("What the code tells", READING_TEXT, columns, readings),
        ]

    def _tabulate_generation(self) -> FigureTable:
        if not self.pruned.spec.free_of("label"):
            return as_table("Generation", NO_GENERATION, {}, {})
        train = self.folds.train
        rows = {name: self._generation_row(cells) for name, cells in self.rows.items()}
        siblings = [
            self._generation_row(seen_siblings(train, cells))
            for cells in self.rows.values()
            if "label" in cells.names
        ]
        rows |= {ALL: mean_row(list(rows.values())), SIBLINGS: mean_row(siblings)}
        return as_table("Generation", GENERATION_TEXT, GENERATION, rows)

    def _generation_row(self, cells: Coverage) -> TableRow:
        """Figures of images made of some cells, and of real ones; empty if none can be judged."""
        train, folds, config = self.folds.train, self.folds, self.config
        if not can_judge(list(cells.names), self.pruned, self.terciles):
            return {}
        pairs = draw_pairs(train, cells, config.evaluate.anchors, config.generate.seed)
        if not len(pairs):
            return {}
        real = Examples.concatenate([folds.of_seen_cells, folds.of_unseen_cells])
        real = real.take(cells.seen_rows(real.factors))
        own = self._judge(generate_pairs(self.pruned, train, pairs), pairs.wanted)
        row: TableRow = {"Made": len(pairs), **own}
        if self.full:
            images = generate_pairs(self.full, train, pairs)
            row["Both, full"] = self._judge(images, pairs.wanted)["Both"]
        if len(real):
            wanted = {name: real.factors[name] for name in cells.names}
            row["Real class"] = self._judge(real.images, wanted)["Class"]
        return row

    def _judge(self, images: np.ndarray, wanted: dict[str, np.ndarray]) -> dict[str, float]:
        """Shares of images that are what is wanted, read by the auditor of the pruned bundle."""
        found = judge_images(images, wanted, self.pruned, self.terciles)
        return {name.capitalize(): float(np.mean(column)) for name, column in found.items()}
