"""The blocks of a code, Gaussian or categorical.

Both kinds have the same interface, so the model does not depend on the kind. The outputs of the
model have the code of a block `z` under `z` and its posterior under `z/...`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.probability import OneHotCategorical, tfd
from latentloom.model_zoo.losses.aggregate_posterior import gaussian_log_density
from latentloom.model_zoo.losses.divergences import BlockDensities, BlockProbabilities
from latentloom.model_zoo.networks.class_density import ClassDensity, ClassWeights

LOG_VARIANCE_CENTRE, LOG_VARIANCE_REACH = -4.0, 8.0
"""Log variances stay within the reach of the centre. Posteriors without width do not overlap, and
then the total correlation has no gradient."""

SMALLEST_PROBABILITY = 1e-9
"""Least probability of a value, so that one-hot labels have finite logs, too."""

Outputs = Mapping[str, Any]
"""Outputs of the model."""


class GaussianBlock:
    """Mean and log variance of a diagonal Gaussian; the prior is standard normal.

    Args:
        name: Name of the block.
        dim: Integer, size of the block.
    """

    factor = None

    def __init__(self, name: str, dim: int):
        self.name, self.dim, self.encoder_dim = name, dim, 2 * dim

    def moments(self, encoded) -> dict:
        """Posteriors from the encoder's output for this block."""
        loc, raw = ops.split(encoded, 2, axis=-1)
        bounded = ops.tanh((raw - LOG_VARIANCE_CENTRE) / LOG_VARIANCE_REACH)
        log_variance = LOG_VARIANCE_CENTRE + LOG_VARIANCE_REACH * bounded
        return {f"{self.name}/loc": loc, f"{self.name}/log_variance": log_variance}

    def draw(self, moments: Outputs, seed: keras.random.SeedGenerator):
        """Draws a code from every posterior, `(batch, dim)`, differentiable."""
        loc, log_variance = self._of(moments)
        return loc + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(loc), seed=seed)

    def point(self, moments: Outputs):
        """The code without noise, `(batch, dim)`."""
        return moments[f"{self.name}/loc"]

    def densities(self, outputs: Outputs) -> BlockDensities:
        """Log densities of the codes of a batch under every posterior and under the prior."""
        codes = outputs[self.name]
        prior = -0.5 * (ops.square(codes) + math.log(2.0 * math.pi))
        return BlockDensities(gaussian_log_density(codes, *self._of(outputs)), prior)

    def posterior(self, moments: Outputs):
        """The posteriors, as TFP."""
        loc, log_variance = self._of(moments)
        normal = tfd.Normal(loc, ops.exp(0.5 * log_variance))
        return tfd.Independent(normal, reinterpreted_batch_ndims=1)

    def prior(self):
        """The prior, as TFP."""
        zeros = ops.zeros((self.dim,))
        return tfd.Independent(tfd.Normal(zeros, ops.exp(zeros)), reinterpreted_batch_ndims=1)

    def prior_arrays(self) -> dict[str, np.ndarray]:
        """The prior as weights, loc and scale of one component for all classes."""
        loc = np.zeros((1, 1, self.dim), np.float32)
        return {"weights": np.ones((1, 1), np.float32), "loc": loc, "scale": np.ones_like(loc)}

    def class_density(self, num_classes: int, num_components: int) -> keras.layers.Layer:
        """Makes the layer that holds the density of the codes of every class."""
        return ClassDensity(num_classes, num_components, self.dim)

    def _of(self, outputs: Outputs) -> tuple[Any, Any]:
        return outputs[f"{self.name}/loc"], outputs[f"{self.name}/log_variance"]


