"""What every model of the zoo offers to the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable


@runtime_checkable
class LatentModel(Protocol):
    """A Keras model that encodes observations into named latent blocks and decodes these.

    `encode` and `decode` are deterministic: sampling is planned outside the model. `compute_loss`
    returns the one scalar that Keras' own `fit` minimises.
    """

    value_range: ClassVar[tuple[float, float]]
    """What `uint8` pixels are scaled to; `model_zoo.scaling` says it of other observations."""
    monitor: ClassVar[str]
    """Name of the logged validation figure, smaller is better, that stops training early."""

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order: `{name: {"dim": size, "factors": [names of factors it carries]}}`."""
        ...

    def encode(self, observations: Any) -> Mapping[str, Any]:
        """Maps `(batch, *event shape)` to one `(batch, dim)` tensor a block."""
        ...

    def decode(self, latents: Mapping[str, Any]) -> Any:
        """Maps one `(batch, dim)` tensor a block to `(batch, *event shape)`."""
        ...

    def posterior(self, observations: Any) -> Mapping[str, Any]:
        """TFP distribution of every block given observations."""
        ...

    def class_scores(self, latents: Mapping[str, Any]) -> Any:
        """What the model reads of the class in its codes, `(batch, num_classes)` scores."""
        ...

    def fitted_priors(
        self, latents: Mapping[str, Any], factors: Any
    ) -> Mapping[str, Mapping[str, Any]]:
        """Mixture weights, loc and scale of every block's prior, after training, as arrays.

        `factors` are those of the encoded examples: see `model_zoo.training.batches.Factors`.
        """
        ...
