"""From labelled examples in memory to a bundle. Needs no TensorFlow."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentloom.augment.spelling import nearest
from latentloom.model_zoo.backend.devices import placement, warn_of_idle_accelerators
from latentloom.model_zoo.bundle import Bundle
from latentloom.model_zoo.contract import MakesBatches
from latentloom.model_zoo.metrics.calibration import fit_temperature
from latentloom.model_zoo.registry import MODELS, build_model
from latentloom.model_zoo.scaling import PIXELS, SCALINGS, Scaling
from latentloom.model_zoo.training.classifier import fit_classifier
from latentloom.model_zoo.training.deformations import Deformations
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.config.ranges import SEEDS
from latentloom.pipeline.config.settings import JudgeConfig, TrainConfig
from latentloom.pipeline.dataset.examples import Examples, Factors
from latentloom.pipeline.dataset.folds import Folds, check_folds
from latentloom.pipeline.dataset.sampling import choose, rank_in_class
from latentloom.pipeline.terminal.progress import ProgressDisplay
from latentloom.pipeline.training.early_estimate import EarlyEstimate
from latentloom.pipeline.training.epoch_progress import EpochProgress
from latentloom.pipeline.training.fit_realism import fit_realism

logger = logging.getLogger(__name__)

CODE_BYTES = 1 << 30
"""Most bytes of the codes that priors are fitted to."""
CALIBRATED = 5000
"""Most examples that the auditor is calibrated on."""
JUDGE_SEED_OFFSET = {"judge": 101, "auditor": 202}

Shape = tuple[int, ...]


def fit_bundle(
    config: Config,
    folds: Folds,
    factors: Factors,
    state: Path,
    display: ProgressDisplay,
    observation: str = PIXELS.kind,
    vocabulary: Sequence[str] = (),
) -> tuple[Bundle, list[dict[str, float]]]:
    """Trains a model and its judges; fits the priors and what the gate for realism compares with.

    Args:
        config: The whole configuration.
        folds: The examples, divided.
        factors: Value names of the label and of every other factor.
        state: Folder of the checkpoints; training resumes from a checkpoint in it.
        display: Where to show progress.
        observation: Kind of observation of the examples.
        vocabulary: Words of a bag of words.

    Returns:
        The bundle, without details, and the history of the model's training.

    Raises:
        ValueError: A label is not a class, a class is missing from a fold, or an image holds NaN
            or infinity.
        FloatingPointError: The training diverged; the last good checkpoint is kept in `state`.
    """
    check_folds(folds, factors["label"])
    scaling = SCALINGS[observation].fit(folds.train.observations)
    model, history = _fit_model(config, folds, factors, scaling, state, display)
    judged = judge_factors(config.judge, model.latent_spec, factors)
    sizes = {name: len(factors[name]) for name in judged}
    bundle = Bundle(
        model=model,
        **_fit_judges(config, folds, sizes, scaling, display),
        scaling=scaling,
        priors={},
        model_name=config.model.name,
        model_args=config.model.args,
        factors=factors,
        vocabulary=vocabulary,
        judge_width=config.judge.width,
        judge_factors=judged,
        auditor_network=config.judge.auditor,
    )
    bundle.auditor_temperatures = calibrate_auditor(bundle, folds)
    known = fitted_examples(folds.train, model.latent_spec, len(factors["label"]))
    priors = model.fitted_priors(Codec(bundle).encode(known.observations), known.factors)
    bundle.priors = {
        f"{block}/{name}": np.asarray(array, np.float32)
        for block, arrays in priors.items()
        for name, array in arrays.items()
    }
    bundle.realism = fit_realism(bundle, folds)
    return bundle, history


def fitted_examples(
    train: Examples, latent_spec: Mapping[str, Mapping[str, Any]], num_classes: int
) -> Examples:
    """Returns the examples that priors are fitted to: all, or some of each class.

    Their codes lie in memory together, `CODE_BYTES` of them at most.
    """
    row_bytes = 4 * sum(block["dim"] for block in latent_spec.values())
    if len(train) * row_bytes <= CODE_BYTES:
        return train
    mixed = choose(train, len(train), 0, "priors")
    of_each = max(1, CODE_BYTES // (row_bytes * num_classes))
    return mixed.take(rank_in_class(np.arange(len(mixed)), mixed.labels) < of_each)


def new_model(
    config: Config, observation_shape: Shape, factors: Factors, **given: Any
) -> keras.Model:
    """Builds the model of a configuration with initial weights from `train.seed`."""
    keras.utils.set_random_seed(config.train.seed)
    given["factor_sizes"] = {name: len(values) for name, values in factors.items()}
    num_classes = len(factors["label"])
    return build_model(
        config.model.name, config.model.args, observation_shape, num_classes, **given
    )


def _fit_model(
    config: Config,
    folds: Folds,
    factors: Factors,
    scaling: Scaling,
    state: Path,
    display: ProgressDisplay,
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Trains the model; returns it in float32 on one device, however it was trained."""
    train, observation_shape = config.train, folds.train.observations.shape[1:]
    counts = np.bincount(folds.train.labels, minlength=len(factors["label"]))
    given = {
        "class_probabilities": (counts / counts.sum()).tolist(),
        "num_examples": len(folds.train.labels),
        "observation": scaling.kind,
    }
    seen = (folds, len(factors["label"]), scaling)
    warn_of_idle_accelerators(train.devices)
    warn_of_small_batches(config, num_classes=len(factors["label"]))
    with placement(train.devices, train.dtype_policy), display.stage("model") as advance:
        trained = new_model(config, observation_shape, factors, **given)
        history = fit(
            trained,
            (folds.train.observations, folds.train.factors),
            (folds.validation.observations, folds.validation.factors),
            model_schedule(train),
            state,
            [EarlyEstimate(advance, ("loss", trained.monitor), *seen, train.minutes)],
            scaling,
            deformations(config),
        )
        weights = trained.get_weights()
    model = new_model(config, observation_shape, factors, **given)
    model.set_weights(weights)
    return model, history


