"""The verbs that train, generate and evaluate, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from latentloom.pipeline.api.arguments import (
    Configuration,
    Settings,
    input_path,
    local_output,
    prepare,
    resolve,
)
from latentloom.pipeline.api.bundle import LoadedBundle
from latentloom.pipeline.api.datasets import open_dataset
from latentloom.pipeline.reader import Records
from latentloom.pipeline.storage.files import Location
from latentloom.pipeline.storage.path_checks import check_path
from latentloom.pipeline.terminal.progress import ProgressDisplay, silent_display

if TYPE_CHECKING:  # loads pydantic, which verbs without a report need not
    from latentloom.pipeline.config import Config
    from latentloom.pipeline.report.schema import Report


def train(
    config: Configuration,
    data: Location,
    out: Location,
    *,
    settings: Settings | None = None,
    minutes: float | None = None,
    resume: bool = False,
    overwrite: bool = False,
    cache: Location | None = None,
    progress: bool = False,
) -> LoadedBundle:
    """Trains a model with its judges and writes the bundle.

    Args:
        config: A YAML file, its content as a dictionary, or `"auto"` for one chosen from the data.
        data: Data set directory with a split `train`.
        out: Directory for the bundle, local.
        settings: Changes to the configuration by dotted key, such as `{"train.epochs": 5}`.
        minutes: Time of the whole training: 80 % for the model, 10 % for each of its two judges.
        resume: Whether to go on with an interrupted training.
        overwrite: Whether to replace an earlier bundle in `out`.
        cache: Folder for decoded training images, which spares decoding them in every epoch.
        progress: Whether to show progress on standard error.

    Returns:
        The bundle, ready to run.

    Raises:
        FileExistsError: If `out` holds something and neither `resume` nor `overwrite` is given.
        FileNotFoundError: If the configuration or the data are missing.
        ValueError: If configuration, data and paths do not fit each other.

    Example:
        >>> config = {"model": {"name": "zszu_vae", "args": {"network": "dense", "hidden_dim": 16}}}
        >>> quick = {"train.steps": 20, "judge.steps": 20, "judge.width": 4}
        >>> bundle = latentloom.train(config, "data", "quick", settings=quick)
        >>> bundle.spec.names
        ('zs', 'zu')
    """
    target, data = local_output(out), input_path(data, "data")
    kept = None if cache is None else str(local_output(cache, "cache"))
    resolved = _training_config(config, data, settings, minutes, target)
    prepare()
    from latentloom.pipeline.training.train import train_bundle

    options = {"resume": resume, "overwrite": overwrite, "cache": kept}
    return LoadedBundle(train_bundle(resolved, data, target, **options, display=_display(progress)))


def _training_config(
    config: Configuration,
    data: str,
    settings: Settings | None,
    minutes: float | None,
    out: Location,
) -> Config:
    """Reads the configuration of a training, or chooses it."""
    from latentloom.pipeline.config import as_overrides
    from latentloom.pipeline.config.automatic import AUTO
    from latentloom.pipeline.config.time_budget import time_settings

    limits = dict(setting.split("=") for setting in time_settings(minutes))
    changes = {key: float(value) for key, value in limits.items()} | dict(settings or {})
    if config != AUTO:
        return resolve(config, changes, out)
    from latentloom.pipeline.training.automatic_config import automatic_config

    return automatic_config(data, as_overrides(changes), minutes)[0]


def generate(
    config: Configuration,
    data: Location,
    model: Location,
    out: Location,
    *,
    settings: Settings | None = None,
    runner: str = "FnApiRunner",
    beam_options: Sequence[str] = (),
    overwrite: bool = False,
    progress: bool = False,
) -> Records:
    """Makes variants of a data set with Beam, and a report on them.

    The same call goes on after an interruption and skips finished shards. The bytes are those of
    the command, if TensorFlow has not run in this process with other numbers of threads before.

    Args:
        config: A YAML file such as `config.yaml` of a bundle, or its content as a dictionary.
        data: Input data set directory.
        model: Bundle directory.
        out: Directory for the variants.
        settings: Changes to the configuration by dotted key, such as `{"generate.seed": 1}`.
        runner: Name of a Beam runner.
        beam_options: Beam's own options, such as `["--direct_num_workers=2"]`.
        overwrite: Whether to replace an earlier data set in `out`.
        progress: Whether to show progress on standard error.

    Returns:
        The records of the variants; `report.html` and `report.json` lie beside them.

    Raises:
        FileExistsError: If `out` holds other files and `overwrite` is not given.
        FileNotFoundError: If the configuration, the data or the bundle are missing.
        RuntimeError: If the run failed, or too many records were unreadable.
        ValueError: If data, bundle and configuration do not fit, or Keras does not run on
            TensorFlow.

    Example:
        >>> changes = {"generate.sampling_strategy": {"new": {"3": 5}}}
        >>> changes["generate.gate.enabled"] = False
        >>> variants = latentloom.generate(
        ...     "bundle/config.yaml", "data", "bundle", "variants", settings=changes
        ... )
        >>> len(variants), variants[0]["label"], variants[0]["recipe"]
        (5, 3, 'class_preserving')
    """
    job = (input_path(data, "data"), input_path(model, "model"), check_path(out, "out"))
    resolved = resolve(config, settings, job[-1])
    prepare()
    from latentloom.pipeline.evaluation.variants_report import report_on
    from latentloom.pipeline.generation.engines import Engine
    from latentloom.pipeline.generation.generate import generated

    options = {"engine": Engine(runner, list(beam_options)), "overwrite": overwrite}
    display = _display(progress)
    with ExitStack() as held:
        with display.stage("generate") as advance:
            held.enter_context(generated(resolved, *job, **options, progress=advance))
        report_on(resolved, *job, display)
    return open_dataset(job[-1], resolved.generate.split)


def evaluate(
    data: Location,
    model: Location,
    out: Location,
    *,
    full_model: Location | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    progress: bool = False,
) -> Report:
    """Measures a bundle: which blocks of its code hold the class, and what its decoder makes.

    Writes `evaluation.html` and `evaluation.json`.

    Args:
        data: Data set directory.
        model: Bundle directory; the configuration stored in it applies.
        out: Directory for the page and its figures, local.
        full_model: Bundle of the same configuration, also trained on the held-out cells, to compare
            with on these cells.
        settings: Changes to the sections `evaluate` and `generate`, by dotted key.
        overwrite: Whether to replace an earlier evaluation in `out`.
        progress: Whether to show progress on standard error.

    Returns:
        The report; `numbers` lists each measured number with its `key`, `value`, `unit`, `chance`
        and `meaning`.

    Raises:
        FileExistsError: If `out` is not empty and `overwrite` is not given.
        FileNotFoundError: If data or bundle are missing.
        ValueError: If data, bundle and settings do not fit each other.

    Example:
        >>> few = {"evaluate.anchors": 20, "evaluate.variants": 2, "evaluate.accuracy_steps": 0}
        >>> report = latentloom.evaluate("data", "bundle", "evaluation", settings=few)
        >>> values = {number.key: number.value for number in report.numbers}
        >>> 0 <= values["judge/accuracy/label"] <= 1
        True
    """
    target, full = local_output(out), None
    job = (input_path(data, "data"), input_path(model, "model"), target)
    if full_model is not None:
        full = input_path(full_model, "full_model")
    prepare()
    from latentloom.pipeline.config import as_overrides
    from latentloom.pipeline.evaluation.evaluate import evaluate as evaluate_bundle

    overrides = as_overrides(settings or {})
    options = {"full_model": full, "overrides": overrides, "overwrite": overwrite}
    return evaluate_bundle(*job, **options, display=_display(progress))


def _display(shows: bool) -> ProgressDisplay:
    return ProgressDisplay() if shows else silent_display()
