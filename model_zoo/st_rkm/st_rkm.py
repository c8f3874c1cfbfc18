"""The Stiefel-Restricted Kernel Machine.

Pandey, Fanuel, Schreurs and Suykens, Disentangled Representation Learning and Generation With
Manifold Optimization, Neural Computation 34(10), 2022. The code of this auto-encoder is the
coordinates of features in a subspace. The orthonormal basis `U` of the subspace is learnt on the
Stiefel manifold. After training, `settle` turns the basis so that the axes of the code are
decorrelated and sorted by variance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.st_rkm.losses import add_noise, loss_terms
from latentloom.model_zoo.st_rkm.networks import build_networks
from latentloom.model_zoo.st_rkm.settings import VALUE_RANGE, StRKMSettings
from latentloom.model_zoo.training.batches import labels_of
from latentloom.model_zoo.training.trackers import make_trackers, update_trackers


@keras.saving.register_keras_serializable(package="latentloom")
class StRKM(keras.Model):
    """Auto-encoder with one block `h`; its axes are decorrelated and sorted by variance.

    No network sees a label. After training, labels select the codes to which the Gaussian mixture
    of each class is fitted. The recipe `sample_class` draws from it; `traverse` moves along axes.

    Reference:
        Pandey et al., Neural Computation 34(10), 2022, https://arxiv.org/abs/2006.07046. Deviates:
        ReLU in place of leaky ReLU; a mixture for each class in place of one Gaussian for all
        classes; the deviations of `Subspace`; `relative_noise`, because the scale of the codes is
        unbounded and fixed noise becomes negligible; `noisy_every`.

    Args:
        observation_shape: `(height, width, channels)` in pixels, or `(features,)` for vectors.
        num_classes: Integer, number of classes.
        **arguments: The fields of `StRKMSettings`.

    Input shape:
        Observations in `[-1, 1]`, `(batch, *observation_shape)`.

    Output shape:
        A dictionary: `h` `(batch, dim)`; `centred`, the centred features `(batch, feature_dim)`;
        `reconstruction` with the shape of the input; and in the split form `noisy`, the
        reconstruction of every `noisy_every`-th example, in training from its code with noise.
    """

    settings_class = StRKMSettings
    value_range = VALUE_RANGE
    monitor = "val_objective"

    def __init__(
        self,
        observation_shape: Sequence[int],
        num_classes: int,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        **arguments,
    ):
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.observation_shape = tuple(int(side) for side in observation_shape)
        self.num_classes = num_classes
        self.settings = StRKMSettings(**arguments).resolved(self.observation_shape)
        self.settings.check()
        networks = build_networks(self.settings, self.observation_shape, num_classes)
        # Keras saves weights under the names of these attributes.
        self.encoder, self.subspace = networks.encoder, networks.subspace
        self.decoder, self.density = networks.decoder, networks.density
        self.noise_source = keras.random.SeedGenerator(self.settings.seed)
        self.trackers = make_trackers((*self.loss_weights, "objective"))
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """The block `h`, which carries the label."""
        return {"h": {"dim": self.settings.dim, "factors": ["label"]}}

    def encode(self, observations):
        """Encodes to coordinates in the subspace."""
        return {"h": self.subspace(self.encoder(observations))}

    def decode(self, latents):
        """Decodes the features with these coordinates, `(batch, *observation_shape)`."""
        return self.decoder(self.subspace.lift(latents["h"]))

    def class_scores(self, latents):
        """Log density of the code in every class, `(batch, num_classes)`."""
        return self.density.log_prob(latents["h"])

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distribution of the block given observations: a point."""
        return {"h": tfd.VectorDeterministic(self.encode(observations)["h"])}

    def prior(self):
        """Distribution of the block over all classes, equally weighted, fitted after training."""
        return {"h": self.density.all_classes()}

    def likelihood(self, latents):
        """Distribution of observations given the block: pixels with Gaussian noise.

        `reconstruction_weight` determines the scale of the noise. The evidence bound with this
        noise has the terms of the loss and the rate of the code, which the paper omits.
        """
        low, high = self.value_range
        scale = (high - low) / self.settings.reconstruction_weight**0.5
        return tfd.Independent(
            tfd.Normal(self.decode(latents), scale),
            reinterpreted_batch_ndims=len(self.observation_shape),
        )

    def settle(self, observations: Iterable[np.ndarray]) -> None:
        """Sorts the axes of the code by variance, given all training examples in batches."""
        self.subspace.settle(self.encoder(batch) for batch in observations)

    def fitted_priors(self, latents, factors):
        """Fits the mixture of every class, which `prior` and `class_scores` use from then on.

        Args:
            latents: `{"h": (n, dim) array}`, codes of training examples.
            factors: Factors of the examples, of which only the label is used; every class at least
                once.

        Returns:
            `{"h": {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, float32.
        """
        labels = np.asarray(labels_of(factors))
        return {"h": self.density.fit(latents["h"], labels, self.settings.seed)}

    # --- Training -----------------------------------------------------------------------------

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss."""
        half = 0.5 * self.settings.reconstruction_weight
        smooth = {"smoothness_loss": half} if self.settings.loss == "split" else {}
        return {"reconstruction_loss": half, "pca_loss": self.settings.pca_weight} | smooth

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Matrices with orthonormal columns, with their learning rate relative to the networks."""
        return {"subspace": ([self.subspace.basis], self.settings.subspace_rate)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms; labels are unused."""
        terms = loss_terms(self.settings, self.subspace, x, y_pred)
        objective = sum(weight * terms[name] for name, weight in self.loss_weights.items())
        update_trackers(self.trackers, {**terms, "objective": objective}, ops.shape(x)[0])
        return replica_share(objective)

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        settings = self.settings
        centred = self.subspace.centre(self.encoder(observations, training=training), training)
        codes = noisy = self.subspace.project(centred)
        if training and settings.loss != "deterministic":
            noisy = add_noise(settings, self.noise_source, codes)
        clean = self.decode({"h": noisy if settings.loss == "noisy" else codes})
        outputs = {"h": codes, "centred": centred, "reconstruction": clean}
        if settings.loss == "split":
            outputs["noisy"] = self.decode({"h": noisy[:: settings.noisy_every]})
        return outputs

    def get_config(self):
        given = {"observation_shape": self.observation_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **given, **asdict(self.settings)}
