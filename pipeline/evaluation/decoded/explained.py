"""Measures the share of the variance that reconstructions explain: whether a model has learnt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from latentloom.model_zoo.metrics.explained import Explained, explained_variance
from latentloom.model_zoo.scaling import Scaling
from latentloom.model_zoo.training.learning_curve import (
    MOST_FACTOR,
    decay_exponent,
    steps_factor,
)
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import EvaluateConfig, TrainConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import sample
from latentloom.pipeline.report.measure import Measure, by_key

OVERALL, WITHIN = "model/explained", "model/explained/within_class"
LEAST_EXPLAINED = {OVERALL: 0.3, WITHIN: 0.2}
"""Least shares of a model that has learnt. A model that decodes the mean of the class has 0 within
classes. coil20 at 64 pixels: 0.30 and -0.59 after 140 steps, 0.70 and 0.36 after 455."""
HELD = 9
"""Times its bytes that are held of an image: its levels, and two copies in float32."""


class Yardstick:
    """Validation examples and the means of the classes, on the scale of the model.

    A class that the sampled training examples lack has the mean of all of them.

    Args:
        train: Examples that give the means.
        validation: Examples that are reconstructed.
        num_classes: Number of classes.
        scaling: Scaling of the observations.
        value_range: Range of the model.
        most: Largest number of examples of each kind.
    """

    def __init__(
        self,
        train: Examples,
        validation: Examples,
        num_classes: int,
        scaling: Scaling,
        value_range: tuple[float, float],
        most: int,
    ):
        self.scaling, self.value_range = scaling, value_range
        known = sample(train, most, 0, "explained", of_each=HELD)
        self.examples = sample(validation, most, 0, "explained", of_each=HELD)
        self.observed = self.scaled(self.examples.observations)
        self.class_means = np.zeros((num_classes, *self.observed.shape[1:]), np.float32)
        overall = self.scaled(known.observations).mean(axis=0)
        for label in range(num_classes):
            members = known.observations[known.labels == label]
            self.class_means[label] = self.scaled(members).mean(axis=0) if len(members) else overall

    def scaled(self, stored: np.ndarray) -> np.ndarray:
        """Returns stored observations on the scale of the model, float32."""
        return np.asarray(self.scaling.to_model(stored.astype(np.float32), self.value_range))

    def measure(self, reconstructed: np.ndarray) -> Explained | None:
        """Measures reconstructions of `examples`, on the scale of the model."""
        labels = self.examples.labels
        return explained_variance(self.observed, reconstructed, labels, self.class_means)


def measure_explained(
    codec: Codec, train: Examples, validation: Examples, settings: EvaluateConfig
) -> list[Measure]:
    """Measures the share of the variance of validation examples that reconstructions explain.

    Returns nothing for bags of words, which have no squared error, or examples that do not vary.
    """
    bundle = codec.bundle
    if codec.kind.error_unit(bundle.model.value_range) is None or not len(validation):
        return []
    given = (len(bundle.class_names), bundle.scaling, bundle.model.value_range)
    yardstick = Yardstick(train, validation, *given, settings.probe_examples)
    decoded = codec.render(codec.encode(yardstick.examples.observations))[0]
    shares, many = yardstick.measure(yardstick.scaled(decoded)), codec.kind.many
    if shares is None:
        return []
    return [
        Measure(
            name="Variance that reconstructions explain",
            key=OVERALL,
            value=shares.overall,
            threshold=LEAST_EXPLAINED[OVERALL],
            n=len(yardstick.examples),
            meaning=f"One minus the squared error of reconstructed validation {many} over their "
            "squared distance from the mean of all.",
        ),
        Measure(
            name="Variance within classes that reconstructions explain",
            key=WITHIN,
            value=shares.within_class,
            threshold=LEAST_EXPLAINED[WITHIN],
            n=len(yardstick.examples),
            meaning="The same over the squared distance from the mean of the class: 0 if the code "
            "holds the class alone.",
        ),
    ]


def find_unlearnt(
    numbers: Iterable[Measure], losses: Sequence[float], steps: int, settings: TrainConfig
) -> list[str]:
    """One sentence if the model has not learnt to reconstruct, with the steps that it may need.

    Args:
        numbers: Measures, such as those of `measure_explained`.
        losses: Validation loss of every epoch.
        steps: Steps of the training.
        settings: Settings of the training.
    """
    found = by_key(numbers)
    short = {
        key: 1 - float(found[key].value or 0.0)
        for key in LEAST_EXPLAINED
        if key in found and not found[key].is_met
    }
    if not short:
        return []
    exponent = decay_exponent(losses)
    factor = max(
        steps_factor(error, 1 - LEAST_EXPLAINED[key], exponent) for key, error in short.items()
    )
    overall, within = (float(found[key].value or 0.0) for key in (OVERALL, WITHIN))
    return [
        f"The model has not learnt: reconstructions explain {overall:.1%} of the variance and "
        f"{within:.1%} of it within classes after {steps:,} steps, expected "
        f"{LEAST_EXPLAINED[OVERALL]:.0%} and {LEAST_EXPLAINED[WITHIN]:.0%} at least: variants will "
        f"be blurred. {_advice(rounded(factor * steps), factor, settings)}"
    ]


def _advice(steps: int, factor: float, settings: TrainConfig) -> str:
    """The setting to change."""
    time = "" if settings.minutes is None else " and raise train.minutes likewise"
    if factor >= MOST_FACTOR:
        return (
            f"The validation loss hardly falls: it suggests {steps:,} steps or more; enlarge the "
            f"code under model.args first, then set train.steps={steps}{time}."
        )
    return f"The validation loss suggests {steps:,} steps: set train.steps={steps}{time}."


def rounded(steps: float) -> int:
    """Returns a number of steps, rounded up to two digits."""
    unit = 10 ** max(0, math.floor(math.log10(max(steps, 1))) - 1)
    return math.ceil(round(steps / unit, 6)) * unit
