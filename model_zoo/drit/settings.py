"""The settings of DRIT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from latentloom.model_zoo.arguments import (
    Count,
    Dim,
    Integer,
    Ratio,
    Seed,
    Weight,
    Width,
    check_types,
)
from latentloom.model_zoo.drit.blocks import CONTENT, LOOK, block_spec
from latentloom.model_zoo.losses.interpolation import InterpolationSettings, check_cir
from latentloom.model_zoo.networks.architecture import SMALLEST_CONVOLUTIONAL_SIDE
from latentloom.model_zoo.spelling import nearest_name

Halvings = Annotated[int, Field(strict=True, ge=1, le=4)]
StyleDim = Annotated[int, Field(strict=True, ge=1, le=256)]


@dataclass(frozen=True, kw_only=True)
class DritSettings(InterpolationSettings):
    """Settings from the configuration and the data set, in addition to interpolation.

    The interpolation regulariser moves the style of the block `look` towards a draw from N(0, 1),
    and the block `content` towards that of another image; both, or those of `cir_blocks`. Domains
    are never mixed. It draws one share an example and compares by absolute errors.

    Args:
        factor_sizes: Number of values of every factor, or `None` if "label" is the only factor.
        domain: Name of the factor whose values are the domains, two or more. "label" translates
            between classes. `None` for the only factor beside the label.
        width: Integer, channels of the first convolution of every network but the adversary. The
            authors have 64.
        content_channels: Integer, channels of the map in the block `content`.
        content_halvings: Integer, number of times that content halves the sides of the image: 2 as
            in the paper; 1 keeps finer strokes at four times the cost.
        residual_blocks: Integer, number of residual blocks of content encoder and generator. The
            authors have 4.
        style_dim: Integer, size of the style in the block `look`.
        hidden_dim: Integer, size of the last hidden layer of the critic.
        adversary_width: Integer, channels of the convolutions of the content adversary.
        reconstruction_weight: Float, weight of the mean absolute error of the image from its own
            code, and of the one that comes back from two translations.
        squared_weight: Float, weight of the mean squared errors of the same images, which are not
            in the paper.
        kl_weight: Float, weight of the KL divergence of the style from N(0, 1), a sum over its
            dimensions and a mean over the batch. The authors sum over the batch, too, with 0.01.
        content_penalty: Float, weight of the mean square of content.
        style_weight: Float, weight of the error of a drawn style, as the frozen style encoder reads
            it in the translation.
        content_weight: Float, weight of the mean absolute change of content in translations. It is
            MUNIT's term, not of the paper.
        mode_weight: Float, weight of mode seeking, which rewards different images of two styles; 0
            for none. The later DRIT++ has 1.
        gan_weight: Float, weight of the adversarial term of the generator; 0 for no critic.
        adversary_weight: Float, weight of the term that hides the domain in content.
        content_noise: Float, standard deviation of the noise on content in training. The authors
            have 1.
        discriminator_rate: Float, learning rate of the critic relative to the generator.
        adversary_rate: Float, learning rate of the content adversary relative to the generator.
        cir_content_weight: Float, weight of the part of the regulariser that moves content,
            relative to the part that moves style.
        seed: Integer, seed of the noise, of the drawn styles and of the regulariser.
    """

    cir_alpha: str = "example"
    cir_distance: str = "mae"
    factor_sizes: Mapping[str, Integer] | None = None
    domain: str | None = None
    width: Width = 16
    content_channels: Width = 16
    content_halvings: Halvings = 2
    residual_blocks: Count = 2
    style_dim: StyleDim = 8
    hidden_dim: Dim = 128
    adversary_width: Width = 64
    reconstruction_weight: Weight = 10.0
    squared_weight: Weight = 0.0
    kl_weight: Weight = 0.1
    content_penalty: Weight = 0.01
    style_weight: Weight = 10.0
    content_weight: Weight = 1.0
    mode_weight: Weight = 0.0
    gan_weight: Weight = 1.0
    adversary_weight: Weight = 1.0
    content_noise: Weight = 0.25
    discriminator_rate: Ratio = 0.4
    adversary_rate: Ratio = 0.6
    cir_content_weight: Weight = 1.0
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_types(self)

    def resolved(self, num_classes: int) -> DritSettings:
        """Returns these settings with defaults filled in from the data."""
        sizes = dict(self.factor_sizes or {"label": num_classes})
        others = [name for name in sizes if name != "label"]
        return replace(
            self,
            factor_sizes=sizes,
            domain=others[0] if self.domain is None and len(others) == 1 else self.domain,
            cir_blocks=list(self.cir_blocks) if self.cir_blocks else None,
        )

    def check(self, observation_shape: Sequence[int]) -> None:
        """Checks the settings after `resolved`.

        Raises:
            ValueError: The observations are not images or too small, there is no such domain, it
                has one value, or the `cir_*` settings do not fit the blocks.
        """
        smallest = SMALLEST_CONVOLUTIONAL_SIDE
        if len(observation_shape) != 3 or min(observation_shape[:2]) < smallest:
            raise ValueError(
                f"DRIT translates images. Expected: images with sides of at least {smallest} "
                f"pixels. Received: observations of shape {tuple(observation_shape)}. Import "
                f"larger images (`--image-size {2 * smallest}`), or choose another model.name."
            )
        self._check_domain()
        check_cir(self, (CONTENT, LOOK))

    def _check_domain(self) -> None:
        sizes = dict(self.factor_sizes or {})
        choices = [name for name, size in sizes.items() if size > 1]
        if self.domain not in sizes:
            hint = (
                ""
                if self.domain is None
                else f"Did you mean '{nearest_name(self.domain, sizes)}'? "
            )
            raise ValueError(
                "The domain is no factor of the data. Expected: model.args.domain, one of "
                f"{', '.join(choices)}. Received: domain={self.domain!r}. {hint}Set "
                "`model.args.domain`, or import the data with another factor, which tells the "
                "domain."
            )
        if sizes[self.domain] < 2:
            raise ValueError(
                f"Factor '{self.domain}' has one domain. Expected: two values or more, to "
                f"translate between. Received: {sizes[self.domain]}. Import images of another "
                "domain, or name another factor in `model.args.domain`."
            )

    @property
    def num_domains(self) -> int:
        """Number of domains, after `resolved`."""
        return dict(self.factor_sizes or {})[str(self.domain)]

    def latent_spec(self, content_shape: Sequence[int]) -> dict[str, dict]:
        """Blocks in order, given `(h, w, channels)` of the map in `content`."""
        return block_spec(str(self.domain), content_shape, self.style_dim + self.num_domains)
