"""A bundle made ready to run: fixed-batch TensorFlow functions from pixels to codes and back."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from augment import BlockPrior, Latents, LatentSpec
from model_zoo.bundle import Bundle
from model_zoo.training import CLASSIFIER_RANGE

Columns = Mapping[str, Any]

BATCH_SIZE = 64
"""Rows a call; the last batch is padded. 64 was the knee of images per CPU-second."""


class Codec:
    """Encodes, decodes and judges whole arrays with the model and the judges of a bundle.

    Results for a row do not depend on the rows beside it; every call runs on exactly 64 rows.

    Args:
        bundle: The loaded bundle.
    """

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        pixels = {"images": tf.TensorSpec((BATCH_SIZE, *bundle.image_shape), tf.uint8)}
        codes = {
            name: tf.TensorSpec((BATCH_SIZE, block["dim"]), tf.float32)
            for name, block in bundle.model.latent_spec.items()
        }
        self._encode = tf.function(self._encode_batch, input_signature=[pixels])
        self._sample = tf.function(
            self._sample_batch, input_signature=[pixels, tf.TensorSpec((2,), tf.int32)]
        )
        self._render = tf.function(self._render_batch, input_signature=[codes])
        self._class_scores = tf.function(bundle.model.class_scores, input_signature=[codes])
        self._judges = {
            name: tf.function(self._judge_batch(name), input_signature=[pixels])
            for name in ("judge", "auditor")
        }

    @functools.cached_property
    def spec(self) -> LatentSpec:
        """The blocks of the model's code with the priors that training exported."""
        blocks = self.bundle.model.latent_spec
        priors = {name: BlockPrior.from_arrays(self.bundle.priors, name) for name in blocks}
        return LatentSpec.from_dict(blocks, priors)

    def encode(self, images: np.ndarray) -> Latents:
        """Encodes uint8 images `(n, height, width, channels)` to latents without noise."""
        return _in_batches(self._encode, {"images": images})

    def sample_posterior(self, images: np.ndarray, seed: int) -> Latents:
        """Draws one sample of every block's posterior for each uint8 image."""
        seeds = itertools.count()
        return _in_batches(
            lambda batch: self._sample(batch, tf.constant([seed, next(seeds)], tf.int32)),
            {"images": images},
        )

    def render(self, latents: Latents) -> tuple[np.ndarray, np.ndarray]:
        """Decodes latents to uint8 images and lets the judge read what will be written.

        Returns:
            Images `(n, height, width, channels)` uint8 and the judge's probabilities
            `(n, num_classes)` float32, NaN where codes or image were not finite.
        """
        result = _in_batches(self._render, latents)
        return result["images"], result["probabilities"]

    def judge(self, images: np.ndarray, judge: str = "auditor") -> np.ndarray:
        """Class probabilities `(n, num_classes)` of uint8 images by `"judge"` or `"auditor"`."""
        return _in_batches(self._judges[judge], {"images": images})["probabilities"]

    def classify(self, latents: Latents) -> np.ndarray:
        """The class that the model itself reads in the codes, `(n,)` int64."""
        scores = _in_batches(lambda codes: {"scores": self._class_scores(codes)}, latents)["scores"]
        return np.argmax(scores, axis=-1)

    def _encode_batch(self, pixels: Columns) -> Columns:
        return self.bundle.model.encode(_scale(pixels["images"], self.bundle.model.value_range))

    def _sample_batch(self, pixels: Columns, seed: tf.Tensor) -> Columns:
        observations = _scale(pixels["images"], self.bundle.model.value_range)
        posterior = self.bundle.model.posterior(observations)
        return {name: block.sample(seed=seed) for name, block in posterior.items()}

    def _render_batch(self, latents: Columns) -> Columns:
        low, high = self.bundle.model.value_range
        decoded = self.bundle.model.decode(latents)
        levels = tf.round((decoded - low) * (255.0 / (high - low)))
        finite = tf.reduce_all(tf.math.is_finite(decoded), axis=(1, 2, 3))
        for block in latents.values():  # a network can hide what is not finite
            finite &= tf.reduce_all(tf.math.is_finite(block), axis=-1)
        images = tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)
        probabilities = self._judge_batch("judge")({"images": images})["probabilities"]
        return {
            "images": images,
            "probabilities": tf.where(finite[:, None], probabilities, np.nan),
        }

    def _judge_batch(self, name: str) -> Callable[[Columns], Columns]:
        network = getattr(self.bundle, name)

        def judge(pixels: Columns) -> Columns:
            logits = network(_scale(pixels["images"], CLASSIFIER_RANGE), training=False)
            return {"probabilities": tf.nn.softmax(logits)}

        return judge


def _scale(images: tf.Tensor, value_range: tuple[float, float]) -> tf.Tensor:
    low, high = value_range
    return tf.cast(images, tf.float32) * ((high - low) / 255.0) + low


def _in_batches(
    function: Callable[[Columns], Columns], columns: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Runs a fixed-batch function over columns of any length, padding the end with zeros."""
    num_rows = len(next(iter(columns.values())))
    results = []
    for start in range(0, max(num_rows, 1), BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        results.append(function({name: _padded(column[rows]) for name, column in columns.items()}))
    return {
        name: np.concatenate([result[name].numpy() for result in results])[:num_rows]
        for name in results[0]
    }


def _padded(rows: np.ndarray) -> np.ndarray:
    missing = BATCH_SIZE - len(rows)
    return np.pad(rows, [(0, missing)] + [(0, 0)] * (rows.ndim - 1)) if missing else rows
