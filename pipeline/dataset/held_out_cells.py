"""Cells held out of training: drawn or named by a configuration, stored in bundle and manifest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from latentloom.augment import Coverage, HoldOut, draw_cells, name_cells
from latentloom.augment.spelling import nearest
from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.config.settings import HoldOutConfig
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.examples import Examples, Factors
from latentloom.pipeline.dataset.folds import Folds


def plan_hold_out(
    settings: Mapping[str, HoldOutConfig], examples: Examples, factors: Factors
) -> HoldOut:
    """Finds the cells of every group among the cells that earlier groups leave.

    Args:
        settings: The groups, `data.hold_out` of the configuration.
        examples: The training split.
        factors: Value names of its factors.

    Returns:
        The held-out groups.

    Raises:
        ValueError: If a factor or a value is unknown, a cell has no example, or every cell is the
            last one of some value.
    """
    hold_out = HoldOut()
    for name, group in settings.items():
        left = hold_out.keeps(examples.factors)
        columns = {factor: codes[left] for factor, codes in examples.factors.items()}
        grid = _grid(name, group, factors)
        coverage = Coverage({factor: tuple(factors[factor]) for factor in grid}).count(columns)
        cells = (
            draw_cells(coverage, group.share, group.seed)
            if group.share
            else name_cells(coverage, group.cells)
        )
        hold_out = hold_out.adding(name, cells)
    return hold_out


def _grid(name: str, group: HoldOutConfig, factors: Factors) -> list[str]:
    """Returns the factors of a group's cells, in the order of the data."""
    key, wanted = f"data.hold_out.{name}.factors", set(group.factors or factors)
    if group.cells:
        key, wanted = f"data.hold_out.{name}.cells", set(group.cells[0])
        other = next((cell for cell in group.cells if set(cell) != wanted), None)
        if other is not None:
            raise ValueError(
                f"The cells of the group '{name}' have different factors. Expected: values of "
                f"{sorted(wanted)}, as in the first. Received: {other}. Move it to another group."
            )
    for factor in sorted(wanted):
        if factor not in factors:
            raise ValueError(
                f"Factor '{factor}' is missing from the data. Expected: factors of the data, "
                f"{sorted(factors)}. Received: {key} with '{factor}'. {nearest(factor, factors)}"
            )
    return [factor for factor in factors if factor in wanted]


def divide_off(folds: Folds, hold_out: HoldOut, factors: Factors) -> Folds:
    """Drops held-out cells from all folds except the auditor's.

    Raises:
        ValueError: If a value of a factor would have no training example.
    """
    if not hold_out:
        return folds
    kept = {
        name: fold.take(hold_out.keeps(fold.factors))
        for name, fold in vars(folds).items()
        if name != "auditor"
    }
    for factor, values in factors.items():
        there = np.isin(np.arange(len(values)), kept["train"].factors[factor])
        lost = np.isin(np.arange(len(values)), folds.train.factors[factor]) & ~there
        if lost.any():
            raise ValueError(
                f"Value '{values[int(np.argmax(lost))]}' of factor '{factor}' is held out whole, "
                "which asks for extrapolation, not recombination. Expected: some training "
                f"examples of every value. Received: none of {lost.sum()} values. Hold out fewer "
                "cells under data.hold_out, or add examples."
            )
    return Folds(**kept, auditor=folds.auditor)


def unseen_halves(folds: Folds, hold_out: HoldOut) -> dict[str, Examples]:
    """Examples that judge and auditor were not trained on: the half of the other one.

    Args:
        folds: The folds, after `divide_off`.
        hold_out: The groups, whose cells are left out of both halves.
    """
    return {
        "judge": folds.auditor.take(hold_out.keeps(folds.auditor.factors)),
        "auditor": folds.judge,
    }


def check_deformations(hold_out: HoldOut, measured: Collection[str]) -> None:
    """Rejects deformations that could move images into held-out cells.

    Args:
        hold_out: The groups.
        measured: Factors that were measured on the pixels of the images.

    Raises:
        ValueError: If a group has a measured factor.
    """
    for name, group in hold_out.groups.items():
        factors = [factor for factor in group.names if factor in measured]
        if factors:
            raise ValueError(
                f"Deformed images may fall into the held-out cells '{name}'. Expected: no "
                f"deformations where {', '.join(factors)}, measured on pixels, is held out. "
                "Received: data.deform. Drop `data.deform`, or hold out cells of other factors."
            )


def split_by_group(examples: Examples, hold_out: HoldOut) -> dict[str, Examples]:
    """Returns the held-out examples of each group; leaves out empty groups."""
    groups = hold_out.group_of(examples.factors)
    parts = {name: groups == place for place, name in enumerate(hold_out.groups)}
    return {name: examples.take(rows) for name, rows in parts.items() if rows.any()}


def read_hold_out(details: Mapping[str, Any], factors: Factors, name: str) -> HoldOut:
    """Reads the cells that were held out of a bundle's training.

    Args:
        details: Details of the bundle.
        factors: Value names of the factors of a data set.
        name: Name of the data set, for the message.

    Raises:
        ValueError: If the data set has other factors or values.
    """
    document = BundleDetails.read(details).hold_out
    with told_of_file("bundle.json", "cells that training held out", "Train the bundle again."):
        hold_out = HoldOut.from_dict(document)
    for group in hold_out.groups.values():
        for factor, values in group.names.items():
            if list(factors.get(factor, ())) != list(values):
                raise ValueError(
                    f"The bundle holds out cells that data set '{name}' does not know. Expected: "
                    f"factor '{factor}' with the values {list(values)[:5]}... Received: "
                    f"{list(factors.get(factor, ()))[:5]}. Use the data that it was trained on."
                )
    return hold_out
