"""Turns accepted variants into records."""

from __future__ import annotations

from typing import Any

import numpy as np

from latentloom.augment import Anchors, DonorBank, VariantPlan
from latentloom.pipeline.generation.job import VariantRules
from latentloom.pipeline.generation.worker.attempts import Accepted
from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.example_columns import serialize_columns


def variant_records(
    job: VariantRules,
    kind: Kind,
    anchors: Anchors,
    accepted: Accepted,
    donors: DonorBank | None,
) -> dict[int, bytes]:
    """Serialises accepted variants with their provenance.

    Args:
        job: What decides the variants; its plan names the factors to write.
        kind: The kind of observation.
        anchors: The anchors that the plan of the variants points to.
        accepted: The variants.
        donors: The donor bank, for recipes that take donors.

    Returns:
        Each record as a serialised `tf.train.Example`, by its slot in the chunk.
    """
    columns = variant_columns(job, kind, anchors, accepted, donors)
    columns[kind.feature] = kind.encode(accepted.observations)
    return dict(zip(accepted.slots.tolist(), serialize_columns(columns), strict=True))


def variant_columns(
    job: VariantRules,
    kind: Kind,
    anchors: Anchors,
    accepted: Accepted,
    donors: DonorBank | None,
) -> dict[str, Any]:
    """The features of accepted variants, a column each; observations are not encoded yet.

    Takes the arguments of `variant_records`.
    """
    plan = accepted.plan
    anchor_ids = [anchors.ids[row] for row in plan.anchor.tolist()]
    numbers = plan.variant.tolist()
    return {
        kind.feature: accepted.observations,
        **{name: plan.factors[name] for name in job.plan.written},
        "seen_combination": job.plan.seen(plan.factors),
        **accepted.confidences,
        "example_id": [
            f"{anchor_id}/{plan.recipe}/{number:04d}"
            for anchor_id, number in zip(anchor_ids, numbers, strict=True)
        ],
        "anchor_id": anchor_ids,
        "donor_ids": _donor_ids(plan, donors),
        "recipe": [plan.recipe] * len(plan),
        "seed": plan.keys.view(np.int64),
    }


def _donor_ids(plan: VariantPlan, donors: DonorBank | None) -> list[list[str]]:
    """The ids of the donors of each variant, in the order of the bank."""
    if donors is None:
        return [[]] * len(plan)
    ids = donors.ids.tolist()
    rows = np.stack(list(plan.donors.values()), axis=1).tolist()
    return [[ids[row] for row in sorted(set(used)) if row >= 0] for used in rows]
