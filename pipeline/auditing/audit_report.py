"""The page of an audit: the verdict, a section for each finding, and all that was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from latentloom.pipeline.auditing.audited import Audited
from latentloom.pipeline.auditing.figure_sections import figure_sections
from latentloom.pipeline.auditing.findings.classes import find_few, find_sparse
from latentloom.pipeline.auditing.findings.examples import (
    find_constant,
    find_copies_and_leaks,
    find_doubtful_labels,
)
from latentloom.pipeline.auditing.findings.ties import find_ties
from latentloom.pipeline.auditing.findings.wording import counted
from latentloom.pipeline.auditing.measures.duplicates import describe_copies
from latentloom.pipeline.auditing.measures.label_suspects import (
    FEWEST_OF_CLASS,
    LEAST_ACCURACY,
    describe_suspects,
)
from latentloom.pipeline.auditing.pictures import class_chart, heat_maps, picture_of
from latentloom.pipeline.auditing.schema import MOST_LISTED, AuditReport, DuplicateTotals, Finding
from latentloom.pipeline.dataset.manifest import library_versions
from latentloom.pipeline.report.schema import PageSection, Picture

MOST_TOLD = 6
"""Most findings that the summary names."""


def compose(audited: Audited, repair: str) -> tuple[AuditReport, dict[str, Picture]]:
    """Composes the report and its pictures.

    Args:
        audited: What was measured.
        repair: Text of `repair.yaml`.
    """
    manifest, survey = audited.manifest, audited.survey
    groups, totals = describe_copies(survey, audited.copies, manifest.class_names)
    findings = all_findings(audited, totals)
    pictures = {finding.key: picture_of(audited, finding) for finding in findings}
    pictures = {key: picture for key, picture in pictures.items() if picture is not None}
    maps = heat_maps(audited)
    pictures |= {"classes": class_chart(audited)} | maps
    report = AuditReport(
        title=f"Audit of {manifest.name}",
        summary=_verdict(audited, findings),
        sections=[
            *(_section(finding, pictures) for finding in findings),
            *figure_sections(audited, totals, list(maps), repair),
        ],
        notes=_notes(audited),
        class_names=manifest.class_names,
        measured_on=_measured_on(audited),
        versions=library_versions(),
        seed=survey.seed,
        findings=findings,
        duplicates=groups,
        duplicate_totals=totals,
        repair_sha256=hashlib.sha256(repair.encode()).hexdigest(),
        **_lists(audited),
    )
    return report, pictures


def _lists(audited: Audited) -> dict[str, Any]:
    """The lists of the report that come straight from what was measured."""
    names = audited.manifest.class_names
    return {
        "ties": audited.ties,
        "classes": audited.classes,
        "imbalance": audited.imbalance,
        "cells": audited.cells,
        "label_suspects": describe_suspects(audited.survey, audited.suspects, names),
        "suspects_total": len(audited.suspects.rows),
        "constant": _constant(audited),
        "properties": audited.properties,
    }


def _measured_on(audited: Audited) -> dict[str, int | str]:
    manifest, splits = audited.manifest, audited.survey.splits
    sizes = {split: rows.stop - rows.start for split, rows in splits.items()}
    return {"data_set": manifest.name, "data_digest": manifest.digest, **sizes}


def all_findings(audited: Audited, totals: Mapping[str, DuplicateTotals]) -> list[Finding]:
    """Returns all that is wrong with the data, the worst first."""
    found = [
        *find_ties(audited),
        *find_few(audited),
        *find_sparse(audited),
        *find_copies_and_leaks(audited, totals),
        *find_doubtful_labels(audited),
        *find_constant(audited),
    ]
    return sorted(found, key=lambda finding: -finding.severity)


def _verdict(audited: Audited, findings: Sequence[Finding]) -> list[str]:
    manifest = audited.manifest
    seen = (
        f"Looked at {len(audited.survey.examples):,} {audited.many} of "
        f"{counted(len(manifest.class_names), 'class', 'es')} with "
        f"{counted(len(manifest.factors) - 1, 'further factor')}."
    )
    if not findings:
        return ["Nothing was found that would mislead a classifier.", seen]
    more = len(findings) - MOST_TOLD
    return [
        f"{findings[0].title}. {findings[0].effect}",
        *(f"{finding.title}." for finding in findings[1:MOST_TOLD]),
        *([f"And {more} more."] if more > 0 else []),
        seen,
    ]


def _section(finding: Finding, pictures: Mapping[str, Picture]) -> PageSection:
    return PageSection(
        title=finding.title,
        text=[
            finding.what,
            f"How sure: {finding.sure}",
            f"What it does: {finding.effect}",
            f"What to do: {finding.repair}",
        ],
        commands=finding.commands,
        pictures=[finding.key] if finding.key in pictures else [],
    )


def _constant(audited: Audited) -> dict[str, list[str]]:
    survey, found = audited.survey, {}
    for split, rows in audited.survey.splits.items():
        constant = survey.constant[rows].nonzero()[0] + rows.start
        if len(constant):
            found[split] = [survey.examples.ids[row] for row in constant[:MOST_LISTED]]
    return found


def _notes(audited: Audited) -> list[str]:
    """What the audit did not do, and why."""
    survey, suspects, notes = audited.survey, audited.suspects, []
    if not survey.is_of_images:
        notes.append(
            f"The observations are {audited.many}, no images: properties, near copies, images of "
            "one colour and pictures are left out."
        )
    if len(audited.manifest.factors) == 1:
        notes.append("The data have no factor besides the label: there are no cells to look at.")
    if not suspects.classified:
        notes.append(
            f"Labels were not doubted: fewer than two classes have {FEWEST_OF_CLASS} examples."
        )
    elif suspects.is_weak:
        accuracies = " and ".join(f"{accuracy:.2f}" for accuracy in suspects.accuracies)
        notes.append(
            f"Labels were not doubted: two small classifiers read them with balanced accuracies of "
            f"{accuracies}, below {LEAST_ACCURACY:g}, so most of what they contradict is right."
        )
    if suspects.off_ties:
        notes.append(
            f"{suspects.off_ties:,} labels were not doubted: the classifiers contradict them, but "
            "prefer the class that a tie stands for, and so have learnt the tie."
        )
    if suspects.classified and suspects.classified < len(survey.examples):
        notes.append(
            f"Labels were doubted in a sample of {suspects.classified:,} examples, of classes with "
            f"{FEWEST_OF_CLASS} or more."
        )
    if not audited.copies.is_whole:
        notes.append("There are too many images, or too many alike, to look for all near copies.")
    return notes
