"""The settings of ELEGANT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from latentloom.model_zoo.arguments import (
    Dim,
    Integer,
    Pixels,
    Ratio,
    Seed,
    Share,
    Weight,
    Width,
    check_types,
)
from latentloom.model_zoo.elegant.blocks import SOURCE
from latentloom.model_zoo.losses.interpolation import InterpolationSettings, check_cir
from latentloom.model_zoo.networks.architecture import num_stages
from latentloom.model_zoo.spelling import nearest_name

LEAST_CODE_SIDE = 2


@dataclass(frozen=True, kw_only=True)
class ElegantSettings(InterpolationSettings):
    """Settings from the configuration and the data set, in addition to interpolation.

    The interpolation regulariser moves the attribute of the pair towards the other image of the
    pair, or a random one of `cir_blocks`; it draws one share an example and compares by absolute
    errors, since codes are small.

    Args:
        factor_sizes: Number of values of every factor, or `None` if "label" is the only factor.
        attributes: Names of the factors to exchange, or `None` for all but "label".
        width: Integer, channels of the first convolution of encoder and discriminators; they double
            at each halving, up to `code_channels`. The authors have 64.
        code_channels: Integer, channels of the code, which the attributes share. The authors have
            512.
        base_side: Integer, pixels. Encoder and discriminators halve the image until its longer side
            is at most this.
        discriminator_stages: Integer, number of halvings of either discriminator, or `None` for
            those that `base_side` asks for. The authors have 4.
        reconstruction_weight: Float, weight of the squared error of each image of the pair. The
            authors have 5.
        gan_weight: Float, weight of the adversarial terms; 0 for no discriminators.
        discriminator_rate: Float, learning rate of the discriminators relative to the encoder.
        change_weight: Float, weight of the mean absolute change of the images that exchange an
            attribute, which is not in the paper; 0 for none. It keeps all other pixels.
        back_weight: Float, weight of the exchange back, which is not in the paper; 0 for none.
        restore_weight: Float, weight of the term that gives each image its own attribute back,
            which is not in the paper; 0 for none.
        same_share: Float in `[0, 1)`, share of the pairs whose images have the same value of the
            attribute. The authors have 0.
        seed: Integer, seed of the interpolation regulariser.
    """

    cir_alpha: str = "example"
    cir_distance: str = "mae"
    factor_sizes: Mapping[str, Integer] | None = None
    attributes: Sequence[str] | None = None
    width: Width = 32
    code_channels: Dim = 128
    base_side: Pixels = 4
    discriminator_stages: Annotated[int, Field(strict=True, ge=1, le=8)] | None = None
    reconstruction_weight: Weight = 50.0
    gan_weight: Weight = 1.0
    discriminator_rate: Ratio = 1.0
    change_weight: Weight = 10.0
    back_weight: Weight = 0.0
    restore_weight: Weight = 50.0
    same_share: Share = 0.25
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_types(self)

    def resolved(self, num_classes: int) -> ElegantSettings:
        """Returns these settings with defaults filled in from the data."""
        sizes = dict(self.factor_sizes or {"label": num_classes})
        names = self.attributes
        return replace(
            self,
            factor_sizes=sizes,
            attributes=[n for n in sizes if n != "label"] if names is None else list(names),
            cir_blocks=list(self.cir_blocks) if self.cir_blocks else None,
        )

    def check(self, observation_shape: Sequence[int]) -> None:
        """Checks the settings after `resolved`.

        Raises:
            ValueError: The attributes do not fit the factors, the observations are not images of a
                fit size, or the `cir_*` settings do not fit the attributes.
        """
        self._check_images(observation_shape)
        self._check_attributes()
        if self.cir_weight and len(self.attributes) < 2:
            raise ValueError(
                "The interpolation regulariser needs another attribute. Expected: two attributes "
                "or more, since all but one must not change. Received: cir_weight="
                f"{self.cir_weight}, attributes={list(self.attributes)}. Set "
                "`model.args.cir_weight` to 0, or name another attribute."
            )
        check_cir(self, self.attributes)

    def _check_images(self, observation_shape: Sequence[int]) -> None:
        if len(observation_shape) != 3:
            raise ValueError(
                "ELEGANT exchanges attributes of images. Expected: images. Received: observations "
                f"of shape {tuple(observation_shape)}. Choose another model.name."
            )
        stages = num_stages(observation_shape, self.base_side)
        least = -(-min(observation_shape[:2]) // 2 ** max(stages, self.discriminator_stages or 0))
        if not stages or least < LEAST_CODE_SIDE:
            raise ValueError(
                "The halvings do not fit the image. Expected: one or more, to sides of at least "
                f"{LEAST_CODE_SIDE} pixels. Received: image_shape={tuple(observation_shape)}, "
                f"base_side={self.base_side}, discriminator_stages={self.discriminator_stages}. "
                "Change `model.args.base_side` or `model.args.discriminator_stages`."
            )

    def _check_attributes(self) -> None:
        names, sizes = list(self.attributes or ()), dict(self.factor_sizes or {})
        choices = [name for name in sizes if name not in ("label", SOURCE)]
        if not names or not choices:
            raise ValueError(
                "There is no attribute to exchange. Expected: a factor beside the label. Received: "
                f"attributes={names}, factors {', '.join(sizes)}. Import the data with another "
                "factor, or name one in `model.args.attributes`."
            )
        for name in names:
            if name in choices and sizes[name] > 1 and names.count(name) == 1:
                continue
            raise ValueError(
                f"'{name}' cannot be an attribute. Expected: different factors of two values or "
                f"more, some of {', '.join(n for n in choices if sizes[n] > 1)}; the label stays "
                f"with its image, and '{SOURCE}' is the block of the image. Received: attributes="
                f"{names}. Did you mean '{nearest_name(name, choices)}'? Correct "
                "`model.args.attributes`."
            )
        if len(names) > self.code_channels:
            raise ValueError(
                "There are more attributes than channels of the code. Expected: at most "
                f"{self.code_channels} attributes. Received: {len(names)}. Raise "
                "`model.args.code_channels`, or name fewer in `model.args.attributes`."
            )