class CategoricalBlock:
    """Probabilities of the values; the prior is uniform. A code is a point of the simplex.

    Args:
        name: Name of the block.
        dim: Integer, number of values, which is the size of the code.
        factor: Name of the factor that the values belong to, or `None`.
        temperature: Float, temperature of the relaxed codes that the decoder is trained on.
        is_enumerated: Whether loss terms of all blocks together sum over the values. Otherwise they
            use the drawn value.
    """

    def __init__(
        self, name: str, dim: int, factor: str | None, temperature: float, is_enumerated: bool
    ):
        self.name, self.dim, self.encoder_dim, self.factor = name, dim, dim, factor
        self.temperature, self.is_enumerated = temperature, is_enumerated

    def moments(self, encoded) -> dict:
        """Posteriors from the encoder's logits for this block."""
        return {f"{self.name}/log_probabilities": self.log_probabilities(ops.softmax(encoded))}

    def log_probabilities(self, probabilities):
        """Logs of probabilities `(batch, dim)`, which are kept above 0."""
        share = 1.0 - self.dim * SMALLEST_PROBABILITY
        return ops.log(share * probabilities + SMALLEST_PROBABILITY)

    def draw(self, moments: Outputs, seed: keras.random.SeedGenerator):
        """Draws a relaxed one-hot code from every posterior, `(batch, dim)`, differentiable.

        The position of the largest entry is a sample of the posterior.

        Reference:
            Maddison et al., The Concrete Distribution, ICLR 2017.
        """
        logits = moments[f"{self.name}/log_probabilities"]
        uniform = keras.random.uniform(ops.shape(logits), 1e-7, 1.0 - 1e-7, seed=seed)
        return ops.softmax((logits - ops.log(-ops.log(uniform))) / self.temperature)

    def point(self, moments: Outputs):
        """The probabilities, `(batch, dim)`."""
        return ops.exp(moments[f"{self.name}/log_probabilities"])

    def densities(self, outputs: Outputs) -> BlockProbabilities:
        """Log probabilities of all values under every posterior and under the prior."""
        prior = ops.full((self.dim,), -math.log(self.dim))
        values = None if self.is_enumerated else ops.argmax(outputs[self.name], axis=-1)
        return BlockProbabilities(outputs[f"{self.name}/log_probabilities"], prior, values)

    def shown(self, labels) -> dict:
        """Code and posterior of examples with known labels, `(batch,)`."""
        code = ops.one_hot(labels, self.dim, dtype="float32")
        return {self.name: code, f"{self.name}/log_probabilities": self.log_probabilities(code)}

    def posterior(self, moments: Outputs):
        """The posteriors of one-hot codes, as TFP."""
        logits = moments[f"{self.name}/log_probabilities"]
        return OneHotCategorical(logits=logits, dtype="float32")

    def prior(self):
        """The prior, as TFP."""
        return OneHotCategorical(logits=ops.zeros((self.dim,)), dtype="float32")

    def prior_arrays(self) -> dict[str, np.ndarray]:
        """The prior with one component a value; if tied to a factor, one component a class."""
        corners = np.eye(self.dim, dtype=np.float32)
        loc = corners[:, None] if self.factor else corners[None]
        weights = np.full(loc.shape[:2], 1.0 / loc.shape[1], np.float32)
        return {"weights": weights, "loc": loc, "scale": np.zeros_like(loc)}

    def class_density(self, num_classes: int, num_components: int) -> keras.layers.Layer:
        """Makes the layer that holds the weights of the values in every class."""
        return ClassWeights(num_classes, self.dim)


Block = GaussianBlock | CategoricalBlock


def make_blocks(
    blocks: Mapping[str, Mapping[str, Any]],
    num_classes: int,
    temperature: float,
    max_joint_classes: int,
) -> list[Block]:
    """Makes the blocks that a configuration describes, in order.

    Args:
        blocks: Checked settings by name: `{"dim": n}` for a Gaussian block, `{"values": K}` or
            `{"factor": "label"}` for a categorical block.
        num_classes: Integer, number of classes.
        temperature: Float, temperature of relaxed codes.
        max_joint_classes: Integer, largest number of combinations of values to sum over. In order,
            each categorical block that stays within it is enumerated.
    """
    made, combinations = [], 1
    for name, described in blocks.items():
        if "dim" in described:
            made.append(GaussianBlock(name, described["dim"]))
            continue
        factor = described.get("factor")
        values = num_classes if factor else described["values"]
        is_enumerated = combinations * values <= max_joint_classes
        combinations *= values if is_enumerated else 1
        made.append(CategoricalBlock(name, values, factor, temperature, is_enumerated))
    return made
