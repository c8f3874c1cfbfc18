"""Pictures beside the findings of an audit: images that show them, and heat maps of cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentloom.pipeline.auditing.audited import Audited
from latentloom.pipeline.auditing.findings.classes import surprising
from latentloom.pipeline.auditing.findings.ties import factor_table
from latentloom.pipeline.auditing.measures.cells import cell_counts as counts_of_cells
from latentloom.pipeline.auditing.measures.duplicates import order_groups
from latentloom.pipeline.auditing.schema import Finding
from latentloom.pipeline.report.charts.bars_and_curves import class_counts
from latentloom.pipeline.report.charts.cell_counts import cell_counts
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownExamples
from latentloom.pipeline.report.schema import Picture

ROWS, COLUMNS = 8, 8
"""Most rows of a sheet, and most images of each."""
HEAT_MAPS = 12
"""Most heat maps of cells: the pairs with the most missing cells."""

Groups = dict[str, np.ndarray]
"""Rows of a survey by title."""


def picture_of(audited: Audited, finding: Finding) -> Picture | None:
    """Draws the images that show a finding; None if no image does."""
    if not audited.survey.is_of_images:
        return None
    kind, _, name = finding.key.partition("/")
    draw = SHEETS.get(kind)
    groups = {
        title: rows for title, rows in (draw(audited, name) if draw else {}).items() if len(rows)
    }
    if not groups:
        return None
    rows = [some[:COLUMNS] for some in list(groups.values())[:ROWS]]
    examples = audited.survey.examples.take(np.concatenate(rows)).loaded()
    ends = np.cumsum([len(some) for some in rows])
    places = np.split(np.arange(ends[-1]), ends[:-1])
    pictures = pictures_of(audited.dataset.observation_kind, audited.manifest.vocabulary)
    sheet = pictures.examples(ShownExamples(examples, places, list(groups)[:ROWS], COLUMNS))
    return Picture(sheet.png, CAPTIONS[kind])


def heat_maps(audited: Audited) -> dict[str, Picture]:
    """Draws the cells of the pairs of factors with the most missing cells, by name."""
    grids = sorted(audited.cells, key=lambda grid: -surprising(grid))[:HEAT_MAPS]
    factors, found = audited.manifest.factors, {}
    for grid in grids:
        first, second = grid.factors
        counts = counts_of_cells(audited.survey, factors, first, second)
        png = cell_counts((first, factors[first]), (second, factors[second]), counts)
        told = f"{first} and {second}: {grid.num_empty:,} empty and {grid.num_rare:,} rare cells."
        found[f"cells_{first}_{second}"] = Picture(png, told)
    return found


def class_chart(audited: Audited) -> Picture:
    """Draws the training examples of every class."""
    counts = [each.counts["train"] for each in audited.classes]
    return Picture(class_counts(audited.manifest.class_names, counts, counts))


def _of_tie(audited: Audited, name: str) -> Groups:
    if name in audited.manifest.factors:
        return _of_factor(audited, name)
    (tie,) = (tie for tie in audited.ties if tie.factor == name)
    labels, train = audited.survey.examples.labels[audited.survey.train], audited.survey.train
    numbers = audited.survey.properties[name][train][:, 0]
    names = audited.manifest.class_names
    means = {label: float(numbers[labels == label].mean()) for label in np.unique(labels).tolist()}
    order = sorted(means, key=lambda label: (names[label] not in tie.classes, means[label]))
    return {
        f"'{names[label]}': {name.replace('_', ' ')} {means[label]:.3g} on average": _some(
            audited, labels == label
        )
        for label in order
    }


def _of_factor(audited: Audited, name: str) -> Groups:
    """Of some classes, examples with their most frequent value, and examples off the tie."""
    labels, codes = (
        audited.survey.examples.factors[each][audited.survey.train] for each in ("label", name)
    )
    table, values = factor_table(audited, name), audited.manifest.factors[name]
    groups: Groups = {}
    for label in np.flatnonzero(table.sum(axis=1))[: ROWS // 2].tolist():
        best, title = int(table[label].argmax()), f"'{audited.manifest.class_names[label]}'"
        on, off = table[label, best], table[label].sum() - table[label, best]
        inside = labels == label
        groups[f"{title} with '{values[best]}' ({on:,})"] = _some(audited, inside & (codes == best))
        groups[f"{title} with other {name} ({off:,})"] = _some(audited, inside & (codes != best))
    return groups


def _some(audited: Audited, mask: np.ndarray) -> np.ndarray:
    """Some training examples of a mask, drawn by their ids."""
    rows = np.flatnonzero(mask) + audited.survey.train.start
    return audited.survey.sample(rows, COLUMNS, "audit pictures")


def _of_copies(audited: Audited, name: str) -> Groups:
    kind = name.partition("/")[0]
    survey, classes = audited.survey, audited.manifest.class_names
    groups: Groups = {}
    for rows in order_groups(survey, getattr(audited.copies, kind))[:ROWS]:
        told = [f"{survey.split_of[row]} '{classes[survey.examples.labels[row]]}'" for row in rows]
        shown = ", ".join(dict.fromkeys(told))
        groups[f"{len(rows)} copies, first {survey.examples.ids[rows[0]]}: {shown}"] = rows
    return groups


def _of_labels(audited: Audited, name: str) -> Groups:
    suspects, classes = audited.suspects, audited.manifest.class_names
    labels = audited.survey.examples.labels[suspects.rows]
    groups: dict[str, list[int]] = {}
    for row, label, suggested in zip(suspects.rows, labels, suspects.suggested, strict=True):
        title = f"labelled '{classes[label]}', looks like '{classes[suggested]}'"
        groups.setdefault(title, []).append(int(row))
    ordered = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    return {f"{title} ({len(rows):,})": np.array(rows) for title, rows in ordered}


def _of_images(audited: Audited, name: str) -> Groups:
    return {"of one colour": np.flatnonzero(audited.survey.constant)}


SHEETS: dict[str, Callable[[Audited, str], Groups]] = {
    "tie": _of_tie,
    "duplicates": _of_copies,
    "labels": _of_labels,
    "images": _of_images,
}
CAPTIONS = {
    "tie": "Training images of some classes, drawn at random.",
    "duplicates": "A row a group of copies, those with several labels or splits first.",
    "labels": "Images whose label is doubted, the most frequent confusions first.",
    "images": "Images of one colour.",
}
"""What each kind of finding shows, by the beginning of its key."""
