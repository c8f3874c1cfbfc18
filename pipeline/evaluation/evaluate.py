"""The verb `evaluate`: measures a bundle on a data set and writes the figures as a page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.compatibility import check_compatible
from latentloom.pipeline.codec.detail import check_detail
from latentloom.pipeline.codec.realism import check_realism
from latentloom.pipeline.config import Config, parse_config
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.held_out_cells import read_hold_out
from latentloom.pipeline.dataset.known_names import check_gate_names
from latentloom.pipeline.evaluation.bundle_report import compose, in_page_order
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.folds import read_folds
from latentloom.pipeline.evaluation.sections import evaluate_sections
from latentloom.pipeline.evaluation.unseen.full_model import load_full
from latentloom.pipeline.report.page import report_files, write_report
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.storage.files import Location, local_folder
from latentloom.pipeline.storage.output_directories import check_apart, replaced_when_complete
from latentloom.pipeline.storage.ownership import OutputKind
from latentloom.pipeline.terminal.progress import ProgressDisplay, silent_display

PAGE = "evaluation"
EVALUATION = OutputKind(
    name="evaluation",
    listed=lambda path: report_files(path, PAGE),
    patterns=(f"{PAGE}.html", f"{PAGE}.json"),
)
"""What `evaluate` writes."""


def evaluate(
    data: Location,
    model: Location,
    out: Path,
    *,
    full_model: Location | None = None,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    display: ProgressDisplay | None = None,
) -> Report:
    """Measures a bundle on examples it was not trained on; writes `evaluation.html` and `.json`.

    Args:
        data: Data set directory. Probes are trained on its split `train`. Everything is scored on
            the split `test`, or without one on the validation share of `train`.
        model: Bundle directory. The configuration stored in it applies.
        out: Output directory.
        full_model: Bundle of the same recipe that was trained on the held-out cells too, for the
            figures of unseen combinations.
        overrides: `section.key=value` settings of the sections `evaluate` and `generate`.
        overwrite: Whether to replace the content of `out`.
        display: Where to show progress; nowhere by default.

    Returns:
        The report.

    Raises:
        ValueError: Data, bundle and settings do not fit each other.
        FileExistsError: `out` is not empty and `overwrite` was not given.
        FileNotFoundError: Data or bundle are missing.
    """
    dataset = DatasetDir.open(data)
    with local_folder(model) as folder:
        description = read_description(folder)
        check_compatible(dataset.manifest, description)
        config = stored_config(description, overrides)
        if overrides:
            check_gate_names(config.generate.gate, dataset.manifest.factors)
        check_detail(config.generate.detail, dataset.observation_kind)
        inputs = {"--data": data, "--model": model}
        inputs |= {"--full-model": full_model} if full_model is not None else {}
        check_apart(out, inputs)
        full = load_full(full_model, description) if full_model is not None else None
        bundle = load_bundle(folder)
    if config.generate.gate.realism:
        check_realism(bundle.realism)
    manifest, codec = dataset.manifest, Codec(bundle)
    hold_out = read_hold_out(bundle.details, manifest.factors, manifest.name)
    folds = read_folds(dataset, config, hold_out)
    context = EvaluationContext(
        encoded=EncodedExamples.encode(codec, folds.scored, folds.name, config.generate.seed),
        folds=folds,
        manifest=manifest,
        config=config,
        hold_out=hold_out,
        full=Codec(full) if full else None,
    )
    with (
        replaced_when_complete(
            os.fspath(out), EVALUATION, last=f"{PAGE}.json", overwrite=overwrite
        ) as folder,
        (display or silent_display()).stage("evaluate") as advance,
    ):
        result = evaluate_sections(context, advance)
        report, pictures = compose(context, result), in_page_order(result.pictures)
        return write_report(folder, report, pictures, PAGE)


def stored_config(description: Mapping[str, Any], overrides: Sequence[str]) -> Config:
    """The configuration in the description of a bundle, with overrides applied.

    Raises:
        ValueError: An override is invalid or changes a setting of training.
    """
    origin = "the configuration stored in the bundle"
    tree = BundleDetails.read(description["details"]).config
    config = parse_config(tree, origin, overrides)
    if config.run_settings() != parse_config(tree, origin).run_settings():
        raise ValueError(
            "An override changes a setting of the bundle's training. Expected: settings of the "
            f"sections `evaluate` and `generate`. Received: --set {' '.join(overrides)}. Drop the "
            "others, or train another bundle."
        )
    return config
