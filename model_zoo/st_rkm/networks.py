"""The networks of the Stiefel-Restricted Kernel Machine."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from latentloom.model_zoo.networks.class_density import ClassDensity
from latentloom.model_zoo.networks.encoder_decoder import image_decoder, image_encoder
from latentloom.model_zoo.networks.subspace import Subspace
from latentloom.model_zoo.st_rkm.settings import StRKMSettings


@dataclass(frozen=True)
class StRKMNetworks:
    """The built layers of the model.

    Attributes:
        encoder: Maps observations `(batch, *observation_shape)` to features `(batch, feature_dim)`.
        subspace: Maps features to codes `(batch, dim)`, and back.
        decoder: Maps features to observations.
        density: Mixture of the codes of every class, fitted after training.
    """

    encoder: keras.Sequential
    subspace: Subspace
    decoder: keras.Model
    density: ClassDensity


def build_networks(
    settings: StRKMSettings, observation_shape: tuple[int, ...], num_classes: int
) -> StRKMNetworks:
    """Builds the networks of the model."""
    dim, feature_dim, architecture = settings.dim, settings.feature_dim, settings.architecture()
    return StRKMNetworks(
        encoder=image_encoder(observation_shape, feature_dim, architecture, name="encoder"),
        subspace=Subspace(feature_dim, dim, settings.seed, name="subspace"),
        decoder=image_decoder(feature_dim, observation_shape, architecture, name="decoder"),
        density=ClassDensity(num_classes, settings.num_components, dim, name="density"),
    )
