"""Traversal of axes: decodes one image as its code moves along one axis of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from latentloom.augment import Anchors, Latents, LatentSpec, Origin, QualityGate, VariantPlan
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import detail_of
from latentloom.pipeline.codec.variants import make_variants
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import sample
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownTraversal
from latentloom.pipeline.report.schema import Picture

STEPS = np.linspace(-2, 2, 9, dtype=np.float32)
"""Places on an axis, in standard deviations of the prior; the middle is the image itself."""
MOST_AXES = 10
"""Most axes of a block shown, those with most information or else the largest variance."""
CANDIDATES = 100
"""Examples from which the one that shows changes best is chosen."""
BY_VARIANCE = (
    "Axes are sorted by their share, in per cent, of the variance of the block's mean codes of "
    "real examples; at most ten are shown."
)
BY_INFORMATION = (
    "Axes are sorted by their mutual information with the {one}, in nats; at most ten are shown."
)


@dataclass(frozen=True)
class Traversal:
    """One image decoded at steps along axes of one block.

    Attributes:
        axes: int64 of shape `(a,)`: the axes, sorted by decreasing information, or by decreasing
            variance if the information is unknown.
        shares: float64 of shape `(a,)`: the share of each axis in the variance of the block.
        information: float64 of shape `(a,)`: mutual information of the observation and each axis,
            in nats, or None if unknown.
        observations: `(a, 9, ...)`, as stored: the image at each of the `STEPS`.
        accepted: bool `(a, 9)`: whether the gate accepts each image as the class of the original.
    """

    axes: np.ndarray
    shares: np.ndarray
    information: np.ndarray | None
    observations: np.ndarray
    accepted: np.ndarray

    @property
    def labels(self) -> list[str]:
        """The sort criterion of each axis as text."""
        if self.information is None:
            return [f"{100 * share:.1f} %" for share in self.shares]
        return [f"{information:.2f} nats" for information in self.information]


def shown_axes(spec: LatentSpec) -> dict[str, np.ndarray]:
    """All axes of every block that does not carry the label; of all blocks if all carry it."""
    names = spec.free_of("label") or spec.names
    return {name: np.arange(spec[name].num_axes) for name in names}


def draw_traversals(
    codec: Codec,
    examples: Examples,
    latents: Latents,
    generate: GenerateConfig,
    axes: Mapping[str, np.ndarray],
    information: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Picture]:
    """Draws one example, chosen by key, at steps along axes of blocks.

    Args:
        codec: The codec of a bundle.
        examples: Real examples.
        latents: Their mean codes; variances sort the axes of blocks without `information`.
        generate: Section `generate`; its seed chooses the example, its gate accepts or rejects.
        axes: The axes that may be shown, by block, int64 of shape `(a,)`.
        information: Mutual information of the observation and each axis, in nats, by block,
            `(dim,)`; sorts the axes of these blocks.

    Returns:
        One picture per block, by name.
    """
    example = sample(examples, CANDIDATES, generate.seed, "traversal")
    drawing = pictures_of(codec.kind, codec.bundle.vocabulary)
    example = example.take(np.array([drawing.clearest(example.observations)]))
    gate = generate.gate.build(enabled=True)
    pictures = {}
    for block, numbers in axes.items():
        told = (information or {}).get(block)
        codes = latents[block]
        made = traverse_block(codec, example, block, codes, numbers, gate, told, generate.detail)
        shown = ShownTraversal(
            steps=STEPS,
            cells=made.observations,
            accepted=made.accepted,
            axes=made.axes,
            labels=made.labels,
            order=BY_VARIANCE if told is None else BY_INFORMATION.format(one=codec.kind.one),
            others=examples.observations,
        )
        pictures[f"traversal_of_{block}"] = drawing.traversal(shown)
    return pictures


def traverse_block(
    codec: Codec,
    example: Examples,
    block: str,
    codes: np.ndarray,
    axes: np.ndarray,
    gate: QualityGate,
    information: np.ndarray | None = None,
    detail: float = 0.0,
) -> Traversal:
    """Moves one example along the axes of a block with most information, or else most variance.

    Args:
        codec: The codec of a bundle.
        example: The one example.
        block: Name of the block.
        codes: `(n, dim)` mean codes of real examples.
        axes: int64 of shape `(a,)`: the axes to choose from.
        gate: The gate that accepts or rejects the results.
        information: `(dim,)` mutual information of the observation and each axis, if known.
        detail: Share of the example's own detail to put back.
    """
    variances = codec.spec[block].prior.along_axes(codes).var(axis=0, dtype=np.float64)
    strengths = variances if information is None else information
    axes = axes[np.argsort(-strengths[axes], kind="stable")[:MOST_AXES]]
    plan = plan_traversal(example, codec.spec, block, axes)
    put_back = detail_of(detail, example.observations)
    made = make_variants(codec, codec.encode(example.observations), None, plan, gate, put_back)
    return Traversal(
        axes=axes,
        shares=variances[axes] / max(variances.sum(), np.finfo(np.float64).tiny),
        information=None if information is None else information[axes],
        observations=made.observations.reshape(len(axes), len(STEPS), *made.observations.shape[1:]),
        accepted=made.verdicts.accepted.reshape(len(axes), len(STEPS)),
    )


def plan_traversal(
    example: Examples, spec: LatentSpec, block: str, axes: np.ndarray
) -> VariantPlan:
    """Plans the variants of one example: all `STEPS` along each axis."""
    number = np.array([len(axes) * len(STEPS)])
    anchors = Anchors(example.ids, {"label": example.labels}, number)
    plan = VariantPlan.keep_all("traversal", anchors, spec, seed=0)
    return replace(
        plan,
        origins=plan.origins | {block: np.full(len(plan), Origin.SHIFT, np.int8)},
        axes=plan.axes | {block: np.repeat(axes, len(STEPS))},
        shifts=plan.shifts | {block: np.tile(STEPS, len(axes))},
    )
