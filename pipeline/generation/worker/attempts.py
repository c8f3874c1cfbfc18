"""Draws the variants of a chunk and redraws rejected ones while attempts are left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from latentloom.pipeline.codec.variants import make_variants, plan_attempt
from latentloom.pipeline.dataset.manifest import CONFIDENCE
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.generation.worker.tally import Tally


@dataclass(frozen=True)
class Accepted:
    """The candidates of one attempt that passed the gate, `m` of them.

    Attributes:
        slots: Positions of the candidates in the chunk, int64 of shape `(m,)`.
        plan: Plan of the candidates.
        observations: Observations as stored, `(m, ...)`.
        confidences: The judge's confidences, `(m,)` each, by feature name.
    """

    slots: np.ndarray
    plan: VariantPlan
    observations: np.ndarray
    confidences: dict[str, np.ndarray]


def draw_attempts(
    job: GenerationJob,
    anchors: Anchors,
    latents: Latents,
    donors: DonorBank | None,
    codec: Codec,
    tally: Tally,
) -> Iterator[Accepted]:
    """Draws every variant of a chunk and redraws those that the gate rejects.

    Args:
        job: The job.
        anchors: The anchors of the chunk and how many variants each gets.
        latents: Codes of the anchors.
        donors: The donor bank, for recipes that take donors.
        codec: The codec of the bundle.
        tally: Counts the candidates of every attempt.

    Yields:
        The accepted candidates, attempt by attempt.
    """
    settings = job.settings
    gate = settings.gate.build()
    slots = np.arange(anchors.variants.sum())
    attempts = 1 if find_recipe(settings.recipe).keeps_all else settings.gate.attempts
    for attempt in range(attempts):
        plan = plan_attempt(settings, anchors, codec.spec, donors, job.plan.clashes, attempt)
        plan = plan.take(slots)
        made = make_variants(codec, latents, donors.latents if donors else None, plan, gate)
        passed = made.verdicts.accepted
        tally.count(plan.label, made.verdicts, is_last=attempt == attempts - 1)
        yield Accepted(
            slots[passed],
            plan.take(np.flatnonzero(passed)),
            made.observations[passed],
            {name: column[passed] for name, column in confidence_columns(made.verdicts).items()},
        )
        slots = slots[~passed]
        if not len(slots):
            return


def confidence_columns(verdicts: Verdicts) -> dict[str, np.ndarray]:
    """The judge's confidences by feature name, the class first."""
    others = {f"{CONFIDENCE}_{name}": column for name, column in verdicts.confidences.items()}
    return {CONFIDENCE: verdicts.confidence} | others
