"""Puts together the report of a generated data set: pictures, counts and measured numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment import LatentSpec, QualityGate, find_recipe
from latentloom.model_zoo.bundle import Bundle, load_bundle
from latentloom.model_zoo.training.checkpoints import read_history
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.coverage_file import read_change
from latentloom.pipeline.dataset.details import BundleDetails, GeneratedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.dataset.sampling import one_per_class
from latentloom.pipeline.evaluation.decoded.copies import draw_nearest
from latentloom.pipeline.evaluation.decoded.exchange import can_exchange, exchange_blocks
from latentloom.pipeline.evaluation.decoded.recombinations import (
    Recombinations,
    draw_recombinations,
    grid_of,
    measure_cells,
    measure_recombinations,
    sheet_of,
)
from latentloom.pipeline.evaluation.decoded.variants import (
    VariantSample,
    draw_sample,
    measure_variants,
)
from latentloom.pipeline.evaluation.latents.class_probes import find_weak_judges
from latentloom.pipeline.evaluation.latents.traversal import draw_traversals, sheet_caption
from latentloom.pipeline.report.charts.bars_and_curves import class_counts, loss_curves, rejections
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.page import write_report
from latentloom.pipeline.report.pictures.protocol import GRID_ROWS
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.storage.files import Location, local_folder

READ_AT_MOST = 20_000
"""Real examples that the figures of a report are drawn from."""
CAPTIONS = {
    "recombinations": "Right, a recombination before the gate; left of it, the real images that "
    "gave its factors, each with the value it gave. Those with a red frame are rejected.",
    "nearest": "Left, of every class what was made that is nearest to a real example, before the "
    "gate; right, its nearest real examples, nearest first. What is the same is a copy.",
    "cells": "Examples of each combination of two factors, before and after; a cross is a "
    "combination without any.",
}


def report_on(config: Config, data: Location, model: Location, out: Location) -> Report:
    """Measures a sample of variants and writes `report.html` and `report.json` into `out`.

    Args:
        config: The configuration that the data set was generated with.
        data: The data set directory that it was made from.
        model: The bundle directory.
        out: The generated data set directory.

    Returns:
        The report.
    """
    with local_folder(model) as folder:
        bundle, history = load_bundle(folder), read_history(folder / "history.csv")
    source, generated = DatasetDir.open(data), DatasetDir.open(out)
    examples = read_some(source, config.generate.split)
    codec = Codec(bundle)
    change = read_change(out)
    drawn, sample = None, None
    if find_recipe(config.generate.recipe).fills_cells and change:
        drawn = draw_recombinations(codec, examples, config, change[0])
        numbers = measure_recombinations(drawn)
    else:
        sample = draw_sample(codec, examples, config.generate, config.evaluate)
        numbers = measure_variants(sample, examples)
    numbers += measure_cells(*change, config.generate.differ) if change else []
    numbers += [Measure.model_validate(m) for m in BundleDetails.read(bundle.details).figures]
    names = source.manifest.class_names
    pictures = {"variants": _variants(names, sample, codec)} if sample else {}
    if drawn and change:
        pictures["recombinations"] = sheet_of(drawn, change[0])
    if change and len(change[0].names) > 1:
        pictures["cells"] = grid_of(*change)
    if nearest := _nearest(drawn, sample, examples, codec):
        pictures["nearest"] = nearest
    if can_exchange(codec.spec):
        gate = QualityGate(config.generate.gate.min_confidence)
        anchors = sample.anchors if sample else examples
        pictures["exchange"] = _exchange(names, anchors, codec, gate)
    sheets = _traversals(config, sample, codec) if sample else {}
    pictures |= sheets
    captions = {name: text for name, text in _captions(codec).items() if name in pictures}
    captions |= dict.fromkeys(sheets, sheet_caption(codec))
    report = _compose(config, source.manifest, generated.manifest, bundle, numbers, captions)
    write_report(out, report, pictures | _charts(report, history))
    return report


def read_some(dataset: DatasetDir, split: str) -> Examples:
    """The first `READ_AT_MOST` readable examples; shards are mixed, so that they are a sample."""
    parts: list[Examples] = []
    for index in range(len(dataset.shards(split))):
        for examples, _ in dataset.iter_shard(split, index):
            parts.append(examples)
            if sum(map(len, parts)) >= READ_AT_MOST:
                return Examples.concatenate(parts).take(np.arange(READ_AT_MOST))
    return Examples.concatenate(parts)


def _compose(
    config: Config,
    source: Manifest,
    generated: Manifest,
    bundle: Bundle,
    numbers: list[Measure],
    captions: dict[str, str],
) -> Report:
    split = config.generate.split
    before, made = source.label_counts(split), generated.label_counts(split)
    return Report(
        title=f"Variants of {source.name}, recipe {config.generate.recipe}",
        summary=[*_summary(generated, numbers), *find_weak_judges(numbers)],
        numbers=numbers,
        class_names=source.class_names,
        counts_before=before,
        counts_after={name: before[name] + made[name] for name in before},
        rejections=GeneratedDetails.read(generated.details).rejections,
        totals=generated.totals,
        captions=captions,
        config_yaml=config.to_yaml(),
        versions=generated.versions,
        bundle_digest=bundle.digest,
        shards=generated.splits[split],
        notes=[
            "The auditor that scores was trained with another seed and on another half of the "
            "training data than the judge that gates. Neither saw the test split.",
            "Class figures and diversity are measured on a sample of anchors, first attempts "
            "only; the counts are those of the whole run.",
        ],
    )


def _summary(generated: Manifest, numbers: list[Measure]) -> list[str]:
    totals, values = generated.totals, {measure.name: measure.value for measure in numbers}
    opening = (
        f"{totals['written']:,} of {totals['requested']:,} variants were written; "
        f"{totals['rejected']:,} were given up and {totals['dead']:,} had no readable anchor."
    )
    before, after = values["Class kept, before the gate"], values["Class kept, after the gate"]
    kept = f"An independent auditor reads the anchor's class in {before:.1%} of all candidates"
    if after is not None:
        kept += f" and in {after:.1%} of those that pass the gate"
    return [opening, kept + "."]


def _variants(names: Sequence[str], sample: VariantSample, codec: Codec) -> bytes:
    accepted = sample.verdicts.accepted.reshape(sample.images.shape[:2])
    drawing = pictures_of(codec.kind, codec.bundle.vocabulary)
    return drawing.variants(sample.anchors, sample.images, accepted, names)


def _traversals(config: Config, sample: VariantSample, codec: Codec) -> dict[str, bytes]:
    """One anchor on its way along the axes that the recipe moves along, if it does."""
    generate, anchors = config.generate, sample.anchors
    axes = find_recipe(generate.recipe).traversed(codec.spec, generate.options)
    latents = codec.encode(anchors.images) if axes else {}
    return draw_traversals(codec, anchors, latents, generate, axes)


def _nearest(
    drawn: Recombinations | None, sample: VariantSample | None, examples: Examples, codec: Codec
) -> bytes | None:
    """What was made that is nearest to a real example, of every class."""
    figures = pictures_of(codec.kind, codec.bundle.vocabulary)
    if drawn:
        labels = drawn.plan.factors["label"]
        return draw_nearest(figures, drawn.images, labels, examples.images)
    if sample:
        labels = sample.anchors.labels
        return draw_nearest(figures, sample.images[:, 0], labels, examples.images)
    return None


def _exchange(names: Sequence[str], anchors: Examples, codec: Codec, gate: QualityGate) -> bytes:
    exchange = exchange_blocks(codec, one_per_class(anchors, GRID_ROWS), gate)
    return pictures_of(codec.kind, codec.bundle.vocabulary).exchange(
        exchange.examples,
        exchange.images,
        exchange.accepted,
        names,
        _parts(codec.spec),
        anchors.images,
    )


def _captions(codec: Codec) -> dict[str, str]:
    """What to write below any of the pictures."""
    return pictures_of(codec.kind, codec.bundle.vocabulary).captions(_parts(codec.spec)) | CAPTIONS


def _parts(spec: LatentSpec) -> tuple[str, str]:
    """Names of the blocks that carry the class, and of the others."""
    return ", ".join(spec.carriers("label")), ", ".join(spec.free_of("label"))


def _charts(report: Report, history: Mapping[str, list[float]]) -> dict[str, bytes]:
    charts = {
        "class_counts": class_counts(
            report.class_names,
            [report.counts_before[name] for name in report.class_names],
            [report.counts_after[name] for name in report.class_names],
        ),
        "loss_curves": loss_curves(history),
    }
    if report.reasons:
        charts["rejections"] = rejections(report.class_names, report.rejections_by_reason())
    return charts
