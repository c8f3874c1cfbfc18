"""What a collection of donors is summarised to: a bounded bank, and the counts of cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from latentloom.augment import Coverage
from latentloom.augment import DonorBank as Bank
from latentloom.pipeline.beam_transforms.variant_job import VariantJob
from latentloom.pipeline.generation.planning.factor_plan import is_counted, with_counts


class MadeFor(NamedTuple):
    """What donors depend on besides the examples; recipes that agree in it may share a bank.

    Attributes:
        bundle: Digest of the bundle.
        seed: The seed.
        blocks: Blocks that are taken from donors.
        factors: Factors by whose values donors are kept.
        counted: Whether the examples of each cell are counted.
    """

    bundle: str
    seed: int
    blocks: tuple[str, ...]
    factors: tuple[str, ...]
    counted: bool


@dataclass(frozen=True, eq=False)
class Donors:
    """Donors of one bundle and seed. Merging is associative and commutative.

    Attributes:
        bank: Their codes, bounded.
        coverage: Examples of each cell, if the recipe needs the counts.
        made_for: What they depend on besides the examples, as `made_for` returns it.
    """

    bank: Bank
    coverage: Coverage | None
    made_for: MadeFor

    def merge(self, *others: Donors) -> Donors:
        """Returns the donors of all these examples."""
        counts = [donors.coverage for donors in (self, *others) if donors.coverage is not None]
        return Donors(
            self.bank.merge(*(donors.bank for donors in others)),
            counts[0].merge(*counts[1:]) if counts else None,
            self.made_for,
        )


def made_for(job: VariantJob) -> MadeFor:
    """What donors must be made for to serve a job."""
    plan, settings = job.plan, job.settings
    return MadeFor(
        job.bundle_digest,
        settings.seed,
        plan.blocks.donors,
        plan.banked,
        is_counted(settings, plan),
    )


def job_with_donors(job: VariantJob, donors: Donors | None) -> VariantJob:
    """Completes the plan of a job with the counts of its donors.

    Raises:
        ValueError: There are no donors, they were made for another job, or none fits an example.
    """
    if donors is None:
        raise ValueError(
            f"The bank for the recipe '{job.settings.recipe}' has no donors. Expected: a "
            "collection with examples. Received: an empty collection. Make the DonorBank from "
            "examples of the same window."
        )
    if donors.made_for != made_for(job):
        expected, received = made_for(job), donors.made_for
        names = [n for n in MadeFor._fields if getattr(expected, n) != getattr(received, n)]
        raise ValueError(
            "The donor bank was made for other variants. Expected: "
            f"{', '.join(f'{name}={getattr(expected, name)!r}' for name in names)}. Received: "
            f"{', '.join(f'{name}={getattr(received, name)!r}' for name in names)}. Give DonorBank "
            "the bundle, recipe, options and seed of Augment."
        )
    if donors.coverage is None or not is_counted(job.settings, job.plan):
        return job
    return replace(job, plan=with_counts(job.settings, job.plan, donors.coverage))
