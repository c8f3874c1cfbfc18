"""Exchange of blocks: decodes the class of each image with the rest of every other image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from latentloom.augment import Anchors, LatentSpec, Origin, QualityGate, VariantPlan
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import detail_of
from latentloom.pipeline.codec.variants import make_variants
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import one_per_class
from latentloom.pipeline.report.pictures.protocol import GRID_ROWS
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownExchange
from latentloom.pipeline.report.schema import Picture


@dataclass(frozen=True)
class Exchange:
    """Decoded pairs of images.

    Attributes:
        examples: The `n` images.
        observations: Observations as stored, `(n, n, ...)`. Entry `(i, j)` has the blocks that
            carry the class from image `i` and all other blocks from image `j`.
        accepted: bool `(n, n)`: whether the gate accepts entry `(i, j)` as the class of image `i`.
    """

    examples: Examples
    observations: np.ndarray
    accepted: np.ndarray


def can_exchange(spec: LatentSpec) -> bool:
    """Whether some blocks carry the class and others do not."""
    return bool(spec.carriers("label") and spec.free_of("label"))


def draw_exchange(
    codec: Codec, examples: Examples, gate: QualityGate, detail: float = 0.0
) -> dict[str, Picture]:
    """Draws the exchange of blocks between the first examples of the first classes.

    Args:
        codec: The codec of a bundle.
        examples: Real examples.
        gate: The gate that accepts or rejects the results.
        detail: Share of the detail of the image that gives the class, to put back.

    Returns:
        The picture by name; empty if `can_exchange` is false.
    """
    spec = codec.spec
    if not can_exchange(spec):
        return {}
    some = examples.take(one_per_class(examples.labels)[:GRID_ROWS]).loaded()
    made = exchange_blocks(codec, some, gate, detail)
    shown = ShownExchange(
        examples=made.examples,
        cells=made.observations,
        accepted=made.accepted,
        names=codec.bundle.class_names,
        parts=(", ".join(spec.carriers("label")), ", ".join(spec.free_of("label"))),
        others=examples.observations,
    )
    return {"exchange": pictures_of(codec.kind, codec.bundle.vocabulary).exchange(shown)}


def exchange_blocks(
    codec: Codec, examples: Examples, gate: QualityGate, detail: float = 0.0
) -> Exchange:
    """Gives every image the free blocks of every image, including its own.

    Args:
        codec: The codec of a bundle for which `can_exchange` is true.
        examples: The `n` images.
        gate: The gate that accepts or rejects the results.
        detail: Share of the detail of the image that gives the class, to put back.
    """
    latents, plan = codec.encode(examples.observations), plan_exchange(examples, codec.spec)
    put_back = detail_of(detail, examples.observations)
    made = make_variants(codec, latents, latents, plan, gate, put_back)
    square = (len(examples), len(examples))
    return Exchange(
        examples=examples,
        observations=made.observations.reshape(*square, *made.observations.shape[1:]),
        accepted=made.verdicts.accepted.reshape(square),
    )


def plan_exchange(examples: Examples, spec: LatentSpec) -> VariantPlan:
    """Plans `n` variants of each of `n` images; variant `j` has the free blocks of image `j`."""
    count = len(examples)
    anchors = Anchors(examples.ids, {"label": examples.labels}, np.full(count, count))
    plan = VariantPlan.keep_all("exchange", anchors, spec, seed=0)
    free = spec.free_of("label")
    donor = np.full(len(plan), Origin.DONOR, np.int8)
    return replace(
        plan,
        origins=plan.origins | dict.fromkeys(free, donor),
        donors=plan.donors | dict.fromkeys(free, plan.variant),
    )
