"""The one path from a plan to judged variants: recombine, decode, judge, gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from latentloom.augment import (
    Anchors,
    Clashes,
    DonorBank,
    Latents,
    LatentSpec,
    QualityGate,
    VariantPlan,
    Verdicts,
    plan_variants,
    recombine,
)
from latentloom.pipeline.codec.batching import Gathered
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import Detail
from latentloom.pipeline.config.settings import GenerateConfig


@dataclass(frozen=True)
class Variants:
    """Variants as stored, including the rejected ones.

    Attributes:
        observations: Observations as stored, `(V, ...)`.
        probabilities: The judge's probabilities of each of its factors, `(V, num_values)`.
        verdicts: The gate's verdicts on them.
    """

    observations: np.ndarray
    probabilities: dict[str, np.ndarray]
    verdicts: Verdicts


def plan_attempt(
    settings: GenerateConfig,
    anchors: Anchors,
    spec: LatentSpec,
    donors: DonorBank | None,
    clashes: Clashes,
    attempt: int = 0,
) -> VariantPlan:
    """Plans variants with recipe, options and seed of a configuration.

    Args:
        settings: Section `generate` of the configuration.
        anchors: The anchors and how many variants each gets.
        spec: The blocks of the model's code.
        donors: The donor bank, for recipes that take donors.
        clashes: Pairs of values of two factors that must not be combined.
        attempt: 0 for the first try; another attempt draws other variants.
    """
    return plan_variants(
        settings.recipe,
        anchors,
        spec,
        seed=settings.seed,
        attempt=attempt,
        donors=donors,
        options=settings.options,
        clashes=clashes,
    )


def make_variants(
    codec: Codec,
    latents: Latents,
    donors: Latents | None,
    plan: VariantPlan,
    gate: QualityGate,
    detail: Detail | None = None,
) -> Variants:
    """Makes the variants of a plan and judges them by the factors in the plan.

    Args:
        codec: The codec of a bundle.
        latents: Codes of the anchors, `(n, dim)` a block.
        donors: Codes of the donors; None for a plan without donors.
        plan: What to make, `V` variants.
        gate: The gate that accepts or rejects them.
        detail: The anchors' own detail, to put back; None for none.
    """
    codes = recombine(latents, donors, plan)
    added = detail.of_variants(codec, latents, plan.anchor) if detail else None
    return judge_codes(codec, codes, plan.factors, gate, added)


def judge_codes(
    codec: Codec,
    codes: Latents,
    expected: Mapping[str, np.ndarray],
    gate: QualityGate,
    detail: Gathered | None = None,
) -> Variants:
    """Decodes codes to observations as stored and judges them.

    Args:
        codec: The codec of a bundle.
        codes: `(V, dim)` a block.
        expected: Value indices of factors, `(V,)` each, including `label`. Factors without a
            head in the judge are skipped.
        gate: The gate that accepts or rejects the result.
        detail: What is added to each decoded code, in units of the model; None for nothing.
    """
    if gate.false_refusals is None:
        images, probabilities = codec.render_factors(codes, detail)
        return Variants(images, probabilities, gate.judge_factors(probabilities, expected))
    images, probabilities, features = codec.render_with_features(codes, detail)
    verdicts = gate.judge_factors(probabilities, expected)
    statistics = codec.realism.statistics(images, features, codes, expected["label"])
    realism = codec.realism.gate(gate.false_refusals)
    return Variants(images, probabilities, realism.judge(verdicts, statistics))
