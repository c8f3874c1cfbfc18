"""The settings of the zs/zu model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentloom.model_zoo.losses.interpolation import InterpolationSettings, check_cir
from latentloom.model_zoo.networks.architecture import NetworkSettings, resolve_network

PRECISIONS = ("learnt", "fixed")
SAMPLED_PRIORS = ("refitted", "learnt")
ZU_HEADS = ("gaussian", "stiefel")


@dataclass(frozen=True, kw_only=True)
class ZsZuVAESettings(NetworkSettings, InterpolationSettings):
    """What configuration and data set of the model, beside its networks and interpolation.

    Args:
        zs_dim: Integer, size of the block `zs`, which carries the label.
        zu_dim: Integer, size of the block `zu`, which carries everything else.
        zu_head: `"gaussian"`, or `"stiefel"` for axes of `zu` that are decorrelated and sorted by
            variance; see `model_zoo.zszu_vae.zu_heads`.
        zu_feature_dim: Integer, size of the features of the latter, at least `zu_dim`.
        hidden_dim: Integer, size of the hidden dense layers.
        group_norm: Whether group normalisation follows the convolutions of encoders and decoder.
        dropout: Float in `[0, 1)`, share of hidden units of the zs encoder dropped in training.
        class_probabilities: Sequence of floats that sum to 1, the share of each class in the
            training data, or `None` for balanced classes.
        noise_variance: Float, variance of the pixel noise of the likelihood at `kl_weight` 1, in
            squared units of the input. It gives the mean squared error per pixel the weight
            `pixels / (2 * noise_variance * zu_dim)` and means the same at every image size.
        kl_weight: Float, weight of the KL divergence per dimension of `zu`.
        precision: `"learnt"`, or `"fixed"` to 1: precision of the mixture's components.
        likelihood_weight: Float, weight of minus the log density of `zs` under its class.
        code_weight: Float, weight of the same on the encoder alone, centres held still; keeps
            `zs` from becoming a free auto-encoder code.
        adversary_weight: Float, weight of the pressure on `zu` to tell nothing of the class.
        adversary_steps: Integer, for how many steps of the adversary one step counts: it learns
            from so many draws of `zu`, at so many times the learning rate.
        mmd_weight: Float, weight of the class-conditional maximum mean discrepancy of `zu`, an
            alternative to the adversary that needs no network.
        tc_weight: Float, weight of the total correlation of `zu` and of the class that `zs` tells,
            another such alternative.
        consistency_weight: Float, weight of the class that the encoder of `zs` reads in images
            decoded from `zs` and a draw of `zu` from its prior, as the decoder sees it. Not in the
            paper: there the decoder only ever sees posterior samples of `zu`.
        mixture_share: Float in `[0, 1]`, share of these images whose `zs` is drawn from the learnt
            mixture; the others keep the `zs` of the batch.
        gan_weight: Float, weight of the decoder's hinge loss against a class-conditional
            discriminator of images; 0 for none.
        discriminator_rate: Float, learning rate of the discriminator, in units of the model's.
        margin: Float, margin of the mixture's classification loss.
        sampled_prior: `"refitted"` to the codes of each class after training, or `"learnt"`: the
            components of the mixture that `zs` is drawn from when variants are made.
        seed: Integer, seed of the posterior samples drawn in training.
    """

    zs_dim: int = 16
    zu_dim: int = 32
    zu_head: str = "gaussian"
    zu_feature_dim: int = 50
    hidden_dim: int = 256
    group_norm: bool = False
    dropout: float = 0.0
    class_probabilities: Sequence[float] | None = None
    noise_variance: float = 1.225
    kl_weight: float = 1.0
    precision: str = "learnt"
    likelihood_weight: float = 0.1
    code_weight: float = 1.0
    adversary_weight: float = 1.0
    adversary_steps: int = 1
    mmd_weight: float = 0.0
    tc_weight: float = 0.0
    consistency_weight: float = 1.0
    mixture_share: float = 0.25
    gan_weight: float = 0.0
    discriminator_rate: float = 1.0
    margin: float = 0.0
    sampled_prior: str = "refitted"
    seed: int = 0

    def resolved(self, image_shape: tuple[int, ...], num_classes: int) -> ZsZuVAESettings:
        """These settings, what was left to the data filled in."""
        return replace(
            self,
            network=resolve_network(self.network, image_shape),
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
                "The share of draws is impossible. Expected: mixture_share in [0, 1]. Received: "
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
                "The noise or the adversary cannot be so. Expected: noise_variance > 0 and "
                f"adversary_steps >= 1. Received: noise_variance={self.noise_variance}, "
                f"adversary_steps={self.adversary_steps}. Raise it under `model.args`."
            )

    def _check_choices(self) -> None:
        choices = {"precision": PRECISIONS, "sampled_prior": SAMPLED_PRIORS, "zu_head": ZU_HEADS}
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
