"""A bundle made ready to run: compiled functions of a fixed batch, observation to code and back.

What is called an image here may be any kind of observation, as it is stored: images are uint8
`(n, height, width, channels)`, vectors float32 `(n, features)`, counts int32 `(n, words)`.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops

from latentloom.augment import BlockPrior, Latents, LatentSpec
from latentloom.model_zoo.bundle import Bundle
from latentloom.model_zoo.contract import HasClassPrior, HasTopics
from latentloom.model_zoo.metrics.posteriors import Posteriors
from latentloom.model_zoo.networks.classifier import feature_network
from latentloom.model_zoo.networks.heads import split_heads
from latentloom.model_zoo.training.fit import CLASSIFIER_RANGE
from latentloom.pipeline.codec.compilation import Columns, Signature, compiled
from latentloom.pipeline.codec.densities import density_columns, draw, read_posteriors
from latentloom.pipeline.observations import KINDS, Kind

BATCH_SIZE = 64
"""Rows a call; the last batch is padded. 64 was the knee of images per CPU-second."""


def spec_of(
    blocks: Mapping[str, Mapping[str, Any]], arrays: Mapping[str, np.ndarray]
) -> LatentSpec:
    """The blocks of a model's code with their priors, from what a bundle says of both."""
    priors = {name: BlockPrior.from_arrays(arrays, name) for name in blocks}
    return LatentSpec.from_dict(blocks, priors)


