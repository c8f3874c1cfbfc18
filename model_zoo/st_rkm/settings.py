"""The settings of the Stiefel-Restricted Kernel Machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from latentloom.model_zoo.arguments import (
    Count,
    Dim,
    Flag,
    Positive,
    Ratio,
    Seed,
    Weight,
)
from latentloom.model_zoo.networks.architecture import NetworkSettings, resolve_network

FORMS = ("deterministic", "noisy", "split")
VALUE_RANGE = (-1.0, 1.0)
"""Range of the scaled pixels."""


@dataclass(frozen=True, kw_only=True)
class StRKMSettings(NetworkSettings):
    """Settings from the configuration, in addition to the network.

    Args:
        dim: Integer, size of the code, `m`.
        feature_dim: Integer, size of the features, `l`, at least `dim`.
        loss: `"deterministic"`, `"noisy"` or `"split"`; see `model_zoo.st_rkm.losses`.
        noise: Float, scale of the noise of the codes in the noisy and the split form.
        relative_noise: Whether `noise` is in units of the root mean square of the codes.
        noisy_every: Count; the split form also decodes one of so many examples with noise. The
            paper decodes every example (1), which takes half of the time of a step.
        reconstruction_weight: Float, `c`: weight of half the squared error, summed over pixels in
            `[0, 1]`.
        pca_weight: Float, weight of the squared distance of features from the subspace, 1 in the
            paper. With 0 the features are not tied to the subspace.
        subspace_rate: Float, learning rate of the basis relative to the networks.
        num_components: Integer, components of the mixture of each class.
        seed: Integer, seed of the noise and of the first basis.
    """

    dim: Dim = 10
    feature_dim: Dim = 50
    loss: str = "split"
    noise: Weight = 0.1
    relative_noise: Flag = True
    noisy_every: Count = 4
    reconstruction_weight: Positive = 1.0
    pca_weight: Weight = 1.0
    subspace_rate: Annotated[Ratio, Field(gt=0)] = 10.0
    num_components: Count = 5
    seed: Seed = 0

    def resolved(self, observation_shape: tuple[int, ...]) -> StRKMSettings:
        """Returns these settings with the network resolved for the shape of the observations."""
        return replace(self, network=resolve_network(self.network, observation_shape))

    def check(self) -> None:
        """Checks the settings.

        Raises:
            ValueError: The form of the loss is unknown, or a number is out of range.
        """
        if self.loss not in FORMS:
            raise ValueError(
                f"The loss is unknown. Expected: one of {', '.join(FORMS)}. Received: "
                f"loss={self.loss!r}. Set `model.args.loss` to one of these."
            )
        if not 1 <= self.dim <= self.feature_dim:
            raise ValueError(
                "The subspace does not fit into the features. Expected: 1 <= dim <= feature_dim. "
                f"Received: dim={self.dim}, feature_dim={self.feature_dim}. Lower "
                "`model.args.dim`, or raise `model.args.feature_dim`."
            )
        if self.loss != "deterministic" and not self.noise > 0:
            raise ValueError(
                f"`noise` is out of range. Expected: above 0. Received: noise={self.noise}. Raise "
                "`model.args.noise`."
            )
