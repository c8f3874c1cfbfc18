"""The page of an audit: the verdict, a section for each finding, and all that was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from latentloom.pipeline.auditing.audited import REPAIR_FILE, Audited
from latentloom.pipeline.auditing.findings.classes import find_few, find_sparse
from latentloom.pipeline.auditing.findings.examples import (
    find_constant,
    find_copies_and_leaks,
    find_doubtful_labels,
)
from latentloom.pipeline.auditing.findings.ties import find_ties
from latentloom.pipeline.auditing.measures.duplicates import describe_copies
from latentloom.pipeline.auditing.measures.label_suspects import (
    FEWEST_OF_CLASS,
    LEAST_ACCURACY,
    describe_suspects,
)
from latentloom.pipeline.auditing.pictures import class_chart, heat_maps, picture_of
from latentloom.pipeline.auditing.schema import MOST_LISTED, AuditReport, DuplicateTotals, Finding
from latentloom.pipeline.dataset.manifest import library_versions
from latentloom.pipeline.report.schema import PageSection, Picture, Table

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
            *_measured(audited, totals, list(maps), repair),
        ],
        notes=_notes(audited),
        class_names=manifest.class_names,
        measured_on={
            "data_set": manifest.name,
            "data_digest": manifest.digest,
            **{split: rows.stop - rows.start for split, rows in survey.splits.items()},
        },
        versions=library_versions(),
        seed=survey.seed,
        findings=findings,
        ties=audited.ties,
        classes=audited.classes,
        imbalance=audited.imbalance,
        cells=audited.cells,
        duplicates=groups,
        duplicate_totals=totals,
        label_suspects=describe_suspects(survey, audited.suspects, manifest.class_names),
        suspects_total=len(audited.suspects.rows),
        constant=_constant(audited),
        properties=audited.properties,
        repair_sha256=hashlib.sha256(repair.encode()).hexdigest(),
    )
    return report, pictures


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
        f"{len(manifest.class_names):,} classes and {len(manifest.factors) - 1} further factors."
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


def _measured(
    audited: Audited, totals: Mapping[str, DuplicateTotals], maps: Sequence[str], repair: str
) -> list[PageSection]:
    """The sections of figures that follow the findings."""
    sections = [
        PageSection(
            title="Dependence of the label",
            text=[
                "Every factor and every property of the images, in split train. Strength is "
                "Cramer's V of a given factor, and else the largest correlation of a group of "
                "classes with a group of values; accuracy is that of the label read from it alone."
            ],
            tables=[_ties(audited)],
        ),
        PageSection(title="Classes", charts=["classes"], tables=[_classes(audited)]),
    ]
    if maps:
        text = ["A cross marks a cell without a training example."]
        sections.append(PageSection(title="Cells", text=text, charts=list(maps)))
    if audited.properties:
        sections.append(PageSection(title="Properties of images", tables=[_properties(audited)]))
    sections.append(PageSection(title="Copies and labels", tables=[_copies(audited, totals)]))
    what = f"{REPAIR_FILE}, for `train` and `generate`:"
    sections.append(
        PageSection(title="Repair", text=[what], commands=[*audited.commands, "", repair])
    )
    return sections


def _ties(audited: Audited) -> Table:
    rows = [
        [
            tie.factor,
            tie.kind,
            "yes" if tie.found else "no",
            f"{tie.strength:.2f}",
            f"{tie.p_value:.2g}",
            f"{tie.accuracy:.2f}",
            f"{tie.chance:.2f}",
            f"{tie.mutual_information:.2f}",
        ]
        for tie in audited.ties
    ]
    columns = ["factor", "kind", "tie", "strength", "p", "accuracy", "chance", "nats"]
    return Table(title="Factors and properties", columns=columns, rows=rows)


def _classes(audited: Audited) -> Table:
    splits = list(audited.manifest.splits)
    rows = [
        [
            each.name,
            *(f"{each.counts[split]:,}" for split in splits),
            f"{each.effective_number:,.0f}",
            "; ".join(each.lacks),
        ]
        for each in sorted(audited.classes, key=lambda each: not each.lacks)[:MOST_LISTED]
    ]
    columns = ["class", *splits, "effective number", "too few"]
    ratios = ", ".join(f"{ratio:.3g} in {split}" for split, ratio in audited.imbalance.items())
    return Table(title=f"Largest over smallest: {ratios}", columns=columns, rows=rows)


def _properties(audited: Audited) -> Table:
    rows = [
        [
            each.name.replace("_", " "),
            each.meaning,
            ("yes" if each.differs else "no") if each.known else "not known",
            f"{each.between:.2f}" if each.known else "",
        ]
        for each in audited.properties
    ]
    columns = ["property", "what it is", "differs between classes", "share between classes"]
    return Table(title="In split train", columns=columns, rows=rows)


def _copies(audited: Audited, totals: Mapping[str, DuplicateTotals]) -> Table:
    rows = [
        [
            f"{kind} copies",
            f"{total.groups:,} groups, {total.surplus:,} more than one of each",
            ", ".join(f"{count:,} in {split}" for split, count in total.leaked.items() if count),
            f"{total.conflicting:,}",
        ]
        for kind, total in totals.items()
    ]
    columns = ["", "found", "with a copy in train", "groups with several labels"]
    rows.append(["doubtful labels", f"{len(audited.suspects.rows):,}", "", ""])
    return Table(title="In all splits", columns=columns, rows=rows)


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
