"""Figures of single test images: reconstruction errors, and predictions from their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.model_zoo.metrics.copies import nearest_examples
from latentloom.model_zoo.metrics.pixels import excess_cross_entropy, squared_errors
from latentloom.model_zoo.metrics.strokes import measure_strokes
from latentloom.model_zoo.metrics.transfer import linear_residuals
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose, sample
from latentloom.pipeline.evaluation.context import EvaluationContext

Readings = dict[str, np.ndarray]
"""Figures of every image by name, float64 `(n,)` each. Reports give their mean over images."""


@dataclass(frozen=True)
class ReadImages:
    """Images that no model was trained on, with figures of models.

    Attributes:
        factors: Value indices `(n,)` of every factor of the images.
        held_in: Whether the cell of each image was in the training data, bool `(n,)`.
        attributes: Names of attributes that are measured from pixels.
        pruned: Figures of the evaluated model.
        full: Figures of the full model; empty without one.
        nearest: Figures of the nearest training images.
    """

    factors: Mapping[str, np.ndarray]
    held_in: np.ndarray
    attributes: Sequence[str]
    pruned: Readings
    full: Readings
    nearest: Readings


def read_images(context: EvaluationContext, num_rows: int) -> ReadImages:
    """Measures images of seen cells, and up to `num_rows` times as many of unseen cells."""
    evaluate, seed, folds = context.config.evaluate, context.config.generate.seed, context.folds
    usual = sample(folds.of_seen_cells, evaluate.anchors, seed, "held in")
    unseen = sample(folds.of_unseen_cells, evaluate.anchors * num_rows, seed, "unseen")
    test = Examples.concatenate([usual, unseen])
    known = choose(folds.train, evaluate.probe_examples, 0, "probe")
    attributes = list(context.terciles.limits)
    full = context.full
    return ReadImages(
        factors=test.factors,
        held_in=np.arange(len(test)) < len(usual),
        attributes=attributes,
        pruned=read_model(context.codec, known, test, attributes),
        full=read_model(full, known, test, attributes) if full else {},
        nearest=read_nearest(test.observations, folds.train.observations),
    )


def read_reconstructions(decoded: np.ndarray, originals: np.ndarray) -> Readings:
    """Errors of reconstructions.

    Args:
        decoded: uint8 `(n, height, width, channels)`.
        originals: uint8 `(n, height, width, channels)`.

    Returns:
        `nats`, the cross-entropy above its lower bound, and `squares`, the mean squared error of
        pixels in `[0, 1]`; float64 `(n,)` each.
    """
    return {
        "nats": excess_cross_entropy(decoded, originals),
        "squares": squared_errors(decoded, originals),
    }


def read_nearest(images: np.ndarray, train: np.ndarray) -> Readings:
    """Errors of the nearest training image in place of a reconstruction.

    A model is of use only if it does better than this lookup.
    """
    _, places = nearest_examples(images, train)
    return read_reconstructions(train[places[:, 0]], images)


def read_model(
    codec: Codec, train: Examples, test: Examples, attributes: Sequence[str]
) -> Readings:
    """Errors of a model, and of predictions from its mean codes.

    Args:
        codec: The codec of the model.
        train: Training examples, to fit linear maps from code to attribute.
        test: Examples that the model was not trained on.
        attributes: Names of attributes that are measured from pixels.

    Returns:
        The figures of `read_reconstructions`; `class`, whether the model itself classifies the
        image correctly; and by name of each attribute the squared error of a linear map.
    """
    latents = codec.encode(test.observations)
    figures = read_reconstructions(codec.render(latents)[0], test.observations)
    figures["class"] = (codec.classify(latents) == test.labels).astype(np.float64)
    if attributes:
        codes = _joined(latents)
        train_codes = _joined(codec.encode(train.observations))
    for name in attributes:
        values, known = (measure_strokes(part.observations, name) for part in (test, train))
        figures[name] = np.square(linear_residuals(train_codes, known, codes, values))
    return figures


def mean_of(figures: Readings, name: str, rows: np.ndarray) -> float | None:
    """Mean of a figure over some images, or None if the images or the figure are missing."""
    if name not in figures or not rows.any():
        return None
    return float(np.mean(figures[name][rows]))


def _joined(latents: Mapping[str, np.ndarray]) -> np.ndarray:
    """All blocks of a code side by side, `(n, dim)`."""
    return np.concatenate([latents[name] for name in sorted(latents)], axis=1)
