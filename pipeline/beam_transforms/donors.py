"""What a collection of donors is summarised to: a bounded bank, and the counts of cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

from latentloom.augment import Coverage
from latentloom.augment import DonorBank as Bank
from latentloom.pipeline.beam_transforms.variant_job import VariantJob
from latentloom.pipeline.generation.planning.factor_plan import is_counted, with_counts


@dataclass(frozen=True, eq=False)
class Donors:
    """Donors for one bundle, recipe and seed. Merging is associative and commutative.

    Attributes:
        bank: Their codes, bounded.
        coverage: Examples of each cell, if the recipe needs the counts.
        made_for: Digest of the bundle, name of the recipe and seed.
    """

    bank: Bank
    coverage: Coverage | None
    made_for: tuple[str, str, int]

    def merge(self, *others: Donors) -> Donors:
        """Returns the donors of all these examples."""
        counts = [donors.coverage for donors in (self, *others) if donors.coverage is not None]
        return Donors(
            self.bank.merge(*(donors.bank for donors in others)),
            counts[0].merge(*counts[1:]) if counts else None,
            self.made_for,
        )


def made_for(job: VariantJob) -> tuple[str, str, int]:
    """What donors must be made for to serve a job."""
    return job.bundle_digest, job.settings.recipe, job.settings.seed


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
        raise ValueError(
            "The donor bank was made for other variants. Expected: the digest of the bundle, the "
            f"recipe and the seed {made_for(job)}. Received: {donors.made_for}. Give DonorBank "
            "the bundle, recipe and seed of Augment."
        )
    if donors.coverage is None or not is_counted(job.settings, job.plan):
        return job
    return replace(job, plan=with_counts(job.settings, job.plan, donors.coverage))
