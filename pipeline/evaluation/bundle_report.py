"""The report of an evaluation: results of its sections, summary, notes and provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.folds import FOLLOWS_SHARE
from latentloom.pipeline.dataset.manifest import library_versions
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.class_probes import find_doubts
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure, by_key
from latentloom.pipeline.report.schema import FigureTable, Picture, Report, Table

FIRST = ("code_map", "block_table", "axis_table")
"""Pictures at the top of the page; all others follow in the order of their sections."""


def compose(context: EvaluationContext, result: SectionResult) -> Report:
    """Composes the report from the results of the sections; captions come with the pictures."""
    manifest, config, bundle = context.manifest, context.config, context.codec.bundle
    encoded, numbers = context.encoded, list(result.measures)
    return Report(
        title=f"Evaluation of {bundle.model_name} on {manifest.name}",
        summary=[*_summary(encoded, numbers, manifest.name), *find_doubts(numbers)],
        numbers=numbers,
        axes=dict(result.axes),
        tables=[table for table in result.tables if isinstance(table, Table)],
        unseen_combinations=[t for t in result.tables if isinstance(t, FigureTable)],
        class_names=manifest.class_names,
        measured_on={
            "data_set": manifest.name,
            "data_digest": manifest.digest,
            "split": encoded.name,
            "examples": len(encoded.examples),
            "probes_trained_on": min(len(context.train), config.evaluate.probe_examples),
        },
        config_yaml=config.to_yaml(),
        versions=library_versions() | library_versions((keras.backend.backend(),)),
        bundle_digest=bundle.digest,
        notes=[*_notes(context), *result.notes],
    )


def in_page_order(pictures: Mapping[str, Picture]) -> dict[str, Picture]:
    """Pictures in the order of the page."""
    return {n: pictures[n] for n in (*FIRST, *pictures) if n in pictures}


def _summary(encoded: EncodedExamples, numbers: Sequence[Measure], data: str) -> list[str]:
    found = by_key(numbers)
    own, free = " and ".join(encoded.carriers), " and ".join(encoded.free)
    if free:
        share = found["swap/own"].percent
        first = (
            f"If {own} comes from one {encoded.one} and {free} from another of a different class, "
            f"the auditor classifies {share} as the class of the first."
        )
    else:
        share = found["prior/refitted"].percent
        first = (
            f"Of {encoded.many} drawn from the prior of a class, the auditor classifies "
            f"{share} as that class."
        )
    return [
        first,
        f"Measured on {len(encoded.examples):,} {encoded.name} {encoded.many} of "
        f"{len(np.unique(encoded.labels)):,} classes of {data} that the model was not trained on.",
    ]


def _notes(context: EvaluationContext) -> list[str]:
    encoded = context.encoded
    notes = [
        "The decoder is trained on sampled codes; mean codes are a sharper view of the same "
        "posterior. Classes that mix on the map may still be separable by a probe.",
        "The auditor is trained independently of the judge, which gates, and makes its own "
        f"mistakes: its accuracy on real {encoded.many} limits the swap and prior figures.",
    ]
    if encoded.name == "validation":
        notes.append(
            f"The data set has no test split. The validation {encoded.many} decided when the "
            "training of the model stopped, and the auditor was trained on half of them; its own "
            "accuracy is measured on the other half of the training split."
        )
    details = BundleDetails.read(context.codec.bundle.details)
    if encoded.name == "validation" and _shared_otherwise(context, details):
        notes.append(
            f"The bundle is of an earlier version, which took fewer validation {encoded.many} of "
            f"classes below {FOLLOWS_SHARE}: it was trained on some of these. Train it again."
        )
    trained_on = details.data
    if trained_on is None or trained_on.digest != context.manifest.digest:
        notes.append("The bundle was trained on a different data set.")
    return notes


def _shared_otherwise(context: EvaluationContext, details: BundleDetails) -> bool:
    """Whether the training of a bundle had other validation examples than `divide` gives today.

    Figures without `n` are of versions in which small classes gave no validation example.
    """
    counts = context.manifest.label_counts("train").values()
    return min(counts) < FOLLOWS_SHARE and any("n" not in figure for figure in details.figures)
