"""The classifier that a study trains, on batches of real and mixed examples."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from latentloom.model_zoo.backend.rounding import fix_rounding
from latentloom.model_zoo.metrics.calibration import calibration_error
from latentloom.model_zoo.networks.classifier import image_classifier, residual_classifier
from latentloom.model_zoo.scaling import PIXELS
from latentloom.model_zoo.training.batches import epoch_order
from latentloom.model_zoo.training.classifier import (
    CLASSIFIER_RANGE,
    compile_network,
    fit_network,
    logits_of,
)
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.config.settings import StudyConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.study.transforms import Transform

Scores = Mapping[str, float]

NETWORKS = {"small": image_classifier, "residual": residual_classifier}
"""Builders of the classifier by name."""


class MixedBatches(keras.utils.PyDataset):
    """Batches with a fixed number of real examples and of mixed examples.

    Real and mixed examples are shuffled separately and repeated: how often two examples of one kind
    are seen differs by at most one.

    Args:
        real: Real examples.
        mixed: Examples to mix in, or None.
        ratio: Mixed examples per real example.
        classes: Number of classes.
        settings: Steps and batch size.
        seed: Seed of the order.
        transform: Transform of every batch, or None.
    """

    def __init__(
        self,
        real: Examples,
        mixed: Examples | None,
        ratio: float,
        classes: int,
        settings: StudyConfig,
        seed: int,
        transform: Transform | None = None,
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        share = ratio / (1 + ratio) if mixed is not None else 0.0
        self.num_mixed = round(settings.batch_size * share)
        self.num_real = settings.batch_size - self.num_mixed
        self.real, self.mixed, self.classes = real, mixed, classes
        self.steps, self.seed, self.transform = settings.steps, seed, transform

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        parts = [self.real.take(rows_at(len(self.real), self.num_real, index, self.seed))]
        if self.mixed is not None and self.num_mixed:
            rows = rows_at(len(self.mixed), self.num_mixed, index, self.seed + 1)
            parts.append(self.mixed.take(rows))
        images = np.concatenate([part.observations for part in parts]).astype(np.float32)
        labels = np.eye(self.classes, dtype=np.float32)[
            np.concatenate([part.labels for part in parts])
        ]
        if self.transform:
            images, labels = self.transform(images, labels)
        return PIXELS.to_model(images, CLASSIFIER_RANGE), labels


def rows_at(num_examples: int, count: int, index: int, seed: int) -> np.ndarray:
    """Rows of the batch at step `index`, from consecutive permutations."""
    places = np.arange(index * count, (index + 1) * count)
    epochs, within = np.divmod(places, num_examples)
    first = int(epochs[0])
    orders = [epoch_order(num_examples, seed, e) for e in range(first, int(epochs[-1]) + 1)]
    return np.stack(orders)[epochs - first, within]


class Downstream:
    """The classifier of a study: compiled once, with new initial weights for every training.

    TensorFlow keeps about 30 MB of every compiled network, and compiling takes longer than a fifth
    of a short training.

    Args:
        observation_shape: `(height, width, channels)` in pixels.
        classes: Number of classes.
        settings: Network, width and learning rate.
    """

    def __init__(self, observation_shape: tuple[int, ...], classes: int, settings: StudyConfig):
        fix_rounding()
        self.observation_shape, self.classes, self.settings = observation_shape, classes, settings
        self.network = self.build()
        schedule = Schedule(epochs=1, learning_rate=settings.learning_rate)
        loss = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=settings.label_smoothing
        )
        compile_network(self.network, schedule, settings.steps, loss)
        self.fresh = [np.array(variable) for variable in self.network.optimizer.variables]

    def build(self) -> keras.Model:
        """Builds a network with initial weights from Keras' global seed."""
        build = NETWORKS[self.settings.network]
        return build(self.observation_shape, self.classes, width=self.settings.width)

    def train_and_score(self, batches: MixedBatches, test: Examples, seed: int) -> Scores:
        """Trains from initial weights of a seed and scores on the test split.

        Returns:
            `accuracy`, `cross_entropy` in nats and `calibration_error`.
        """
        keras.utils.set_random_seed(seed)
        for variable, drawn in zip(self.network.variables, self.build().variables, strict=True):
            variable.assign(drawn)
        for variable, value in zip(self.network.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        fit_network(self.network, batches, epochs=1)
        return score(self.network, test)


def score(network: keras.Model, test: Examples) -> Scores:
    """Figures of a classifier on examples that it was not trained on."""
    logits = logits_of(network, test.observations)
    logits -= logits.max(axis=1, keepdims=True)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    right = logits.argmax(axis=1) == test.labels
    sure = np.exp(log_probabilities.max(axis=1))
    chosen = np.take_along_axis(log_probabilities, test.labels[:, None], axis=1)
    return {
        "accuracy": float(right.mean()),
        "cross_entropy": float(-chosen.mean()),
        "calibration_error": calibration_error(sure, right),
    }