def warn_of_small_batches(config: Config, num_classes: int) -> None:
    """Warns if a batch has fewer examples than classes and the model makes no batches itself."""
    makes_groups = issubclass(MODELS[config.model.name], MakesBatches)
    if config.train.batch_size < num_classes and not makes_groups:
        logger.warning(
            "A batch of %d is too small for an example of each of the %d classes, from which the "
            "model learns the split. Pass --set train.batch_size=%d or more.",
            config.train.batch_size,
            num_classes,
            num_classes,
        )


def judge_factors(
    judge: JudgeConfig, latent_spec: Mapping[str, Mapping[str, Any]], factors: Factors
) -> tuple[str, ...]:
    """The factors that the judges classify; defaults to the label and all carried by a block.

    Raises:
        ValueError: The data lack a factor that the configuration names.
    """
    if judge.factors is None:
        carried = {"label"}.union(*(block["factors"] for block in latent_spec.values()))
        return tuple(name for name in factors if name in carried)
    for name in judge.factors:
        if name not in factors:
            raise ValueError(
                f"The judge cannot read factor '{name}'. Expected: factors of the data, "
                f"{sorted(factors)}. Received: judge.factors={list(judge.factors)}. "
                f"{nearest(name, factors)}"
            )
    return tuple(name for name in factors if name in {"label", *judge.factors})


def _fit_judges(
    config: Config,
    folds: Folds,
    sizes: Mapping[str, int],
    scaling: Scaling,
    display: ProgressDisplay,
) -> dict[str, keras.Model]:
    """Fits the judge and the auditor of factors; `sizes` gives the number of values of each."""
    judges = {}
    for name, fold in (("judge", folds.judge), ("auditor", folds.auditor)):
        values, num_values = fold.labels, sizes["label"]
        if len(sizes) > 1:
            values = np.stack([fold.factors[factor] for factor in sizes], axis=1)
            num_values = list(sizes.values())
        with display.stage(name) as advance:
            judges[name] = fit_classifier(
                (fold.observations, values),
                num_values,
                judge_schedule(config.judge, config.train.seed + JUDGE_SEED_OFFSET[name]),
                config.judge.width,
                config.judge.auditor if name == "auditor" else "convolutional",
                [EpochProgress(advance, ("loss", "accuracy"))],
                scaling,
                deformations(config),
            )
    return judges


def calibrate_auditor(bundle: Bundle, folds: Folds) -> dict[str, float]:
    """Temperatures of the auditor by factor, fitted to examples that only the judge learnt from."""
    held_out = choose(folds.judge, CALIBRATED, 0, "calibration")
    read = Codec(bundle).judge_factors(held_out.observations, "auditor")
    return {name: fit_temperature(read[name], held_out.factors[name]) for name in read}


def deformations(config: Config) -> Deformations | None:
    """The deformations of training images that a configuration asks for, or None."""
    return Deformations(**config.data.deform.model_dump()) if config.data.deform else None


def model_schedule(train: TrainConfig) -> Schedule:
    """The schedule of the model."""
    return Schedule(**train.model_dump(exclude={"devices", "dtype_policy"}))


def judge_schedule(judge: JudgeConfig, seed: int) -> Schedule:
    """The schedule of the judge or the auditor."""
    return Schedule(
        epochs=judge.epochs,
        steps=judge.steps,
        minutes=judge.minutes,
        batch_size=judge.batch_size,
        learning_rate=judge.learning_rate,
        seed=seed % SEEDS,
    )