class Codec:
    """Encodes, decodes and judges whole arrays with the model and the judges of a bundle.

    Results for a row do not depend on the rows beside it; every call runs on exactly 64 rows.

    Args:
        bundle: The loaded bundle.
    """

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        model = bundle.model
        pixels = self._pixels
        seeded = {**pixels, "seed": ((2,), "int32")}
        codes = {
            name: ((BATCH_SIZE, block["dim"]), "float32")
            for name, block in model.latent_spec.items()
        }
        self._encode = compiled(self._encode_batch, [model], pixels)
        self._sample = compiled(self._sample_batch, [model], seeded)
        self._render = compiled(self._render_batch, [model, bundle.judge], codes)
        self._class_scores = compiled(self._score_batch, [model], codes)
        self._moments = compiled(self._moments_batch, [model], pixels)
        self._densities = compiled(self._density_batch, [model], seeded)
        classes = {"labels": ((BATCH_SIZE,), "int32"), "seed": ((2,), "int32")}
        self._prior = compiled(self._prior_batch, [model], classes)
        self._judges = {
            name: compiled(self._judge_batch(name), [getattr(bundle, name)], pixels)
            for name in ("judge", "auditor")
        }

    @property
    def _pixels(self) -> Signature:
        return {"images": ((BATCH_SIZE, *self.bundle.image_shape), self.bundle.scaling.dtype)}

    @property
    def kind(self) -> Kind:
        """The kind of observation that the bundle was trained on."""
        return KINDS[self.bundle.scaling.kind]

    @functools.cached_property
    def spec(self) -> LatentSpec:
        """The blocks of the model's code with the priors that training exported."""
        return spec_of(self.bundle.model.latent_spec, self.bundle.priors)

    def encode(self, images: np.ndarray) -> Latents:
        """Encodes images to latents without noise."""
        return _in_batches(self._encode, {"images": images})

    def sample_posterior(self, images: np.ndarray, seed: int) -> Latents:
        """Draws one sample of every block's posterior for each image."""
        return _in_batches(_seeded(self._sample, seed), {"images": images})

    def posterior_moments(self, images: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Mean and standard deviation of the posterior for each image, `(n, dim)` each.

        Blocks whose distribution does not know them are left out.
        """
        columns = _in_batches(self._moments, {"images": images})
        blocks = [name for name in self.bundle.model.latent_spec if f"{name}/loc" in columns]
        return {name: (columns[f"{name}/loc"], columns[f"{name}/scale"]) for name in blocks}

    def posteriors(self, images: np.ndarray, seed: int) -> dict[str, Posteriors]:
        """The posterior for each image of every block that has densities, with samples of it.

        Those are diagonal Gaussians and one-hot categorical distributions. Left out are points.
        """
        if not len(images):
            return {}
        return read_posteriors(_in_batches(_seeded(self._densities, seed), {"images": images}))

    @property
    def has_prior(self) -> bool:
        """Whether the model has a prior of its own, beside the one that was fitted for export."""
        return isinstance(self.bundle.model, HasClassPrior)

    def sample_prior(self, labels: np.ndarray, seed: int) -> Latents:
        """Draws the blocks that carry the label from the model's own prior, given `(n,)` labels."""
        return _in_batches(_seeded(self._prior, seed), {"labels": labels.astype(np.int32)})

    def render(self, latents: Latents) -> tuple[np.ndarray, np.ndarray]:
        """Decodes latents to images and lets the judge read what will be written.

        Returns:
            Images and the judge's probabilities `(n, num_classes)` float32, NaN where codes or
            image were not finite.
        """
        images, probabilities = self.render_factors(latents)
        return images, probabilities["label"]

    def render_factors(self, latents: Latents) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """As `render`, with the judge's probabilities `(n, num_values)` of all that it reads."""
        result = _in_batches(self._render, latents)
        return result.pop("image"), result

    def judge(self, images: np.ndarray, judge: str = "auditor") -> np.ndarray:
        """Class probabilities `(n, num_classes)` of images by `"judge"` or `"auditor"`."""
        return self.judge_factors(images, judge)["label"]

    def judge_factors(self, images: np.ndarray, judge: str = "auditor") -> dict[str, np.ndarray]:
        """Probabilities `(n, num_values)` of each factor that `"judge"` or `"auditor"` reads."""
        return _in_batches(self._judges[judge], {"images": images})

    def features(self, images: np.ndarray) -> np.ndarray:
        """The auditor's last hidden layer for images as stored, `(n, 256)` float32."""
        return _in_batches(self._features, {"images": images})["features"]

    @functools.cached_property
    def _features(self) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
        network = feature_network(self.bundle.auditor)

        def features(pixels: Columns) -> Columns:
            return {"features": network(self._classified(pixels), training=False)}

        return compiled(features, [self.bundle.auditor], self._pixels)

    def evidence_bound(self, images: np.ndarray, seed: int) -> np.ndarray:
        """Lower bounds on the log probability of observations, `(n,)` in nats, one draw each."""
        return _in_batches(_seeded(self._evidence, seed), {"images": images})["bound"]

    @functools.cached_property
    def _evidence(self) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
        model = self.bundle.model

        def evidence(columns: Columns) -> Columns:
            return {"bound": model.evidence_bound(self._observed(columns), columns["seed"])}

        return compiled(evidence, [model], {**self._pixels, "seed": ((2,), "int32")})

    def topic_weights(self) -> np.ndarray | None:
        """How much each dimension of the code favours each word, `(dim, words)`, if it has words.

        The dimensions are those of the blocks that are learnt, in the order of the code.
        """
        model = self.bundle.model
        weights = model.topic_weights() if isinstance(model, HasTopics) else None
        return None if weights is None else np.asarray(ops.convert_to_numpy(weights))

    def classify(self, latents: Latents) -> np.ndarray:
        """The class that the model itself reads in the codes, `(n,)` int64."""
        return np.argmax(self.class_scores(latents), axis=-1)

    def class_scores(self, latents: Latents) -> np.ndarray:
        """What the model itself reads of the class in the codes, `(n, num_classes)` scores."""
        return _in_batches(self._class_scores, latents)["scores"]

    def _observed(self, pixels: Columns):
        """What the model sees of images."""
        observations = ops.cast(pixels["images"], "float32")
        return self.bundle.scaling.to_model(observations, self.bundle.model.value_range)

    def _classified(self, pixels: Columns):
        """What judge and auditor see of images."""
        observations = ops.cast(pixels["images"], "float32")
        return self.bundle.scaling.for_classifiers.to_model(observations, CLASSIFIER_RANGE)

    def _encode_batch(self, pixels: Columns) -> Columns:
        return self.bundle.model.encode(self._observed(pixels))

    def _sample_batch(self, columns: Columns) -> Columns:
        return draw(self.bundle.model.posterior(self._observed(columns)), columns["seed"])

    def _moments_batch(self, pixels: Columns) -> Columns:
        columns = {}
        for name, block in self.bundle.model.posterior(self._observed(pixels)).items():
            with contextlib.suppress(NotImplementedError):  # TFP, of a distribution without them
                columns |= {f"{name}/loc": block.mean(), f"{name}/scale": block.stddev()}
        return columns

    def _density_batch(self, columns: Columns) -> Columns:
        posterior = self.bundle.model.posterior(self._observed(columns))
        return density_columns(posterior, columns["seed"])

    def _prior_batch(self, columns: Columns) -> Columns:
        prior = self.bundle.model.class_prior(columns["labels"])
        carriers = {name: prior[name] for name in self.spec.carriers("label")}
        return draw(carriers, columns["seed"])

    def _score_batch(self, latents: Columns) -> Columns:
        return {"scores": self.bundle.model.class_scores(latents)}

    def _render_batch(self, latents: Columns) -> Columns:
        decoded = self.bundle.model.decode(latents)
        images = self.bundle.scaling.from_model(decoded, self.bundle.model.value_range)
        finite = ops.all(ops.isfinite(decoded), axis=tuple(range(1, len(decoded.shape))))
        for block in latents.values():  # a network can hide what is not finite
            finite = ops.logical_and(finite, ops.all(ops.isfinite(block), axis=-1))
        read = self._judge_batch("judge")({"images": images})
        finite = ops.expand_dims(finite, -1)
        return {"image": images} | {
            factor: ops.where(finite, probabilities, float("nan"))
            for factor, probabilities in read.items()
        }

    def _judge_batch(self, name: str) -> Callable[[Columns], Columns]:
        network = getattr(self.bundle, name)

        def judge(pixels: Columns) -> Columns:
            logits = network(self._classified(pixels), training=False)
            heads = split_heads(logits, list(self.bundle.judge_sizes.values()))
            return {
                factor: ops.softmax(part)
                for factor, part in zip(self.bundle.judge_sizes, heads, strict=True)
            }

        return judge


def _seeded(
    function: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]], seed: int
) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """Gives every further batch a random seed of its own, beside that of the call."""
    first, batches = seed % 2**31, itertools.count()
    return lambda columns: function(columns | {"seed": np.array([first, next(batches)], np.int32)})


def _in_batches(
    function: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]],
    columns: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Runs a fixed-batch function over columns of any length, padding the end with zeros."""
    num_rows = len(next(iter(columns.values())))
    results = []
    for start in range(0, max(num_rows, 1), BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        results.append(function({name: _padded(column[rows]) for name, column in columns.items()}))
    return {
        name: np.concatenate([result[name] for result in results])[:num_rows] for name in results[0]
    }


def _padded(rows: np.ndarray) -> np.ndarray:
    missing = BATCH_SIZE - len(rows)
    return np.pad(rows, [(0, missing)] + [(0, 0)] * (rows.ndim - 1)) if missing else rows
