"""The contract of every model of the zoo, and one protocol for each optional capability.

A caller tests for an optional capability, for example with `isinstance(model, SettlesAxes)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable


@runtime_checkable
class LatentModel(Protocol):
    """A Keras model that encodes observations into named latent blocks and decodes these.

    `encode` and `decode` are deterministic: callers sample outside the model. `compute_loss`
    returns the scalar that Keras' own `fit` minimises.
    """

    settings_class: ClassVar[type]
    """Frozen dataclass of the arguments that a configuration or the data may set."""
    value_range: ClassVar[tuple[float, float]]
    """Range that `uint8` pixels are scaled to; for other observations see `model_zoo.scaling`."""
    monitor: ClassVar[str]
    """Name of the logged validation figure that early stopping watches; smaller is better."""

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one observation; `(height, width, channels)` in pixels for images."""
        ...

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order: `{name: {"dim": size, "factors": [names of factors it carries]}}`.

        A block with `"anchored": True`, such as one that holds the observation itself, comes from
        its own example or from its prior, never from another example. So no donor keeps it.
        """
        ...

    def encode(self, observations: Any) -> Mapping[str, Any]:
        """Maps `(batch, *event shape)` to one `(batch, dim)` tensor a block.

        A caller that needs some blocks compiles this and drops the other blocks. Then only the
        layers behind the kept blocks run, so networks of their own save time.
        """
        ...

    def decode(self, latents: Mapping[str, Any]) -> Any:
        """Maps one `(batch, dim)` tensor a block to `(batch, *event shape)`."""
        ...

    def posterior(self, observations: Any) -> Mapping[str, Any]:
        """TFP distribution of every block given observations."""
        ...

    def class_scores(self, latents: Mapping[str, Any]) -> Any:
        """Scores of the classes given the codes, `(batch, num_classes)`."""
        ...

    def fitted_priors(
        self, latents: Mapping[str, Any], factors: Any
    ) -> Mapping[str, Mapping[str, Any]]:
        """Mixture weights, loc and scale of every block's prior, after training, as arrays.

        `factors` belong to the encoded examples: see `model_zoo.training.batches.Factors`.
        """
        ...


# --- Optional capabilities --------------------------------------------------------------------


@runtime_checkable
class MakesBatches(Protocol):
    """A model that makes its own training batches."""

    def sampler(self, images: Any, factors: Any) -> Callable[..., Any]:
        """Returns the function that makes batches, given all training examples and factors.

        Returns:
            A function of images, factors and the settings of `model_zoo.training.batches.Batches`.
        """
        ...


@runtime_checkable
class LearnsAtOtherRates(Protocol):
    """A model in which some networks learn faster or slower than the others."""

    @property
    def relative_rates(self) -> Mapping[str, tuple[Any, float]]:
        """Layers or lists of variables by name, each with its rate relative to the other layers."""
        ...


@runtime_checkable
class HasStiefelMatrices(Protocol):
    """A model with matrices whose columns must stay orthonormal in training."""

    @property
    def stiefel_groups(self) -> Mapping[str, tuple[Sequence[Any], float]]:
        """Matrices by name, each with its learning rate relative to the networks."""
        ...


@runtime_checkable
class SettlesAxes(Protocol):
    """A model that turns the axes of its code after training."""

    def settle(self, observations: Iterable[Any]) -> None:
        """Turns the axes, given batches of all training examples, scaled for the model."""
        ...


@runtime_checkable
class KeepsLastWeights(Protocol):
    """A model that ends with the weights of the last epoch, since no figure compares its epochs."""

    keeps_last_weights: ClassVar[bool]


@runtime_checkable
class ShowsDivergence(Protocol):
    """A model that can recognise divergence while its figures are still finite."""

    def symptom_of_divergence(self, figures: dict[str, float]) -> tuple[str, str] | None:
        """Returns the expected and received figure, and the setting to lower.

        Returns `None` if training goes well.
        """
        ...


@runtime_checkable
class HasClassPrior(Protocol):
    """A model that learns one prior of its blocks for each class."""

    def class_prior(self, labels: Any) -> Mapping[str, Any]:
        """TFP distribution of every block given labels `(batch,)`."""
        ...


@runtime_checkable
class HasBound(Protocol):
    """A model with a lower bound on the log probability of observations."""

    def evidence_bound(self, observations: Any, seed: Any) -> Any:
        """Bounds `(batch,)` in nats, from one draw each; they hold in expectation. Seed `(2,)`."""
        ...


@runtime_checkable
class HasTopics(Protocol):
    """A model of words with an interpretable decoder."""

    def topic_weights(self) -> Any | None:
        """How much each dimension of the learnt blocks favours each word, `(dim, words)`.

        `None` if the observations are not bags of words.
        """
        ...
