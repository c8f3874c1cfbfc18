"""The judge and the auditor of a bundle."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.bundle import Bundle
from latentloom.model_zoo.networks.classifier import FEATURES, feature_network
from latentloom.model_zoo.networks.heads import split_heads
from latentloom.model_zoo.training.classifier import CLASSIFIER_RANGE
from latentloom.pipeline.codec.batching import Batched
from latentloom.pipeline.codec.compilation import Columns, Signature


class Judges:
    """Classifies observations, as stored, with the judge and the auditor of a bundle.

    Args:
        bundle: The loaded bundle.
    """

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        self._features: dict[str, Batched] = {}
        self._compiled: dict[str, Batched] = {}

    def probabilities(self, images: np.ndarray, judge: str) -> dict[str, np.ndarray]:
        """Probabilities `(n, num_values)` of each factor, by `"judge"` or `"auditor"`."""
        if judge not in self._compiled:
            read = functools.partial(self.read, judge)
            self._compiled[judge] = self._batched(read, getattr(self.bundle, judge))
        return self._compiled[judge]({"images": images})

    def features(self, images: np.ndarray, judge: str) -> np.ndarray:
        """Last hidden layer of the `"judge"` or the `"auditor"`, `(n, features)` float32."""
        if judge not in self._features:
            network = feature_network(getattr(self.bundle, judge))

            def features(columns: Columns) -> Columns:
                return {FEATURES: network(self._classified(columns), training=False)}

            self._features[judge] = self._batched(features, getattr(self.bundle, judge))
        return self._features[judge]({"images": images})[FEATURES]

    def read(self, judge: str, columns: Columns) -> Columns:
        """Like `probabilities`, for one batch of tensors."""
        logits = getattr(self.bundle, judge)(self._classified(columns), training=False)
        return self._probabilities(judge, logits)

    def read_with_features(self, columns: Columns) -> tuple[Columns, Any]:
        """Probabilities and the last hidden layer of the judge, for one batch of tensors."""
        judge = self.bundle.judge
        network = keras.Model(judge.inputs, [*judge.outputs, judge.get_layer(FEATURES).output])
        logits, features = network(self._classified(columns), training=False)
        return self._probabilities("judge", logits), features

    def _probabilities(self, judge: str, logits) -> Columns:
        heads = split_heads(logits, list(self.bundle.judge_sizes.values()))
        temperatures = self.bundle.auditor_temperatures if judge == "auditor" else {}
        return {
            factor: ops.softmax(part / temperatures.get(factor, 1.0))
            for factor, part in zip(self.bundle.judge_sizes, heads, strict=True)
        }

    def _batched(self, function: Callable[[Columns], Columns], network: keras.Model) -> Batched:
        """Returns a function of images and its network, batch by batch."""
        return Batched(function, [network], image_row(self.bundle), self.bundle.observation_shape)

    def _classified(self, columns: Columns):
        """Scales images as stored to the input of the classifiers."""
        observations = ops.cast(columns["images"], "float32")
        return self.bundle.scaling.for_classifiers.to_model(observations, CLASSIFIER_RANGE)


def image_row(bundle: Bundle) -> Signature:
    """Shape and type of the observations of a bundle, as stored."""
    return {"images": (bundle.observation_shape, bundle.scaling.dtype)}
