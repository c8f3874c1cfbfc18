"""Draws the variants of some anchors and redraws rejected ones while attempts are left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from latentloom.augment import (
    Anchors,
    DonorBank,
    Latents,
    VariantPlan,
    Verdicts,
    find_recipe,
)
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import Detail
from latentloom.pipeline.codec.variants import make_variants, plan_attempt
from latentloom.pipeline.dataset.manifest import CONFIDENCE
from latentloom.pipeline.generation.job import VariantRules
from latentloom.pipeline.generation.worker.tally import Tally


@dataclass(frozen=True)
class Accepted:
    """Some candidates of one attempt that passed the gate, `m` of them.

    Attributes:
        slots: Positions of the candidates among all variants, int64 of shape `(m,)`.
        plan: Plan of the candidates.
        observations: Observations as stored, `(m, ...)`.
        confidences: The judge's confidences, `(m,)` each, by feature name.
    """

    slots: np.ndarray
    plan: VariantPlan
    observations: np.ndarray
    confidences: dict[str, np.ndarray]


def draw_attempts(
    job: VariantRules,
    anchors: Anchors,
    latents: Latents,
    detail: Detail | None,
    donors: DonorBank | None,
    codec: Codec,
    tally: Tally,
    most: int,
) -> Iterator[Accepted]:
    """Draws every variant of some anchors and redraws those that the gate rejects.

    Each attempt redraws all that the attempt before rejected, so that calls are full.

    Args:
        job: What decides the variants.
        anchors: The anchors and how many variants each gets.
        latents: Codes of the anchors.
        detail: Their own detail, to put back; None for none.
        donors: The donor bank, for recipes that take donors.
        codec: The codec of the bundle.
        tally: Counts the candidates of every attempt.
        most: Largest number of variants to hold at a time.

    Yields:
        The accepted candidates, attempt by attempt, in blocks of up to `most`.
    """
    settings = job.settings
    gate = settings.gate.build()
    slots = np.arange(anchors.variants.sum())
    attempts = 1 if find_recipe(settings.recipe).keeps_all else settings.gate.attempts
    for attempt in range(attempts):
        whole = _plan_slots(job, anchors, slots, donors, codec, attempt)
        rejected = [slots[:0]]
        for start in range(0, len(slots), most):
            block = slots[start : start + most]
            plan = whole.take(np.arange(start, start + len(block)))
            given = donors.latents if donors else None
            made = make_variants(codec, latents, given, plan, gate, detail)
            passed = made.verdicts.accepted
            tally.count(plan.label, made.verdicts, is_last=attempt == attempts - 1)
            confidences = confidence_columns(made.verdicts)
            yield Accepted(
                block[passed],
                plan.take(np.flatnonzero(passed)),
                made.observations[passed],
                {name: column[passed] for name, column in confidences.items()},
            )
            rejected.append(block[~passed])
        slots = np.concatenate(rejected)
        if not len(slots):
            return


def _plan_slots(
    job: VariantRules,
    anchors: Anchors,
    slots: np.ndarray,
    donors: DonorBank | None,
    codec: Codec,
    attempt: int,
) -> VariantPlan:
    """Plans an attempt at the variants in some slots; leaves out the anchors of the others."""
    owner = np.repeat(np.arange(len(anchors)), anchors.variants)
    open_anchors = np.unique(owner[slots])
    places = np.cumsum(np.isin(owner, open_anchors)) - 1  # of each slot among those planned
    some, clashes = anchors.take(open_anchors), job.plan.clashes
    plan = plan_attempt(job.settings, some, codec.spec, donors, clashes, attempt)
    plan = plan.take(places[slots])
    return replace(plan, anchor=open_anchors[plan.anchor])


def confidence_columns(verdicts: Verdicts) -> dict[str, np.ndarray]:
    """The judge's confidences by feature name, the class first."""
    others = {f"{CONFIDENCE}_{name}": column for name, column in verdicts.confidences.items()}
    return {CONFIDENCE: verdicts.confidence} | others
