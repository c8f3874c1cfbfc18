"""The configuration that fills what an audit found missing, for `train` and `generate`.

It begins with what `--config auto` chooses. Ties to factors, and empty or rare cells, ask for a
model with a block for each factor and recombinations that fill the cells; classes of unequal size
ask for a quota of each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import yaml

from latentloom.pipeline.auditing.audited import REPAIR_FILE, Audited
from latentloom.pipeline.auditing.missing import Missing
from latentloom.pipeline.auditing.survey import TRAIN, Survey
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.config.automatic import (
    GRID_BATCH,
    GRID_STRETCH,
    Seen,
    automatic_tree,
)
from latentloom.pipeline.dataset.examples import Factors
from latentloom.pipeline.dataset.folds import SMALLEST_CLASS
from latentloom.pipeline.dataset.seen_data import seen_in
from latentloom.pipeline.storage.texts import printable

MOST_BLOCKS = 6
"""Factors up to which all have a block; of more, only those whose cells are filled."""
MOST_MADE = 4
"""Most variants for each example that fill cells."""
LARGEST_DENSE = 64
"""Pixels of the longer side up to which the networks are dense."""
FROM_TIED = 0.5
"""Part of the examples of a tied cell that each other cell is filled up to."""


def repair_text(audited: Audited) -> str:
    """Returns the text of `repair.yaml`: a configuration, below lines that say what it is for.

    Raises:
        ValueError: The sections are no configuration.
    """
    factors = audited.manifest.factors
    tree = repair_tree(audited.missing, seen_in(audited.manifest), audited.survey, factors)
    parse_config(tree, REPAIR_FILE)
    lines = [
        f"Fills what the audit of '{audited.manifest.name}' found missing: {_told(audited)}.",
        *_left(audited),
        "",
        *(f"  {command}" for command in audited.commands),
    ]
    head = "".join(f"# {printable(line)}".rstrip() + "\n" for line in lines)
    return head + yaml.safe_dump(tree, sort_keys=False, width=100, allow_unicode=True)


def _told(audited: Audited) -> str:
    """Says what is filled."""
    missing, told = audited.missing, []
    if audited.survey.is_of_images and missing.recombined:
        told += [f"examples off the ties to {', '.join(missing.tied)}"] if missing.tied else []
        told += [f"cells of {', '.join(missing.sparse)}"] if missing.sparse else []
    elif missing.is_unequal:
        told.append("examples of the smaller classes")
    return " and ".join(told) or "nothing; this is what `--config auto` chooses"


def _left(audited: Audited) -> list[str]:
    """Says what no configuration can fill."""
    closed = [tie.factor for tie in audited.ties if tie.complete]
    lines = [
        f"It cannot break the tie to '{name}': the data have no example off it." for name in closed
    ]
    small = [each.name for each in audited.classes if each.counts[TRAIN] < SMALLEST_CLASS]
    if len(audited.classes) < 2:
        lines.append("`train` refuses data of one class: add examples of another one first.")
    if small:
        named = ", ".join(f"'{name}'" for name in small[:5])
        lines.append(f"`train` refuses {named}: add examples, or import without such classes.")
    return lines


def repair_tree(missing: Missing, seen: Seen, survey: Survey, factors: Factors) -> dict[str, Any]:
    """Returns the sections of the configuration."""
    tree = automatic_tree(seen)
    if survey.is_of_images and missing.recombined:
        _recombine(tree, missing, seen, survey, factors)
    elif missing.is_unequal:
        tree["generate"]["sampling_strategy"] = "auto"
    return tree


def _recombine(
    tree: dict[str, Any], missing: Missing, seen: Seen, survey: Survey, factors: Factors
) -> None:
    """Gives a configuration blocks for the factors and a recipe that fills cells."""
    filled = missing.recombined
    others = missing.apart if len(missing.apart) <= MOST_BLOCKS else filled
    blocks = ["label", *(name for name in missing.apart if name in others)]
    colours = [name for name in missing.colours if name in blocks]
    sizes = {name: 4 if len(factors[name]) < 4 else 6 for name in blocks}
    args: dict[str, Any] = {
        "network": "dense" if max(seen.shape[:2]) <= LARGEST_DENSE else "auto",
        "block_dims": sizes | {"label": 16},
        "sharing_weight": 0.1,
    }
    args |= {} if seen.is_grid else {"unlabelled_dims": {"style": 12}}
    args |= {"colour_blocks": colours} if colours else {}
    tree["model"] = {"name": "gzs_net", "args": args}
    stretch = 1 if seen.is_grid else GRID_STRETCH
    tree["train"] |= {
        "steps": stretch * tree["train"]["steps"],
        "batch_size": GRID_BATCH,
        "learning_rate": 0.002,
    }
    tree["judge"] |= {"batch_size": 32}
    if set(blocks) - {"label", *colours}:  # a deformation would change sizes and shapes
        tree.pop("data", None)
    tree["generate"] = {
        "recipe": "recombine_factors",
        "factors": ["label", *filled],
        "cells": "balanced",
        "per_cell": _per_cell(missing, survey, factors),
        "gate": {"min_confidence": 0.5, **_ignored(missing)},
    }
    if differ := _different(survey, factors, filled, missing.apart):
        tree["generate"]["differ"] = differ


def _ignored(missing: Missing) -> dict[str, list[str]]:
    """What the gate cannot ask: a judge of tied examples takes either of the two for the other.

    It reads colours from any example; so these are still asked.
    """
    if not missing.tied:
        return {}
    return {"ignored": ["label", *(name for name in missing.tied if name not in missing.colours)]}


def _per_cell(missing: Missing, survey: Survey, factors: Factors) -> int:
    """Examples that every cell is filled up to, within `MOST_MADE` variants for each example."""
    names = ["label", *missing.recombined]
    columns = [survey.examples.factors[name][survey.train] for name in names]
    counts = np.unique(np.stack(columns), axis=1, return_counts=True)[1]
    labels = np.unique(np.stack(columns), axis=1)[0]
    cells = math.prod(len(factors[name]) for name in names)
    most = max(1, MOST_MADE * len(columns[0]) // cells)
    if not missing.tied:
        return int(min(most, max(1, np.median(counts))))
    largest = [counts[labels == label].max() for label in np.unique(labels)]
    return int(min(most, max(1, round(FROM_TIED * float(np.median(largest))))))


def _different(
    survey: Survey, factors: Factors, filled: Sequence[str], others: Sequence[str]
) -> list[list[str]]:
    """Pairs of factors that share names of values and never have the same one."""
    found = []
    for name in filled:
        for other in others:
            shared = set(factors[name]) & set(factors[other])
            if other == name or not shared or [other, name] in found:
                continue
            first, second = (
                np.array(factors[each])[survey.examples.factors[each][survey.train]]
                for each in (name, other)
            )
            if not np.any(first == second):
                found.append([name, other])
    return found
