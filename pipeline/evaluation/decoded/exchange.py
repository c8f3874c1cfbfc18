"""Exchange of blocks: what becomes of each two images when one gives its class to the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from latentloom.augment import Anchors, LatentSpec, Origin, QualityGate, VariantPlan
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.variants import make_variants
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import one_per_class
from latentloom.pipeline.report.pictures.protocol import GRID_ROWS
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownExchange
from latentloom.pipeline.report.schema import Picture


@dataclass(frozen=True)
class Exchange:
    """Every pair of some images, decoded.

    Attributes:
        examples: The images, `n` of them.
        images: uint8 of shape `(n, n, height, width, channels)`: the blocks that carry the class
            are of the image that the first axis counts, the others of that of the second.
        accepted: Booleans of shape `(n, n)`: whether the gate accepts them as of the first's class.
    """

    examples: Examples
    images: np.ndarray
    accepted: np.ndarray


def can_exchange(spec: LatentSpec) -> bool:
    """Whether some blocks carry the class and some do not."""
    return bool(spec.carriers("label") and spec.free_of("label"))


def draw_exchange(codec: Codec, examples: Examples, gate: QualityGate) -> dict[str, Picture]:
    """Draws the exchange of blocks between the first examples of the first classes.

    Args:
        codec: The codec of a bundle.
        examples: Real examples.
        gate: What accepts or rejects the results.

    Returns:
        Nothing for a model of which `can_exchange` is false.
    """
    spec = codec.spec
    if not can_exchange(spec):
        return {}
    some = examples.take(one_per_class(examples.labels)[:GRID_ROWS])
    made = exchange_blocks(codec, some, gate)
    shown = ShownExchange(
        examples=made.examples,
        cells=made.images,
        accepted=made.accepted,
        names=codec.bundle.class_names,
        parts=(", ".join(spec.carriers("label")), ", ".join(spec.free_of("label"))),
        others=examples.images,
    )
    return {"exchange": pictures_of(codec.kind, codec.bundle.vocabulary).exchange(shown)}


def exchange_blocks(codec: Codec, examples: Examples, gate: QualityGate) -> Exchange:
    """Gives every image the free blocks of every image, itself among them.

    Args:
        codec: The codec of a bundle; `can_exchange` is true of its spec.
        examples: The `n` images.
        gate: What accepts or rejects the results.
    """
    latents = codec.encode(examples.images)
    made = make_variants(codec, latents, latents, plan_exchange(examples, codec.spec), gate)
    square = (len(examples), len(examples))
    return Exchange(
        examples=examples,
        images=made.images.reshape(*square, *made.images.shape[1:]),
        accepted=made.verdicts.accepted.reshape(square),
    )


def plan_exchange(examples: Examples, spec: LatentSpec) -> VariantPlan:
    """Plans `n` variants of each of `n` images; number `j` takes its free blocks of image `j`."""
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
