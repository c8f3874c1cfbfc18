"""SampleExamples: chooses donors by their keys, then decodes and encodes only these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from apache_beam.utils.windowed_value import WindowedValue

from latentloom.augment import Coverage
from latentloom.pipeline.beam_transforms.batches import BatchDoFn, Held
from latentloom.pipeline.beam_transforms.donors import Donors, made_for
from latentloom.pipeline.beam_transforms.reading import decode_examples, factor_columns
from latentloom.pipeline.generation.planning.factor_plan import is_counted
from latentloom.pipeline.generation.worker.sample_donors import donors_among, taken_ids


class SampleExamples(BatchDoFn):
    """Turns the examples of each window into a bounded bank of donors."""

    def start_bundle(self) -> None:
        """Begins with empty batches and without a bank."""
        super().start_bundle()
        self._found: dict[Any, Donors] = {}

    def work(self, window: Any, held: Sequence[Held]) -> Iterator[Any]:
        """Merges a batch into the bank of its window; yields nothing."""
        job, known = self.job, self._found.get(window) or self._none()
        columns = factor_columns([one.example for one in held], job)
        if job.hold_out:
            kept = job.hold_out.keeps(columns)
            held = [held[row] for row in np.flatnonzero(kept).tolist()]
            columns = {name: column[kept] for name, column in columns.items()}
        ids = [one.example.example_id for one in held]
        taken = taken_ids(job, known.bank, ids, columns)
        chosen = [one.example for one in held if one.example.example_id in taken]
        codes = self.codec.encode(decode_examples(chosen, job), job.plan.blocks.donors)
        ids, of_chosen = [example.example_id for example in chosen], factor_columns(chosen, job)
        counted = None if known.coverage is None else known.coverage.count(columns)
        bank = known.bank.merge(donors_among(job, ids, of_chosen, codes))
        self._found[window] = Donors(bank, counted, known.made_for)
        yield from ()

    def finish_bundle(self) -> Iterator[Any]:
        """Yields dead letters, and the bank of every window."""
        yield from super().finish_bundle()
        for window, donors in self._found.items():
            yield WindowedValue(donors, window.max_timestamp(), (window,))

    def _none(self) -> Donors:
        """Returns a bank without donors."""
        job = self.job
        empty = np.zeros((0, *job.observation_shape), job.kind.scaling.dtype)
        codes = self.codec.encode(empty, job.plan.blocks.donors)
        grid = Coverage({name: job.factors[name] for name in job.plan.banked})
        return Donors(
            donors_among(job, [], dict.fromkeys(job.plan.banked, np.zeros(0, np.int64)), codes),
            grid if is_counted(job.settings, job.plan) else None,
            made_for(job),
        )
