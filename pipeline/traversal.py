"""Traversal of axes: what becomes of one image as its code moves along one axis of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from augment import Anchors, Latents, LatentSpec, QualityGate, Source, VariantPlan, recombine
from pipeline.codec import Codec
from pipeline.examples import Examples
from pipeline.quality import choose
from pipeline.sections import GenerateConfig

__all__ = [
    "STEPS",
    "Traversal",
    "draw_traversals",
    "plan_traversal",
    "shown_axes",
    "traverse_block",
]

STEPS = np.linspace(-2, 2, 9, dtype=np.float32)
"""Places on an axis, in standard deviations of the prior; the middle is the image itself."""
MOST_AXES = 10
"""Axes of a block that are shown, those of largest variance."""


@dataclass(frozen=True)
class Traversal:
    """One image on its way along axes of one block, decoded.

    Attributes:
        axes: int64 of shape `(a,)`: the axes, that of the largest variance first.
        shares: float64 of shape `(a,)`: the share of each in the variance of the whole block.
        images: `(a, 9, ...)`, as stored: the image at each of the `STEPS`.
        accepted: Booleans of shape `(a, 9)`: whether the gate accepts them as of its class.
    """

    axes: np.ndarray
    shares: np.ndarray
    images: np.ndarray
    accepted: np.ndarray


def shown_axes(spec: LatentSpec) -> dict[str, np.ndarray]:
    """All axes of every block that does not carry the label; where all do, of every block."""
    names = spec.free_of("label") or spec.names
    return {name: np.arange(spec[name].dim) for name in names}


def draw_traversals(
    codec: Codec,
    examples: Examples,
    latents: Latents,
    generate: GenerateConfig,
    axes: Mapping[str, np.ndarray],
) -> dict[str, bytes]:
    """Draws one example, chosen by key, on its way along axes of blocks.

    Args:
        codec: The codec of a bundle.
        examples: Real examples.
        latents: Their mean codes, whose variances sort the axes.
        generate: Its seed chooses, its gate accepts or rejects.
        axes: By block, int64 of shape `(a,)`: those that may be shown.

    Returns:
        A PNG file a block, by the name of the picture.
    """
    example = choose(examples, 1, generate.seed, "traversal")
    gate = generate.gate.build(enabled=True)
    pictures = {}
    for block, numbers in axes.items():
        made = traverse_block(codec, example, block, latents[block], numbers, gate)
        pictures[f"traversal_of_{block}"] = codec.figures.traversal(
            STEPS, made.images, made.accepted, made.axes, made.shares, examples.images
        )
    return pictures


def traverse_block(
    codec: Codec,
    example: Examples,
    block: str,
    codes: np.ndarray,
    axes: np.ndarray,
    gate: QualityGate,
) -> Traversal:
    """Moves one example along the axes of a block that vary most.

    Args:
        codec: The codec of a bundle.
        example: The one example.
        block: Name of the block.
        codes: `(n, dim)` mean codes of real examples.
        axes: int64 of shape `(a,)`: the axes to choose from.
        gate: What accepts or rejects the results.
    """
    variances = codes.var(axis=0, dtype=np.float64)
    axes = axes[np.argsort(-variances[axes], kind="stable")[:MOST_AXES]]
    plan = plan_traversal(example, codec.spec, block, axes)
    images, probabilities = codec.render(recombine(codec.encode(example.images), None, plan))
    verdicts = gate.judge_factors({"label": probabilities}, plan.factors)
    return Traversal(
        axes=axes,
        shares=variances[axes] / max(variances.sum(), np.finfo(np.float64).tiny),
        images=images.reshape(len(axes), len(STEPS), *images.shape[1:]),
        accepted=verdicts.accepted.reshape(len(axes), len(STEPS)),
    )


def plan_traversal(
    example: Examples, spec: LatentSpec, block: str, axes: np.ndarray
) -> VariantPlan:
    """Plans the variants of one example, axis by axis at all `STEPS` of each."""
    number = np.array([len(axes) * len(STEPS)])
    anchors = Anchors(example.ids, {"label": example.labels}, number)
    plan = VariantPlan.keep_all("traversal", anchors, spec, seed=0)
    return replace(
        plan,
        sources=plan.sources | {block: np.full(len(plan), Source.SHIFT, np.int8)},
        axes=plan.axes | {block: np.repeat(axes, len(STEPS))},
        shifts=plan.shifts | {block: np.tile(STEPS, len(axes))},
    )
