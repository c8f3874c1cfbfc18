"""The settings of the zs/zu model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentloom.model_zoo.arguments import (
    Count,
    Dim,
    Flag,
    Number,
    Probability,
    Ratio,
    Seed,
    Share,
    Weight,
)
from latentloom.model_zoo.losses.interpolation import InterpolationSettings, check_cir
from latentloom.model_zoo.networks.architecture import NetworkSettings, resolve_network

PRECISIONS = ("learnt", "fixed")
SAMPLED_PRIORS = ("refitted", "learnt")
ZU_HEADS = ("gaussian", "stiefel")
ZU_PRIORS = ("head", "fitted")


@dataclass(frozen=True, kw_only=True)
class ZsZuVAESettings(NetworkSettings, InterpolationSettings):
    """Settings from the configuration and the data set, in addition to network and interpolation.

    Args:
        zs_dim: Integer, size of the block `zs`, which carries the label.
        zu_dim: Integer, size of the block `zu`, which carries everything else.
        zu_head: `"gaussian"`, or `"stiefel"` for axes of `zu` that are decorrelated and sorted by
            variance; see `model_zoo.zszu_vae.zu_heads`.
        zu_feature_dim: Integer, size of the features of the Stiefel head, at least `zu_dim`.
        hidden_dim: Integer, size of the hidden dense layers.
        group_norm: Whether group normalisation follows the convolutions of encoders and decoder.
        dropout: Float in `[0, 1)`, share of hidden units of the zs encoder dropped in training.
        class_probabilities: Sequence of floats that sum to 1, the share of each class in the
            training data, or `None` for balanced classes.
        noise_variance: Float, variance of the pixel noise of the likelihood at `kl_weight` 1, in
            squared units of the input. The mean squared error per pixel gets the weight
            `pixels / (2 * noise_variance * zu_dim)`, so the meaning does not depend on image size.
        kl_weight: Float, weight of the KL divergence per dimension of `zu`.
        precision: `"learnt"`, or `"fixed"` to 1: precision of the mixture's components.
        likelihood_weight: Float, weight of minus the log density of `zs` under its class.
        code_weight: Float, weight of minus the log density with a fixed mixture, which trains only
            the encoder; keeps `zs` from becoming an unconstrained auto-encoder code.
        adversary_weight: Float, weight of the confusion loss, which removes the class from `zu`.
        adversary_steps: Integer, steps of the adversary per training step: it learns from this many
            draws of `zu`, at this multiple of the learning rate.
        mmd_weight: Float, weight of the class-conditional maximum mean discrepancy of `zu`, an
            alternative to the adversary that needs no network.
        tc_weight: Float, weight of the total correlation of `zu` and of the class predicted from
            `zs`, another alternative to the adversary.
        consistency_weight: Float, weight of the class loss of images decoded from `zs` and a `zu`
            drawn from its prior, as predicted by the fixed encoder of `zs`. Not in the paper,
            where the decoder sees only posterior samples of `zu`.
        mixture_share: Float in `[0, 1]`, share of these images with a `zs` drawn from the learnt
            mixture; the others keep the `zs` of the batch.
        variant_stride: Integer, one in this many examples of a batch is decoded again with a `zu`
            from its prior, for the consistency and the GAN terms: 2 saves a fifth of a step.
        gan_weight: Float, weight of the decoder's hinge loss against a class-conditional
            discriminator of images; 0 for none.
        discriminator_rate: Float, learning rate of the discriminator relative to the model.
        margin: Float, margin of the mixture's classification loss.
        sampled_prior: Source of the prior of `zs` for generated variants: `"refitted"` to the codes
            of each class after training, or the `"learnt"` mixture.
        zu_prior: Source of the prior of `zu` for generated variants: that of the `"head"`, which
            training assumes, or Gaussians of the classes `"fitted"` to the codes after training.
        seed: Integer, seed of the posterior samples drawn in training.
    """

    zs_dim: Dim = 16
    zu_dim: Dim = 32
    zu_head: str = "gaussian"
    zu_feature_dim: Dim = 50
    hidden_dim: Dim = 256
    group_norm: Flag = False
    dropout: Share = 0.0
    class_probabilities: Sequence[Probability] | None = None
    noise_variance: Number = 1.225
    kl_weight: Weight = 1.0
    precision: str = "learnt"
    likelihood_weight: Weight = 0.1
    code_weight: Weight = 1.0
    adversary_weight: Weight = 1.0
    adversary_steps: Count = 1
    mmd_weight: Weight = 0.0
    tc_weight: Weight = 0.0
    consistency_weight: Weight = 1.0
    mixture_share: Number = 0.25
    variant_stride: Count = 1
    gan_weight: Weight = 0.0
    discriminator_rate: Ratio = 1.0
    margin: Weight = 0.0
    sampled_prior: str = "refitted"
    zu_prior: str = "head"
    seed: Seed = 0

    def resolved(self, observation_shape: tuple[int, ...], num_classes: int) -> ZsZuVAESettings:
        """Returns these settings with defaults filled in from the data."""
        return replace(
            self,
            network=resolve_network(self.network, observation_shape),
            class_probabilities=tuple(
                self.class_probabilities or [1.0 / num_classes] * num_classes
            ),
            cir_blocks=list(self.cir_blocks) if self.cir_blocks else None,
        )

    def check(self) -> None:
        """Checks the settings.

        Raises:
            ValueError: A choice is unknown, or a number is out of range.
        """
        check_cir(self, list(self.latent_spec))
        self._check_choices()
        if not 0 <= self.mixture_share <= 1:
            raise ValueError(
                "`mixture_share` is out of range. Expected: mixture_share in [0, 1]. Received: "
                f"mixture_share={self.mixture_share}. Set `model.args.mixture_share` to 0 to keep "
                "every code of the batch."
            )
        if self.zu_head == "stiefel" and self.zu_dim > self.zu_feature_dim:
            raise ValueError(
                "The subspace of zu does not fit into its features. Expected: zu_dim <= "
                f"zu_feature_dim. Received: zu_dim={self.zu_dim}, zu_feature_dim="
                f"{self.zu_feature_dim}. Raise `model.args.zu_feature_dim`."
            )
        if self.noise_variance <= 0 or self.adversary_steps < 1:
            raise ValueError(
                "`noise_variance` or `adversary_steps` is out of range. Expected: noise_variance > "
                f"0 and adversary_steps >= 1. Received: noise_variance={self.noise_variance}, "
                f"adversary_steps={self.adversary_steps}. Raise it under `model.args`."
            )

    def _check_choices(self) -> None:
        choices = {
            "precision": PRECISIONS,
            "sampled_prior": SAMPLED_PRIORS,
            "zu_head": ZU_HEADS,
            "zu_prior": ZU_PRIORS,
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"`{name}` is unknown. Expected: one of {', '.join(known)}. Received: "
                    f"{name}={getattr(self, name)!r}. Set `model.args.{name}` to one of these."
                )

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        return {
            "zs": {"dim": self.zs_dim, "factors": ["label"]},
            "zu": {"dim": self.zu_dim, "factors": []},
        }
