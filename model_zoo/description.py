"""The schema of `bundle.json`: a bundle may come from elsewhere, so it is data to be checked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from latentloom.model_zoo.arguments import LARGEST_DIM
from latentloom.model_zoo.registry import check_arguments
from latentloom.model_zoo.scaling import PIXELS

MOST_VALUES = 3 << 26
"""Largest number of values of an observation: those of an image of 2**26 pixels."""

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1)]
Size = Annotated[int, Field(ge=1, le=LARGEST_DIM)]
File = Literal[
    "model.weights.h5", "priors.npz", "realism.npz", "judge.weights.h5", "auditor.weights.h5"
]
Positive = Annotated[FiniteFloat, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BlockDescription(_Strict):
    """A block of the code: its size, the factors that it carries, whether it is `anchored`."""

    dim: Annotated[int, Field(ge=1, le=MOST_VALUES)]
    factors: list[str]
    anchored: bool = False


class ScalingDescription(_Strict):
    """The scaling of observations; `loc` and `scale` of each feature for vectors alone."""

    kind: Literal["image", "vector", "counts"]
    loc: list[FiniteFloat] = []
    scale: list[Positive] = []


class AuditorDescription(_Strict):
    """The auditor: the name of its architecture, and by factor the temperature of its logits."""

    network: Literal["convolutional", "residual"] = "convolutional"
    temperatures: dict[Name, Positive] = {}


class BundleDescription(_Strict):
    """The content of `bundle.json`.

    Args:
        schema_version: Version of the format.
        model: Key of the model in the registry.
        args: Arguments that the model was built with.
        latent_spec: The blocks of the code, in order.
        value_range: Range of the scaled observations.
        image_shape: Shape of one observation, images or not.
        scaling: Maps stored observations to the inputs of the networks.
        factors: Value names of every factor, the label first.
        vocabulary: Words of a bag of words, by number.
        judge_width: Channels of the judges' first convolution.
        judge_factors: Factors that the judges predict.
        auditor: Architecture and temperatures of the auditor, in older bundles those of the judge.
        files: SHA-256 of every other file of the bundle.
        details: Provenance and measurements; `pipeline.dataset.details` has their types.
        digest: SHA-256 over all of this.
    """

    schema_version: Literal[1]
    model: str
    args: dict[str, Any]
    latent_spec: dict[Name, BlockDescription] = Field(min_length=1)
    value_range: list[FiniteFloat] = Field(min_length=2, max_length=2)
    image_shape: list[Annotated[int, Field(ge=1)]]
    scaling: ScalingDescription = ScalingDescription(kind=PIXELS.kind)
    factors: dict[Name, list[Name]]
    vocabulary: list[Name] = []
    judge_width: Size
    judge_factors: list[str] = ["label"]
    auditor: AuditorDescription = AuditorDescription()
    files: dict[File, Digest] = Field(min_length=4)
    details: dict[str, Any]
    digest: Digest

    @model_validator(mode="after")
    def _model_has_the_arguments(self) -> BundleDescription:
        check_arguments(self.model, self.args)
        json.dumps(self.args, allow_nan=False)
        return self

    @model_validator(mode="after")
    def _factors_are_known(self) -> BundleDescription:
        if next(iter(self.factors), None) != "label":
            raise ValueError(f"the first factor must be label, got {list(self.factors)}")
        for name, values in self.factors.items():
            if not values or _has_twice(values):
                raise ValueError(f"factor '{name}' must have distinct values, got {values[:5]}")
        carried = [factor for block in self.latent_spec.values() for factor in block.factors]
        if unknown := {*carried, *self.judge_factors} - set(self.factors):
            raise ValueError(f"{sorted(unknown)} must be factors, of {list(self.factors)}")
        if self.judge_factors[:1] != ["label"] or _has_twice(self.judge_factors):
            raise ValueError(f"judge_factors must begin with label, got {self.judge_factors}")
        if unknown := set(self.auditor.temperatures) - set(self.judge_factors):
            raise ValueError(f"temperatures of {sorted(unknown)} must be of judge_factors")
        return self

    @model_validator(mode="after")
    def _observations_have_a_shape(self) -> BundleDescription:
        shape, kind = self.image_shape, self.scaling.kind
        axes = 3 if kind == PIXELS.kind else 1
        channels = (1, 3) if axes == 3 else (shape[-1],) if shape else ()
        if len(shape) != axes or shape[-1] not in channels or math.prod(shape) > MOST_VALUES:
            raise ValueError(f"image_shape must be that of an observation '{kind}', got {shape}")
        sizes = {
            "scaling.loc": (self.scaling.loc, kind == "vector"),
            "scaling.scale": (self.scaling.scale, kind == "vector"),
            "vocabulary": (self.vocabulary, kind == "counts"),
        }
        for name, (values, is_used) in sizes.items():
            if len(values) != (shape[0] if is_used else 0):
                raise ValueError(f"{name} of '{kind}' has {len(values)} entries for shape {shape}")
        if self.value_range[0] >= self.value_range[1] or _has_twice(self.vocabulary):
            raise ValueError("value_range must ascend, and vocabulary must have distinct words")
        return self


def check_description(content: Any) -> None:
    """Checks the content of a `bundle.json`.

    Raises:
        ValueError: It is not a description.
    """
    json.dumps(content, ensure_ascii=False).encode()  # a lone surrogate cannot be written
    BundleDescription.model_validate(content)


def _has_twice(values: Iterable[str]) -> bool:
    values = list(values)
    return len(set(values)) < len(values)
