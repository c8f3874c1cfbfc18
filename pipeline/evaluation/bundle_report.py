"""The report of an evaluation: what is said beside its figures and pictures."""

from __future__ import annotations

import keras

from latentloom.model_zoo.bundle import Bundle
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import library_versions
from latentloom.pipeline.evaluation.decoded.copies import CAPTION, MOST_DRAWS
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.axes import FactorCodes, axis_caption, note_factor_codes
from latentloom.pipeline.evaluation.factors.blocks import TABLE_CAPTION
from latentloom.pipeline.evaluation.latents.class_probes import find_weak_judges
from latentloom.pipeline.evaluation.latents.code_map import map_caption
from latentloom.pipeline.evaluation.latents.information import (
    CodeInformation,
    caption_code_information,
    describe_axes,
    note_code_information,
)
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import FigureTable, Report, Table


def compose(
    *,
    config: Config,
    dataset: DatasetDir,
    bundle: Bundle,
    held_out: EncodedExamples,
    factor_codes: FactorCodes,
    information: CodeInformation,
    probe_examples: int,
    numbers: list[Measure],
    tables: list[Table],
    unseen_combinations: list[FigureTable],
    pictures: list[str],
) -> Report:
    """Puts together what was measured and drawn, with its captions and notes."""
    manifest = dataset.manifest
    backend = keras.backend.backend()
    return Report(
        title=f"Evaluation of {bundle.model_name} on {manifest.name}",
        summary=[*_summary(held_out, numbers, manifest.name), *find_weak_judges(numbers)],
        numbers=numbers,
        axes=describe_axes(information),
        tables=tables,
        unseen_combinations=unseen_combinations,
        class_names=manifest.class_names,
        captions=_captions(held_out, factor_codes, information, pictures),
        measured_on={
            "data_set": manifest.name,
            "data_digest": manifest.digest,
            "split": held_out.name,
            "examples": len(held_out.examples),
            "probes_trained_on": min(probe_examples, config.evaluate.probe_examples),
        },
        config_yaml=config.to_yaml(),
        versions=library_versions() | library_versions((backend,)),
        bundle_digest=bundle.digest,
        notes=[
            *_notes(held_out, bundle, manifest.digest),
            *note_factor_codes(factor_codes),
            *note_code_information(information),
        ],
    )


def _summary(held_out: EncodedExamples, numbers: list[Measure], data: str) -> list[str]:
    values = {measure.name: measure.value for measure in numbers}
    own, free = " and ".join(held_out.carriers), " and ".join(held_out.free)
    if free:
        share = values[f"Swap: class follows {own}"]
        first = (
            f"Decoded from {own} of one {held_out.one} and {free} of one of another class, "
            f"{share:.1%} have the class of the first."
        )
    else:
        share = values[f"Prior accuracy, {own} refitted"]
        first = f"Of {held_out.many} drawn from the prior of a class {share:.1%} are read as it."
    return [
        first,
        f"Measured on {len(held_out.examples):,} {held_out.name} {held_out.many} of {data} that "
        "the model was not trained on.",
    ]


def _captions(
    held_out: EncodedExamples,
    factor_codes: FactorCodes,
    information: CodeInformation,
    pictures: list[str],
) -> dict[str, str]:
    captions = {
        "code_map": map_caption(held_out),
        "block_table": TABLE_CAPTION,
        "axis_table": axis_caption(factor_codes),
        "copies": CAPTION.format(count=min(len(held_out.examples), MOST_DRAWS)),
        **caption_code_information(information),
    }
    return {name: captions[name] for name in pictures}


def _notes(held_out: EncodedExamples, bundle: Bundle, digest: str) -> list[str]:
    notes = [
        "Sampled codes are what the decoder sees in training; mean codes are a sharper view of the "
        "same posterior. That classes mix on the map proves nothing: a probe may still tell them "
        "apart.",
        "The auditor, trained apart from the judge that gates, makes mistakes of its own: swap and "
        f"prior figures can hardly be above its accuracy on real {held_out.many}.",
    ]
    if held_out.name == "validation":
        notes.append(
            f"The data set has no test split. The validation {held_out.many} decided when the "
            "training of the model stopped, and half of them were trained on by the auditor."
        )
    trained_on = BundleDetails.read(bundle.details).data
    if trained_on is None or trained_on.digest != digest:
        notes.append("The bundle was trained on another data set than it is measured on.")
    return notes
