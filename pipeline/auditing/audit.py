"""The verb `audit`: finds what a data set lacks and what is wrong with it, before any training."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from latentloom.pipeline.auditing.audit_report import compose
from latentloom.pipeline.auditing.audited import REPAIR_FILE, Audited
from latentloom.pipeline.auditing.measures.cells import audit_cells
from latentloom.pipeline.auditing.measures.classes import audit_classes, imbalance
from latentloom.pipeline.auditing.measures.duplicates import find_copies
from latentloom.pipeline.auditing.measures.label_suspects import find_suspects
from latentloom.pipeline.auditing.measures.properties import describe_properties
from latentloom.pipeline.auditing.measures.ties import measure_ties
from latentloom.pipeline.auditing.missing import find_missing
from latentloom.pipeline.auditing.repair import repair_text
from latentloom.pipeline.auditing.schema import AuditReport
from latentloom.pipeline.auditing.survey import survey
from latentloom.pipeline.dataset.details import ImportedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.report.page import report_files, write_report
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import Location, exists, sha256_file
from latentloom.pipeline.storage.output_directories import check_apart, replaced_when_complete
from latentloom.pipeline.storage.ownership import OutputKind, read_object
from latentloom.pipeline.terminal.progress import ProgressDisplay, silent_display

PAGE = "audit"


def audit_files(path: str) -> Collection[str] | None:
    """Returns the names of the files of an audit in a folder; None if there is no audit."""
    ours, repair = report_files(path, PAGE), os.path.join(path, REPAIR_FILE)
    told = read_object(os.path.join(path, f"{PAGE}.json")).get("repair_sha256")
    if ours is None or told is None:
        return None
    return [*ours, *([REPAIR_FILE] if exists(repair) and sha256_file(repair) == told else [])]


AUDIT = OutputKind(
    name="audit",
    listed=audit_files,
    patterns=(f"{PAGE}.html", f"{PAGE}.json", REPAIR_FILE),
)
"""What `audit` writes."""


def audit(
    data: Location,
    out: Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    display: ProgressDisplay | None = None,
) -> AuditReport:
    """Audits a data set; writes `audit.html`, `audit.json` and `repair.yaml`.

    Args:
        data: Data set directory, imported or generated.
        out: Output directory.
        seed: Seed of samples, folds and permutations.
        overwrite: Whether to replace an earlier audit in `out`.
        display: Where to show progress; nowhere by default.

    Returns:
        The report.

    Raises:
        FileExistsError: `out` is not empty and `overwrite` was not given.
        FileNotFoundError: The data set is missing.
        ValueError: The data set is damaged, or has no training examples.
    """
    dataset = DatasetDir.open(data)
    check_apart(out, {"DATA": data})
    display = display or silent_display()
    with replaced_when_complete(
        os.fspath(out), AUDIT, last=f"{PAGE}.json", overwrite=overwrite
    ) as folder:
        audited = measure(dataset, os.fspath(out), seed, display)
        repair = repair_text(audited)
        report, pictures = compose(audited, repair)
        write_atomic(os.path.join(folder, REPAIR_FILE), repair)
        write_report(folder, report, pictures, PAGE)
    return report


def measure(dataset: DatasetDir, out: str, seed: int, display: ProgressDisplay) -> Audited:
    """Measures all that an audit reports, step by step."""
    manifest, factors = dataset.manifest, dataset.manifest.factors
    with display.stage("read") as advance:
        seen = survey(dataset, seed, advance)
    with display.stage("compare images") as advance:
        copies = find_copies(seen, advance)
    ties = measure_ties(seen, factors, _measured(dataset))
    with display.stage("classify") as advance:
        suspects = find_suspects(seen, manifest.observation, ties, advance)
    cells, ratios = audit_cells(seen, factors), imbalance(manifest)
    return Audited(
        dataset=dataset,
        out=out,
        survey=seen,
        ties=ties,
        classes=audit_classes(manifest),
        imbalance=ratios,
        cells=cells,
        copies=copies,
        suspects=suspects,
        properties=describe_properties(seen, ties, manifest.class_names),
        missing=find_missing(seen, factors, ties, cells, ratios),
    )


def _measured(dataset: DatasetDir) -> list[str]:
    """Names of the factors that an import measured from pixels."""
    if dataset.manifest.kind != "imported":
        return []
    return list(ImportedDetails.read(dataset.manifest.details).terciles)
