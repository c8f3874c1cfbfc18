"""Tells early in a training what share of the variance reconstructions explain."""

from __future__ import annotations

import math
import time

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.scaling import Scaling
from latentloom.pipeline.dataset.folds import Folds
from latentloom.pipeline.evaluation.decoded.explained import Yardstick
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.terminal.progress import Advance
from latentloom.pipeline.training.epoch_progress import EpochProgress

PART = 0.1
"""Share of the budget after which to tell."""
MOST = 256
"""Most examples that are reconstructed."""
MOST_FLOATS = 1 << 24
"""Most numbers of these examples."""


class EarlyEstimate(EpochProgress):
    """An `EpochProgress` that once says what the model has learnt.

    It does so at the end of the first epoch that ends after a tenth of the epochs or of the time;
    it draws no random numbers, so the training is the same without it.

    Args:
        advance: The function of the stage.
        figures: Names of the logged figures to show.
        folds: The examples.
        num_classes: Number of classes.
        scaling: Scaling of the observations.
        minutes: Time of the training, or None.
    """

    def __init__(
        self,
        advance: Advance,
        figures: tuple[str, ...],
        folds: Folds,
        num_classes: int,
        scaling: Scaling,
        minutes: float | None = None,
    ):
        super().__init__(advance, figures)
        self.folds, self.num_classes, self.scaling = folds, num_classes, scaling
        self.seconds = math.inf if minutes is None else 60 * minutes
        self._started, self._is_told = time.monotonic(), False

    def remarks(self, epoch: int, logs: dict | None) -> list[str]:
        """The logged figures, and once what the model has learnt."""
        share = (epoch + 1) / self._planned("epochs")
        spent = (time.monotonic() - self._started) / self.seconds
        shown, model = super().remarks(epoch, logs), self.model
        if self._is_told or max(share, spent) < PART or model is None:
            return shown
        self._is_told = True
        return [*shown, *self._estimate(model)]

    def _estimate(self, model: keras.Model) -> list[str]:
        kind, validation = KINDS[self.scaling.kind], self.folds.validation
        if kind.error_unit(model.value_range) is None or not len(validation):
            return []
        most = max(1, min(MOST, MOST_FLOATS // math.prod(validation.observations.shape[1:])))
        given = (self.num_classes, self.scaling, model.value_range, most)
        yardstick = Yardstick(self.folds.train, validation, *given)
        decoded = model.decode(dict(model.encode(yardstick.observed)))
        shares = yardstick.measure(np.asarray(ops.convert_to_numpy(decoded), np.float32))
        if shares is None:
            return []
        return [
            f"early estimate: reconstructions explain {shares.overall:.0%} of the variance, "
            f"{shares.within_class:.0%} within classes"
        ]
