"""Completes a job: turns its finished shards into a data set."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence

from latentloom.pipeline.config import Config
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.card_facts import CARD_FILE
from latentloom.pipeline.dataset.coverage_file import COVERAGE_FILE, change_document
from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.directory import CONFIG_FILE, DEAD_LETTERS_FILE
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, TOTALS, Manifest, library_versions
from latentloom.pipeline.dataset.provenance import provenance_features
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.dataset.writing import write_manifest
from latentloom.pipeline.generation.card import render_card
from latentloom.pipeline.generation.job import GenerationJob, output_name
from latentloom.pipeline.generation.shard_report import ShardReport
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.report.advice import advise
from latentloom.pipeline.report.outcome import Outcome


def complete(job: GenerationJob, reports: Sequence[ShardReport], config: Config) -> None:
    """Turns finished shards into a data set: writes metadata, card, and the manifest last.

    Raises:
        RuntimeError: Too many records were unreadable, or nothing was written.
    """
    check_budget(job, reports)
    source = Manifest.read(os.path.join(job.data, MANIFEST_FILE))
    check_yield(job.settings, reports, source)
    manifest = make_manifest(job, source, reports, config)
    others = [name for name in job.plan.judged if name != "label"]
    texts = {
        DEAD_LETTERS_FILE: dead_letter_lines(reports),
        CARD_FILE: render_card(job.out, manifest, others),
        CONFIG_FILE: config.to_yaml(),
    }
    if job.plan.coverage is not None:
        cells = [report.cells for report in reports]
        texts[COVERAGE_FILE] = change_document(job.plan.coverage, cells)
    metadata = metadata_files(manifest, provenance_features(job.plan.judged))
    files = metadata | {name: text.encode() for name, text in texts.items()}
    write_manifest(job.out, manifest, files)


def check_budget(job: GenerationJob, reports: Sequence[ShardReport]) -> None:
    """Raises if the unreadable share of the input records exceeds the failure budget."""
    dead = [letter for report in reports for letter in report.dead_letters]
    total = sum(report.examples for report in reports) + len(dead)
    if len(dead) > job.settings.failure_budget * total:
        raise RuntimeError(
            "Too many input records could not be read. Expected: at most a share of "
            f"{job.settings.failure_budget}. Received: {len(dead)} of {total}, the first being "
            f"record {dead[0]['record']} of '{dead[0]['shard']}': {dead[0]['reason']}. Repair the "
            "input (`latentloom verify` lists the errors) or raise `generate.failure_budget`."
        )


def check_yield(settings: GenerateConfig, reports: Sequence[ShardReport], source: Manifest) -> None:
    """Raises if a run wrote no variant, since a data set must have an example."""
    if any(report.entry.records for report in reports):
        return
    outcome = Outcome(
        settings=settings,
        requested=sum(sum(report.requested) for report in reports),
        written={},
        rejections=_rejections(reports, source.class_names),
        dead=sum(sum(report.dead) for report in reports),
        has_detail=KINDS[source.observation].has_detail,
    )
    raise RuntimeError(
        "No variant was written. Expected: at least one that the gate accepts. Received: "
        f"{sum(sum(report.rejected) for report in reports)} rejected variants. "
        f"{' '.join(advise(outcome))}"
    )


def make_manifest(
    job: GenerationJob, source: Manifest, reports: Sequence[ShardReport], config: Config
) -> Manifest:
    """The manifest of the output: its shards, its totals, and where it came from."""
    totals = Counter({name: 0 for name in TOTALS})
    for report in reports:
        totals.update(report.totals)
    return Manifest(
        kind="generated",
        name=output_name(source, job.settings),
        observation=source.observation,
        observation_shape=source.observation_shape,
        factors={name: source.factors[name] for name in job.plan.written},
        vocabulary=source.vocabulary,
        splits={job.settings.split: [report.entry for report in reports]},
        source={
            "description": f"Variants of '{source.name}' by the recipe {job.settings.recipe}.",
            "data": source.name,
            "shards": [task.sha256 for task in job.tasks],
        },
        versions=library_versions(),
        totals=dict(totals),
        details=GeneratedDetails(
            job=job.digest,
            bundle_digest=job.bundle_digest,
            trained_on=job.trained_on,
            config=config.model_dump(),
            candidates=sum(sum(report.candidates) for report in reports),
            rejections=_rejections(reports, source.class_names),
            unreadable_records=sum(len(report.dead_letters) for report in reports),
            hold_out=job.hold_out.to_dict(),
        ).model_dump(),
    )


def _rejections(reports: Sequence[ShardReport], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Candidates that the gate rejected: `{class: {reason: count}}`."""
    by_class: dict[str, Counter] = {}
    for report in reports:
        for label, by_reason in report.rejections.items():
            by_class.setdefault(names[int(label)], Counter()).update(by_reason)
    return {name: dict(counts) for name, counts in by_class.items()}


def dead_letter_lines(reports: Sequence[ShardReport]) -> str:
    """Returns one JSON line per unreadable input record."""
    letters = [letter for report in reports for letter in report.dead_letters]
    return "".join(json.dumps(letter) + "\n" for letter in letters)
