"""Composes the report of a generated data set: pictures, counts and measured numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from latentloom.augment import Coverage, QualityGate, find_recipe
from latentloom.model_zoo.bundle import load_bundle
from latentloom.model_zoo.training.checkpoints import read_history
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.coverage_file import read_change
from latentloom.pipeline.dataset.details import BundleDetails, GeneratedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.dataset.writing import add_files
from latentloom.pipeline.evaluation.decoded.accuracy_score import measure_accuracy_score
from latentloom.pipeline.evaluation.decoded.by_class import draw_by_class
from latentloom.pipeline.evaluation.decoded.copies import draw_nearest
from latentloom.pipeline.evaluation.decoded.exchange import draw_exchange
from latentloom.pipeline.evaluation.decoded.fidelity import measure_accepted
from latentloom.pipeline.evaluation.decoded.recombinations import (
    draw_recombinations,
    measure_recombinations,
    sheet_of,
)
from latentloom.pipeline.evaluation.decoded.variants import (
    VariantSample,
    draw_sample,
    draw_variants,
    measure_variants,
)
from latentloom.pipeline.evaluation.factors.cells import report_cells
from latentloom.pipeline.evaluation.latents.class_probes import find_doubts
from latentloom.pipeline.evaluation.latents.traversal import draw_traversals
from latentloom.pipeline.evaluation.readable_examples import read_some, read_test
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.evaluation.variants_summary import outcome_of, summarise
from latentloom.pipeline.report.advice import bad_news
from latentloom.pipeline.report.charts.bars_and_curves import class_counts, loss_curves, rejections
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.page import render_report
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.schema import Picture, Report, Table
from latentloom.pipeline.storage.files import Location, local_folder
from latentloom.pipeline.terminal.progress import Advance, ProgressDisplay, silent_display

NEAREST = (
    "Left, the variants of each class nearest to a real example, before the gate; right, their "
    "nearest real examples, nearest first. An identical pair is a copy."
)


@dataclass(frozen=True)
class _Generation:
    """The inputs of a generated data set.

    Attributes:
        config: The configuration.
        codec: The codec of the bundle.
        examples: Some of the real examples.
        test: Some real test examples; none if there are none, or the variants are of these.
        change: The cells of the grid before and after, or None for data without a grid.
    """

    config: Config
    codec: Codec
    examples: Examples
    test: Examples
    change: tuple[Coverage, Coverage] | None


def report_on(
    config: Config,
    data: Location,
    model: Location,
    out: Location,
    display: ProgressDisplay | None = None,
) -> Report:
    """Measures a sample of variants and writes `report.html` and `report.json` into `out`.

    The caller holds the directory, as `generated` does, so that no other run replaces it meanwhile.

    Args:
        config: The configuration of the generation.
        data: The input data set directory.
        model: The bundle directory.
        out: The generated data set directory.
        display: Where to show progress; nowhere by default.

    Returns:
        The report.
    """
    with local_folder(model) as folder:
        bundle, history = load_bundle(folder), read_history(folder / "history.csv")
    source, generated = DatasetDir.open(data), DatasetDir.open(out)
    examples = read_some(source, config.generate.split)
    test = read_test(source, config)
    made = _Generation(config, Codec(bundle), examples, test, read_change(out))
    display = display or silent_display()
    with display.stage("report") as advance:
        result = _measure(made)
        advance(1, 1)
    if config.evaluate.accuracy_steps:
        with display.stage("accuracy score") as advance:
            result += _score(made, generated, advance)
    report = _compose(config, source.manifest, generated.manifest, bundle.digest, result)
    report, files = render_report(report, {**result.pictures, **_charts(report, history)})
    add_files(out, files)
    return report


def _measure(made: _Generation) -> SectionResult:
    """Figures and pictures of the generated data, and the figures that training measured."""
    recipe = find_recipe(made.config.generate.recipe)
    if recipe.fills_cells and made.change:
        return _report_recombinations(made, made.change)
    return _report_variants(made)


def _report_recombinations(made: _Generation, change: tuple[Coverage, Coverage]) -> SectionResult:
    drawn = draw_recombinations(made.codec, made.examples, made.config, change[0])
    accepted = drawn.verdicts.accepted
    near = (drawn.observations[accepted], drawn.plan.anchor[accepted], made.test.observations)
    seen = (made.examples, drawn.observations, drawn.plan.label, drawn.verdicts)
    sheet = draw_by_class(made.codec, *seen)
    sheet |= {"recombinations": sheet_of(drawn, change[0])}
    return (
        SectionResult(measure_recombinations(drawn), sheet)
        + _report_cells(made)
        + measure_accepted(made.codec, *near)
        + _report_trained(made)
        + _report_nearest(made, drawn.observations, drawn.plan.label)
        + _report_exchange(made, made.examples)
    )


def _report_variants(made: _Generation) -> SectionResult:
    config = made.config
    drawn = draw_sample(made.codec, made.examples, config.generate, config.evaluate)
    accepted = drawn.verdicts.accepted
    near = (drawn.flat[accepted], drawn.anchor[accepted], made.test.observations)
    beside = draw_by_class(made.codec, drawn.anchors, drawn.flat, drawn.labels, drawn.verdicts) | {
        "variants": draw_variants(made.codec, drawn)
    }
    return (
        SectionResult(measure_variants(drawn, made.examples), beside)
        + _report_cells(made)
        + measure_accepted(made.codec, *near)
        + _report_trained(made)
        + _report_nearest(made, drawn.observations[:, 0], drawn.anchors.labels)
        + _report_exchange(made, drawn.anchors)
        + _report_traversals(made, drawn)
    )


def _score(made: _Generation, generated: DatasetDir, advance: Advance) -> SectionResult:
    """What the written variants teach a classifier."""
    settings, split = made.config.evaluate, made.config.generate.split
    variants, seed = read_some(generated, split), made.config.generate.seed
    given = (variants, made.examples, made.test, settings, seed, advance)
    return measure_accuracy_score(made.codec, *given)


def _report_cells(made: _Generation) -> SectionResult:
    """The cells of the grid without an example, before and after."""
    if not made.change:
        return SectionResult()
    return report_cells(*made.change, made.config.generate.differ)


def _report_trained(made: _Generation) -> SectionResult:
    """The figures that training measured; those of older bundles have no keys."""
    figures = BundleDetails.read(made.codec.bundle.details).figures
    return SectionResult([Measure.model_validate(figure) for figure in figures])


def _report_nearest(made: _Generation, images: np.ndarray, labels: np.ndarray) -> SectionResult:
    """Shows the generated observations of every class that are nearest to a real example."""
    drawing = pictures_of(made.codec.kind, made.codec.bundle.vocabulary)
    nearest = draw_nearest(drawing, images, labels, made.examples.observations)
    return SectionResult(pictures={"nearest": Picture(nearest, NEAREST)} if nearest else {})


def _report_exchange(made: _Generation, anchors: Examples) -> SectionResult:
    generate = made.config.generate
    gate = QualityGate(generate.gate.min_confidence)
    return SectionResult(pictures=draw_exchange(made.codec, anchors, gate, generate.detail))


def _report_traversals(made: _Generation, sample: VariantSample) -> SectionResult:
    """A traversal of one anchor along the axes of the recipe, if the recipe moves along axes."""
    generate, anchors, codec = made.config.generate, sample.anchors, made.codec
    axes = find_recipe(generate.recipe).traversed(codec.spec, generate.options)
    latents = codec.encode(anchors.observations) if axes else {}
    return SectionResult(pictures=draw_traversals(codec, anchors, latents, generate, axes))


def _compose(
    config: Config,
    source: Manifest,
    generated: Manifest,
    bundle_digest: str | None,
    result: SectionResult,
) -> Report:
    split, numbers = config.generate.split, list(result.measures)
    before, made = source.label_counts(split), generated.label_counts(split)
    return Report(
        title=f"Variants of {source.name}, recipe {config.generate.recipe}",
        summary=[*summarise(generated, numbers), *result.summary, *find_doubts(numbers)],
        warnings=bad_news(outcome_of(config, generated, numbers)),
        numbers=numbers,
        class_names=source.class_names,
        counts_before=before,
        counts_after={name: before[name] + made[name] for name in before},
        rejections=GeneratedDetails.read(generated.details).rejections,
        totals=generated.totals,
        tables=[table for table in result.tables if isinstance(table, Table)],
        config_yaml=config.to_yaml(),
        versions=generated.versions,
        bundle_digest=bundle_digest,
        shards=generated.splits[split],
        notes=[
            "The auditor, which scores, and the judge, which gates, were trained with different "
            "seeds on different halves of the training data. Neither saw the test split.",
            "Class figures and diversity are measured on a sample of anchors, first attempts "
            "only; the counts cover the whole run.",
        ],
    )


def _charts(report: Report, history: Mapping[str, list[float]]) -> dict[str, Picture]:
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
    return {name: Picture(chart) for name, chart in charts.items()}
