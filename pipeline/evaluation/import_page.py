"""The page of an import that was only tried: what it would write and leave out, with pictures."""

from __future__ import annotations

import os

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.changes import told_changes
from latentloom.pipeline.importing.preview import ImportPreview
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.report.page import write_report
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownExamples
from latentloom.pipeline.report.schema import Picture, Report, Table

SUFFIX = ".import"
"""Stands after the name of the data set in the names of both files."""


def write_import_page(preview: ImportPreview, out: str) -> str:
    """Writes the page and its data beside the data set that an import would write.

    Args:
        preview: What the import would write.
        out: Directory of the data set; need not exist.

    Returns:
        Path of the page.

    Raises:
        FileExistsError: Somebody else wrote or changed a file of one of these names.
    """
    folder, base = os.path.split(out.rstrip("/"))
    name = f"{base}{SUFFIX}"
    report = Report(
        title=f"{preview.name}: what an import would write",
        summary=summary_of(preview),
        class_names=preview.source.factors["label"],
        tables=[_classes(preview), *_left_out(preview)],
    )
    write_report(folder or ".", report, _pictures(preview), name)
    return os.path.join(folder, f"{name}.html")


def summary_of(preview: ImportPreview) -> list[str]:
    """Says in sentences what an import would write and what becomes of images."""
    source, totals = preview.source, preview.totals
    kind = KINDS[source.observation]
    counts = ", ".join(f"{sum(of):,} in {split}" for split, of in preview.counts.items())
    shape = " x ".join(map(str, source.observation_shape))
    factors = ", ".join(f"{name} ({len(values)})" for name, values in source.factors.items())
    return [
        f"{totals['written']:,} of {totals['requested']:,} {kind.many} of {shape}: {counts}. "
        f"Factors, with the number of their values: {factors}.",
        *told_changes(preview.details.changes, totals["written"]),
    ]


def _classes(preview: ImportPreview) -> Table:
    rows = [
        [name, *(f"{of[label]:,}" for of in preview.counts.values())]
        for label, name in enumerate(preview.source.factors["label"])
    ]
    return Table(title="Examples of each class", columns=["class", *preview.counts], rows=rows)


def _left_out(preview: ImportPreview) -> list[Table]:
    details = preview.details
    rows = [[reason, f"{sum(of.values()):,}", ""] for reason, of in details.left_out.items()]
    for label, dead in details.dead_by_class.items():
        of_class = f"unusable, of class '{label}'" if label else "unusable"
        rows.append([f"{of_class}: {dead['reason']}", f"{dead['count']:,}", dead["first"]])
    for reason, count in details.ignored.items():
        rows.append([reason, f"{count:,}", details.first_ignored.get(reason, "")])
    table = Table(title="What is left out", columns=["reason", "number", "the first"], rows=rows)
    return [table] if rows else []


def _pictures(preview: ImportPreview) -> dict[str, Picture]:
    names, train = preview.source.factors["label"], preview.counts["train"]
    changes = preview.details.changes
    sheets = {
        "examples": {f"{names[c]} ({train[c]:,})": some for c, some in preview.examples.items()},
        "changed": {f"{k} ({changes[k].count:,})": some for k, some in preview.changed.items()},
    }
    return {name: _sheet(preview, groups) for name, groups in sheets.items() if groups}


def _sheet(preview: ImportPreview, groups: dict[str, Examples]) -> Picture:
    pictures = pictures_of(KINDS[preview.source.observation], preview.vocabulary)
    ends = np.cumsum([len(some) for some in groups.values()])
    rows = np.split(np.arange(ends[-1]), ends[:-1])
    examples = Examples.concatenate(list(groups.values()))
    return pictures.examples(ShownExamples(examples, rows, list(groups)))
