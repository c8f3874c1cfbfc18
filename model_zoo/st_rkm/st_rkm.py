"""The Stiefel-Restricted Kernel Machine.

Pandey, Fanuel, Schreurs and Suykens, Disentangled Representation Learning and Generation With
Manifold Optimization, Neural Computation 34(10), 2022. An auto-encoder whose code are the
coordinates of features in a subspace with an orthonormal basis `U`, which is learnt on the Stiefel
manifold. After training the basis is turned so that the axes of the code are decorrelated and
sorted by variance.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.networks.architecture import Architecture, resolve_network
from latentloom.model_zoo.networks.class_density import ClassDensity
from latentloom.model_zoo.networks.encoder_decoder import (
    image_decoder,
    image_encoder,
)
from latentloom.model_zoo.networks.subspace import Subspace
from latentloom.model_zoo.st_rkm.losses import add_noise, loss_terms
from latentloom.model_zoo.st_rkm.settings import check_arguments
from latentloom.model_zoo.training.batches import labels_of


@keras.saving.register_keras_serializable(package="latentloom")
class StRKM(keras.Model):
    """Auto-encoder with one block `h`, whose axes are decorrelated and sorted by variance.

    Labels reach no network. They choose, after training, the Gaussian mixture that each class is
    drawn from: `sample_class` makes new examples of a class, `traverse` moves along axes.

    Reference:
        Pandey et al., Neural Computation 34(10), 2022, https://arxiv.org/abs/2006.07046. Deviates:
        ReLU networks in place of leaky ones; a mixture for each class in place of one Gaussian of
        all; what `Subspace` says; `relative_noise`, without which the noise is nothing beside
        codes whose scale is free; `noisy_every`.

    Args:
        image_shape: `(height, width, channels)` in pixels, or `(features,)` of a vector.
        num_classes: Integer, number of classes.
        dim: Integer, size of the code, `m`.
        feature_dim: Integer, size of the features, `l`, at least `dim`.
        loss: `"deterministic"`, `"noisy"` or `"split"`; see `model_zoo.st_rkm.losses`.
        noise: Float, scale of the noise of the codes in the latter two.
        relative_noise: Whether `noise` is in units of the root mean square of the codes.
        noisy_every: Integer, how many examples of a batch there are to one that the split form
            decodes with noise, too, which costs half a step if it is every one, as in the paper.
        reconstruction_weight: Float, `c`: weight of half the squared error, summed over pixels in
            `[0, 1]`, beside the squared distance of features to the subspace.
        pca_weight: Float, weight of the latter, 1 in the paper. 0 leaves features anywhere.
        subspace_rate: Float, learning rate of the basis over that of the networks.
        num_components: Integer, components of the mixture of each class.
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        width: Integer, channels of the outermost convolution.
        hidden_dim: Integer, size of the hidden dense layers.
        kernel_size: Integer, side of the kernels of convolutions, in pixels.
        base_side: Integer, longest side at which no further convolution halves the image.
        seed: Integer, seed of the noise and of the first basis.

    Input shape:
        Observations in `[-1, 1]`, `(batch, *image_shape)`.

    Output shape:
        A dictionary: `h` `(batch, dim)`; `centred`, the centred features `(batch, feature_dim)`;
        `reconstruction` with the shape of the input, and in the split form `noisy`, that of every
        fourth example (`noisy_every`) from its code with noise.
    """

    value_range = (-1.0, 1.0)
    monitor = "val_objective"

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        *,
        dim: int = 10,
        feature_dim: int = 50,
        loss: str = "split",
        noise: float = 0.1,
        relative_noise: bool = True,
        noisy_every: int = 4,
        reconstruction_weight: float = 1.0,
        pca_weight: float = 1.0,
        subspace_rate: float = 10.0,
        num_components: int = 5,
        network: str = "auto",
        width: int = 32,
        hidden_dim: int = 256,
        kernel_size: int = 4,
        base_side: int = 8,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(int(side) for side in image_shape)
        self.num_classes, self.dim, self.feature_dim = num_classes, dim, feature_dim
        self.noise, self.relative_noise, self.noisy_every = noise, relative_noise, noisy_every
        self.reconstruction_weight, self.pca_weight = reconstruction_weight, pca_weight
        self.subspace_rate, self.num_components = subspace_rate, num_components
        self.network = resolve_network(network, self.image_shape)
        self.width, self.hidden_dim = width, hidden_dim
        self.kernel_size, self.base_side, self.seed = kernel_size, base_side, seed
        self.form = loss
        check_arguments(self)

        sizes = {
            name: getattr(self, name)
            for name in ("network", "width", "hidden_dim", "kernel_size", "base_side")
        }
        self.encoder = image_encoder(
            self.image_shape, feature_dim, Architecture(**sizes), name="encoder"
        )
        self.subspace = Subspace(feature_dim, dim, seed, name="subspace")
        self.decoder = image_decoder(
            feature_dim, self.image_shape, Architecture(**sizes), name="decoder"
        )
        self.density = ClassDensity(num_classes, num_components, dim, name="density")
        self.noise_source = keras.random.SeedGenerator(seed)
        self.trackers = {
            name: keras.metrics.Mean(name=name) for name in (*self.loss_weights, "objective")
        }
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """The block `h`; its mixtures know the label."""
        return {"h": {"dim": self.dim, "factors": ["label"]}}

    def encode(self, observations):
        """Encodes to coordinates in the subspace."""
        return {"h": self.subspace(self.encoder(observations))}

    def decode(self, latents):
        """Decodes the features with these coordinates, `(batch, *image_shape)`."""
        return self.decoder(self.subspace.lift(latents["h"]))

    def class_scores(self, latents):
        """Log density of the code in every class, `(batch, num_classes)`."""
        return self.density.log_prob(latents["h"])

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distribution of the block given observations: a point."""
        return {"h": tfd.VectorDeterministic(self.encode(observations)["h"])}

    def prior(self):
        """Distribution of the block over all classes alike, fitted after training."""
        return {"h": self.density.all_classes()}

    def likelihood(self, latents):
        """Distribution of observations given the block: pixels with Gaussian noise.

        With the noise that `reconstruction_weight` amounts to, whose evidence bound has the terms
        of the loss and one for the rate of the code, which the paper leaves out.
        """
        low, high = self.value_range
        scale = (high - low) / self.reconstruction_weight**0.5
        return tfd.Independent(
            tfd.Normal(self.decode(latents), scale),
            reinterpreted_batch_ndims=len(self.image_shape),
        )

    def settle(self, observations: Iterable[np.ndarray]) -> None:
        """Sorts the axes of the code by variance, given all training examples in batches."""
        self.subspace.settle(self.encoder(batch) for batch in observations)

    def fitted_priors(self, latents, factors):
        """Fits the mixture of every class, which `prior` and `class_scores` use from then on.

        Args:
            latents: `{"h": (n, dim) array}`, codes of training examples.
            factors: Their factors, of which the label counts; every class at least once.

        Returns:
            `{"h": {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, float32.
        """
        labels = np.asarray(labels_of(factors))
        return {"h": self.density.fit(latents["h"], labels, self.seed)}

    # --- Training -----------------------------------------------------------------------------

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss."""
        half = 0.5 * self.reconstruction_weight
        smooth = {"smoothness_loss": half} if self.form == "split" else {}
        return {"reconstruction_loss": half, "pca_loss": self.pca_weight} | smooth

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Matrices with orthonormal columns, and their learning rate over that of the networks."""
        return {"subspace": ([self.subspace.basis], self.subspace_rate)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms; labels play no part."""
        terms = loss_terms(self, x, y_pred)
        objective = sum(weight * terms[name] for name, weight in self.loss_weights.items())
        for name, value in {**terms, "objective": objective}.items():
            self.trackers[name].update_state(value, sample_weight=ops.shape(x)[0])
        return replica_share(objective)

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        centred = self.subspace.centre(self.encoder(observations, training=training), training)
        codes = self.subspace.project(centred)
        noisy = add_noise(self, codes) if training and self.form != "deterministic" else codes
        clean = self.decode({"h": noisy if self.form == "noisy" else codes})
        outputs = {"h": codes, "centred": centred, "reconstruction": clean}
        if self.form == "split":
            outputs["noisy"] = self.decode({"h": noisy[:: self.noisy_every]})
        return outputs

    def get_config(self):
        parameters = inspect.signature(type(self).__init__).parameters
        names = [name for name in parameters if name not in ("self", "kwargs", "loss")]
        values = {name: getattr(self, name) for name in names} | {"loss": self.form}
        return {**super().get_config(), **values}
