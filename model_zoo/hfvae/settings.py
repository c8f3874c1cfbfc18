"""The settings of the hierarchically factorised VAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SkipValidation

from latentloom.model_zoo.arguments import (
    Count,
    Dim,
    Integer,
    Number,
    Positive,
    Seed,
    Temperature,
    Weight,
)
from latentloom.model_zoo.hfvae.block_settings import check_blocks
from latentloom.model_zoo.hfvae.likelihoods import LIKELIHOODS, resolve_likelihood
from latentloom.model_zoo.hfvae.topics import TOPIC_MODELS
from latentloom.model_zoo.networks.architecture import NetworkSettings, resolve_network
from latentloom.model_zoo.scaling import Counts
from latentloom.model_zoo.spelling import nearest_name


@dataclass(frozen=True, kw_only=True)
class HFVAESettings(NetworkSettings):
    """Settings from the configuration and the data set, in addition to the network.

    Args:
        blocks: The blocks by name, in order: `{"dim": n}` for a Gaussian block, `{"values": K}` for
            a categorical block, or `{"factor": "label"}` for the block tied to the label.
        mutual_information_weight: Float, weight of the mutual information of code and image.
        between_weight: Float, weight of the total correlation of the blocks. A large weight empties
            a categorical block that is not tied to the label, if a large Gaussian block can hold
            the same information.
        within_weight: Float, weight of the total correlation of the dimensions of each block.
        dimension_wise_weight: Float, weight of the divergence of each dimension from its prior;
            1 in the paper.
        label_share: Float above 0, at most 1, share of the labels to learn from.
        label_weight: Float, weight of the cross-entropy of these labels, in nats, next to the
            reconstruction loss of an image.
        temperature: Float, temperature of the relaxed categorical codes that the decoder is trained
            on.
        max_joint_classes: Integer, largest number of combinations of categorical values that loss
            terms of all blocks sum over. Further blocks enter these terms with a drawn value, which
            has no gradient there.
        likelihood: `"bernoulli"`, `"gaussian"`, `"multinomial"` (only for bags of words) or
            `"auto"`; see `model_zoo.hfvae.likelihoods`. The multinomial likelihood adds the block
            `length`, the log of the number of words.
        topic_model: `"nvdm"` or `"prodlda"`, decoder of bags of words; see
            `model_zoo.hfvae.topics`.
        noise_variance: Float, variance of the noise of the Gaussian likelihood, in squared units of
            the input.
        num_components: Integer, components of the mixture of each class, if the label has no block.
        observation: Kind of observation, a key of `model_zoo.scaling.SCALINGS`, or `None` for
            images or vectors by their shape.
        num_examples: Integer, number of training examples; or `None` for the size of the batch,
            which is also the minimum.
        seed: Integer, seed of the drawn codes and of the choice of labels.
    """

    blocks: SkipValidation[Mapping[str, Mapping[str, Any]] | None] = None  # see `check_blocks`
    mutual_information_weight: Weight = 1.0
    between_weight: Weight = 4.0
    within_weight: Weight = 3.0
    dimension_wise_weight: Weight = 1.0
    label_share: Number = 1.0
    label_weight: Weight = 10.0
    temperature: Temperature = 0.66
    max_joint_classes: Dim = 256
    likelihood: str = "auto"
    topic_model: str = "nvdm"
    noise_variance: Positive = 0.1
    num_components: Count = 5
    observation: str | None = None
    num_examples: Integer | None = None
    seed: Seed = 0

    def resolved(self, observation_shape: tuple[int, ...]) -> HFVAESettings:
        """Returns these settings with defaults filled in from the data."""
        sizes: int | Sequence[int] = self.hidden_dim
        return replace(
            self,
            network=resolve_network(self.network, observation_shape),
            hidden_dim=sizes if isinstance(sizes, int) else list(sizes),
            blocks={"z": {"dim": 10}} if self.blocks is None else self.blocks,
            likelihood=resolve_likelihood(self.likelihood, observation_shape, self.observation),
        )

    def check(self, observation_shape: tuple[int, ...], num_classes: int) -> None:
        """Checks the settings after `resolved`, for observations of a shape.

        Raises:
            ValueError: A block is wrong, the likelihood is unknown or does not fit, or a number is
                out of range.
        """
        check_blocks(self.blocks, num_classes)
        self._check_likelihood(observation_shape)
        self._check_topics()
        if self.num_examples is not None and self.num_examples < 1:
            raise ValueError(
                "There are no training examples. Expected: num_examples of at least 1, or None. "
                f"Received: num_examples={self.num_examples}. Pass the number of training examples."
            )
        if not 0 < self.label_share <= 1:
            raise ValueError(
                "`label_share` is out of range. Expected: above 0, at most 1. Received: "
                f"label_share={self.label_share}. Change `model.args.label_share`. To learn "
                "without labels, give the block `values` in place of `factor`."
            )

    def _check_likelihood(self, observation_shape: tuple[int, ...]) -> None:
        name, observation = self.likelihood, self.observation
        if name not in LIKELIHOODS:
            known = ("auto", *LIKELIHOODS)
            raise ValueError(
                f"The likelihood is unknown. Expected: one of {', '.join(known)}. Received: "
                f"likelihood={name!r}. Did you mean '{nearest_name(str(name), known)}'?"
            )
        if (name == "multinomial") != (observation == Counts.kind):
            raise ValueError(
                "The likelihood does not fit the observations. Expected: multinomial for bags of "
                f"words, and only for them. Received: likelihood={name!r} for observations of kind "
                f"'{observation or 'image or vector'}'. Set `model.args.likelihood` to auto."
            )
        if name == "bernoulli" and len(observation_shape) != 3:
            raise ValueError(
                "The Bernoulli likelihood does not fit vectors. Expected: images. "
                f"Received: observations of shape {observation_shape}. Set "
                "`model.args.likelihood` to gaussian."
            )

    def _check_topics(self) -> None:
        if self.topic_model not in TOPIC_MODELS:
            raise ValueError(
                f"The topic model is unknown. Expected: one of {', '.join(TOPIC_MODELS)}. "
                f"Received: topic_model={self.topic_model!r}. Did you mean "
                f"'{nearest_name(str(self.topic_model), TOPIC_MODELS)}'?"
            )
        measured = LIKELIHOODS[self.likelihood].measured_blocks
        if taken := [name for name in self.blocks if name in measured]:
            raise ValueError(
                f"Block '{taken[0]}' has the name of a measured block. Expected: names other than "
                f"{', '.join(measured)}. Received: blocks={list(self.blocks)}. "
                "Rename it under `model.args.blocks`."
            )
