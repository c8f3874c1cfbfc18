"""The verb `train`: from a data set directory to a model bundle."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentloom.augment import HoldOut
from latentloom.model_zoo.bundle import DESCRIPTION, Bundle, save_bundle
from latentloom.model_zoo.training.checkpoints import history_csv
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.details import (
    CURVES_FILE,
    HISTORY_FILE,
    BundleDetails,
    DataIdentity,
)
from latentloom.pipeline.dataset.directory import CONFIG_FILE, DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.folds import Folds, check_counts, divide
from latentloom.pipeline.dataset.held_out_cells import (
    check_deformations,
    divide_off,
    plan_hold_out,
    unseen_halves,
)
from latentloom.pipeline.dataset.manifest import Manifest, library_versions
from latentloom.pipeline.dataset.row_cache import cached
from latentloom.pipeline.dataset.terciles import Terciles
from latentloom.pipeline.evaluation.decoded.explained import find_unlearnt, measure_explained
from latentloom.pipeline.evaluation.latents.class_probes import find_doubts, measure_split
from latentloom.pipeline.report.charts.bars_and_curves import loss_curves
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.storage.files import Location
from latentloom.pipeline.storage.output_directories import check_apart, remove_files
from latentloom.pipeline.terminal.progress import Advance, ProgressDisplay, silent_display
from latentloom.pipeline.training.checks import check_settings, check_training
from latentloom.pipeline.training.fit_bundle import fit_bundle
from latentloom.pipeline.training.own_files import STATE_FILES, STATE_FOLDER, write_beside
from latentloom.pipeline.training.resuming import finished_bundle, held_run, run_marker

logger = logging.getLogger(__name__)


def train_bundle(
    config: Config,
    data: Location,
    out: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    cache: Location | None = None,
    display: ProgressDisplay | None = None,
) -> Bundle:
    """Trains a model with its judges on a data set and writes the bundle.

    Args:
        config: The whole configuration.
        data: Data set directory with a split `train`. A split `validation` takes the place of the
            validation share; a split `test` is used only to measure.
        out: Directory for the bundle.
        resume: Whether to continue an interrupted run of the same configuration.
        overwrite: Whether to replace what is in `out`.
        cache: Folder for the training images, decoded; by default each batch is decoded anew.
        display: Where to show progress; nowhere by default.

    Returns:
        The bundle, with its digest.

    Raises:
        ValueError: The configuration and the data do not fit each other or the interrupted run, or
            `out` holds the data.
        FileExistsError: `out` holds something and neither `resume` nor `overwrite` was given.
    """
    caches = {"--cache": cache} if cache is not None else {}
    check_apart(out, {"--data": data, **caches})
    dataset = DatasetDir.open(data)
    manifest = dataset.manifest
    _check_classes(manifest, list(manifest.label_counts("train").values()))
    model = check_settings(config, manifest)
    marker = run_marker(out, config, manifest.digest, keras.backend.backend())
    if resume and not overwrite and (out / DESCRIPTION).exists():
        return finished_bundle(out, marker)
    folds, hold_out = _read_folds(config, dataset, cache)
    steps = check_training(model, config, folds, manifest)
    with held_run(marker, resume=resume, overwrite=overwrite):
        bundle, history = _train(config, dataset, folds, hold_out, out, display or silent_display())
    figures = measures_of(bundle)
    losses = [row[bundle.model.monitor] for row in history]
    unlearnt = find_unlearnt(figures, losses, steps * len(history), config.train)
    for sentence in [*find_doubts(figures), *unlearnt]:
        logger.warning(sentence)
    return bundle


def measures_of(bundle: Bundle) -> list[Measure]:
    """The figures that training measured."""
    return [Measure.model_validate(f) for f in BundleDetails.read(bundle.details).figures]


def _train(
    config: Config,
    dataset: DatasetDir,
    folds: Folds,
    hold_out: HoldOut,
    out: Path,
    display: ProgressDisplay,
) -> tuple[Bundle, list[dict[str, float]]]:
    """Trains, measures and writes the bundle into a directory that is held."""
    manifest = dataset.manifest
    bundle, history = fit_bundle(
        config,
        folds,
        manifest.factors,
        out / STATE_FOLDER,
        display,
        manifest.observation,
        manifest.vocabulary,
    )
    with display.stage("probes") as advance:
        figures = _measure(bundle, config, dataset, (folds, hold_out), advance)
    details = _details(config, manifest, hold_out, figures)
    beside = {
        CONFIG_FILE: config.to_yaml().encode(),
        HISTORY_FILE: history_csv(history),
        CURVES_FILE: loss_curves(curves_of(history)),
    }
    files = write_beside(out, beside)
    bundle.details = details.model_copy(update={"files": files}).model_dump()
    save_bundle(bundle, out)
    remove_files(out, STATE_FILES)
    return bundle, history


def _check_classes(manifest: Manifest, counts: Sequence[int]) -> None:
    """Checks that every class has enough training examples."""
    where = f"data set '{manifest.name}', split 'train'"
    check_counts(list(counts), manifest.class_names, where)


def _read_folds(
    config: Config, dataset: DatasetDir, cache: Location | None
) -> tuple[Folds, HoldOut]:
    """Reads the training examples, divides them, and takes the held-out cells out."""
    examples = dataset.read("train", config.data.limit)
    if cache is not None:
        examples = cached(examples, dataset.manifest, cache, "train")
    validation = dataset.read_validation()
    return divide_examples(config, examples, dataset.manifest, validation)


def divide_examples(
    config: Config, examples: Examples, manifest: Manifest, validation: Examples | None = None
) -> tuple[Folds, HoldOut]:
    """Divides training examples into folds, and takes the held-out cells out.

    Args:
        config: The whole configuration.
        examples: Examples of the split `train`.
        manifest: The manifest of the data set.
        validation: Examples of the split `validation`; by default a share of `examples`.

    Raises:
        ValueError: A class has too few examples, or cells cannot be held out.
    """
    counts = np.bincount(examples.labels, minlength=len(manifest.class_names))
    _check_classes(manifest, counts.tolist())
    folds = divide(examples, config.data.validation_share, config.train.seed, validation)
    hold_out = plan_hold_out(config.data.hold_out, examples, manifest.factors)
    if config.data.deform:
        check_deformations(hold_out, Terciles.from_details(manifest.details).limits)
    return divide_off(folds, hold_out, manifest.factors), hold_out


def curves_of(history: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """A history as one list per figure instead of one dictionary per epoch."""
    return {name: [row[name] for row in history] for name in history[0] if name != "epoch"}


def _measure(
    bundle: Bundle,
    config: Config,
    dataset: DatasetDir,
    divided: tuple[Folds, HoldOut],
    advance: Advance,
) -> list[dict[str, Any]]:
    """Measures the split of the code and what reconstructions explain."""
    folds, halves = divided[0], unseen_halves(*divided)
    name = dataset.scored_split
    scored = dataset.read("test") if name == "test" else folds.validation
    codec = Codec(bundle)
    given = (codec, folds.train, scored, name, config.evaluate, advance)
    figures = measure_split(*given, halves=halves)
    figures += measure_explained(codec, folds.train, folds.validation, config.evaluate)
    return [figure.model_dump() for figure in figures]


def _details(
    config: Config, manifest: Manifest, hold_out: HoldOut, figures: list[dict[str, Any]]
) -> BundleDetails:
    """The details of a bundle: its data, configuration, versions and figures."""
    backend = keras.backend.backend()
    return BundleDetails(
        data=DataIdentity(name=manifest.name, digest=manifest.digest),
        backend=backend,
        config=config.model_dump(),
        versions=library_versions() | library_versions((backend,)),
        hold_out=hold_out.to_dict(),
        figures=figures,
    )
