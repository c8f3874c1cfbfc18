"""VaryExamples: encode, plan, recombine, decode and gate the variants of a batch of examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from apache_beam.utils.windowed_value import WindowedValue

from latentloom.augment import Anchors
from latentloom.augment import DonorBank as Bank
from latentloom.pipeline.beam_transforms.batches import BatchDoFn, Failures, Held
from latentloom.pipeline.beam_transforms.donors import Donors, job_with_donors
from latentloom.pipeline.beam_transforms.reading import decode_examples, factor_columns
from latentloom.pipeline.beam_transforms.variant_job import VariantJob
from latentloom.pipeline.generation.worker.attempts import Accepted
from latentloom.pipeline.generation.worker.chunks import draw_chunks
from latentloom.pipeline.generation.worker.tally import Tally
from latentloom.pipeline.generation.worker.variant_records import variant_columns, variant_records


class VaryExamples(BatchDoFn):
    """Turns examples into variants, each in the window and at the time of its anchor.

    Args:
        job: What examples must fit, and what to make of them.
        batch_size: Most examples of a batch.
        failures: The tag of dead letters, and the errors that make one.
        as_dicts: Whether variants are dictionaries of NumPy values, not serialised examples.
    """

    def __init__(self, job: VariantJob, batch_size: int, failures: Failures, *, as_dicts: bool):
        super().__init__(job, batch_size, failures)
        self.as_dicts = as_dicts

    def start_bundle(self) -> None:
        """Begins with empty batches, and without donors."""
        super().start_bundle()
        self._jobs: dict[Any, tuple[VariantJob, Bank | None]] = {}

    def begin(self, window: Any, donors: Donors | None) -> None:
        """Completes the plan with the donors of a window; a wrong bank is no fault of examples."""
        if window not in self._jobs:
            takes = self.job.recipe.needs_donors
            job = job_with_donors(self.job, donors) if takes else self.job
            self._jobs[window] = job, donors.bank if donors else None

    def work(self, window: Any, held: Sequence[Held]) -> Iterator[Any]:
        """Yields the variants of a batch."""
        job, bank = self._jobs[window]
        held = self._trained_on(held)
        examples, tally = [one.example for one in held], Tally()
        observations = decode_examples(examples, job)
        variants = np.full(len(held), job.settings.variants_per_example)
        ids = [example.example_id for example in examples]
        anchors = Anchors(ids, factor_columns(examples, job), variants)
        latents = self.codec.encode(observations, job.plan.blocks.anchors)
        donors = bank if job.plan.needs_bank else None
        chunks = draw_chunks(job, anchors, latents, observations, donors, self.codec, tally)
        for rows, part, drawn in chunks:
            owners = np.repeat(rows, part.variants)
            made: dict[int, Any] = {}
            for accepted in drawn:
                made |= self._records(job, part, accepted, donors)
            for slot in sorted(made):
                yield WindowedValue(made[slot], held[owners[slot]].timestamp, (window,))
        self._count(tally, int(variants.sum()))

    def _trained_on(self, held: Sequence[Held]) -> Sequence[Held]:
        """Leaves out examples of cells that the model was not trained on, as `generate` does."""
        if not self.job.hold_out:
            return held
        columns = factor_columns([one.example for one in held], self.job)
        kept = [held[row] for row in np.flatnonzero(self.job.hold_out.keeps(columns)).tolist()]
        self.count("held_out", len(held) - len(kept))
        return kept

    def _records(
        self, job: VariantJob, anchors: Anchors, accepted: Accepted, donors: Bank | None
    ) -> dict[int, Any]:
        """The variants by slot: serialised, or as dictionaries like those of `open_dataset`."""
        if not self.as_dicts:
            return variant_records(job, job.kind, anchors, accepted, donors)
        columns = variant_columns(job, job.kind, anchors, accepted, donors)
        plain = {name: _plain(name, column, job) for name, column in columns.items()}
        rows = [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
        return dict(zip(accepted.slots.tolist(), rows, strict=True))

    def _count(self, tally: Tally, requested: int) -> None:
        self.count("requested", requested)
        self.count("made", sum(tally.candidates.values()))
        self.count("accepted", sum(tally.written.values()))
        for (_, reason), number in tally.rejections.items():
            self.count(f"rejected_{reason}", number)


def _plain(name: str, column: Any, job: VariantJob) -> Sequence[Any]:
    """Returns the values of a feature as the readers of a data set give them."""
    if name == job.kind.feature:
        return [observation.copy() for observation in column]
    if name == "donor_ids":  # readers unpack a feature with one value
        return [ids[0] if len(ids) == 1 else ids for ids in column]
    if not isinstance(column, np.ndarray):
        return column
    return (column.astype(np.int64) if column.dtype == bool else column).tolist()
