"""What every model of the zoo offers to training and to the pipeline, and what some offer beside.

A capability that only some models have is a protocol of its own: whoever uses it asks
`isinstance(model, SettlesAxes)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable


@runtime_checkable
class LatentModel(Protocol):
    """A Keras model that encodes observations into named latent blocks and decodes these.

    `encode` and `decode` are deterministic: sampling is planned outside the model. `compute_loss`
    returns the one scalar that Keras' own `fit` minimises.
    """

    settings_class: ClassVar[type]
    """Frozen dataclass of the arguments that a configuration or the data may set."""
    value_range: ClassVar[tuple[float, float]]
    """What `uint8` pixels are scaled to; `model_zoo.scaling` says it of other observations."""
    monitor: ClassVar[str]
    """Name of the logged validation figure, smaller is better, that stops training early."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Event shape of an observation, of images `(height, width, channels)` in pixels."""
        ...

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


# --- What a model may offer beside ------------------------------------------------------------


@runtime_checkable
class MakesBatches(Protocol):
    """A model that learns from batches of its own making."""

    def sampler(self, images: Any, factors: Any) -> Callable[..., Any]:
        """What makes the batches, given all training examples and their factors.

        Returns:
            A function of images, factors and the settings of `model_zoo.training.batches.Batches`.
        """
        ...


@runtime_checkable
class LearnsAtOtherRates(Protocol):
    """A model of which some networks learn faster or slower than the others."""

    @property
    def relative_rates(self) -> Mapping[str, tuple[Any, float]]:
        """Layers, by name, and their learning rate over that of the others."""
        ...


@runtime_checkable
class HasStiefelMatrices(Protocol):
    """A model with matrices whose columns have to stay orthonormal in training."""

    @property
    def stiefel_groups(self) -> Mapping[str, tuple[Sequence[Any], float]]:
        """Such matrices, by name, and their learning rate over that of the networks."""
        ...


@runtime_checkable
class SettlesAxes(Protocol):
    """A model that turns the axes of its code after training."""

    def settle(self, observations: Iterable[Any]) -> None:
        """Turns the axes, given all training examples in batches, as the model sees them."""
        ...


@runtime_checkable
class ShowsDivergence(Protocol):
    """A model whose figures can show that training fails although they are finite."""

    def symptom_of_divergence(self, figures: dict[str, float]) -> tuple[str, str] | None:
        """What was expected and received in the figures of an epoch, and the setting to lower.

        `None` if training goes well.
        """
        ...


@runtime_checkable
class HasClassPrior(Protocol):
    """A model that learns a prior of its blocks for every class."""

    def class_prior(self, labels: Any) -> Mapping[str, Any]:
        """TFP distribution of every block, given labels `(batch,)`."""
        ...


@runtime_checkable
class HasBound(Protocol):
    """A model that bounds the log probability of observations."""

    def evidence_bound(self, observations: Any, seed: Any) -> Any:
        """Lower bounds in expectation, `(batch,)` in nats, with a seed `(2,)` for one draw each."""
        ...


@runtime_checkable
class HasTopics(Protocol):
    """A model of words whose decoder can be read."""

    def topic_weights(self) -> Any | None:
        """How much each dimension of the learnt blocks favours each word, `(dim, words)`.

        `None` where observations have no words.
        """
        ...
