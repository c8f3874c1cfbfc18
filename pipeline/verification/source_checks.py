"""Compares generated records with the examples of the source that they were made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from latentloom.pipeline.dataset.provenance import Provenance
from latentloom.pipeline.dataset.reading import ParsedRecord
from latentloom.pipeline.verification.origins import Source


def check_origins(
    source: Source,
    factors: Sequence[str],
    records: Sequence[tuple[ParsedRecord, Provenance]],
    drawn: Collection[str] = (),
) -> Iterator[tuple[int, str]]:
    """Yields number and problem of records that do not fit their anchors and donors.

    Anchor and donors are examples of the source that were not held out. A record has the label of
    its anchor, whatever the recipe, and every other factor of its anchor or of a donor, unless its
    values are drawn.

    Args:
        source: The source.
        factors: Names of the factors of the records, in order.
        records: The records with their provenance.
        drawn: Names of the factors whose values may be drawn.
    """
    origins = {origin for _, found in records for origin in (found.anchor_id, *found.donor_ids)}
    known, held_out = source.codes_of(list(origins)), set(source.held_out(list(origins)))
    axes = [source.factors.index(factor) for factor in factors]
    path = source.dataset.path
    for row, found in records:
        used = (found.anchor_id, *found.donor_ids)
        examples = [codes for origin in used if (codes := known[origin]) is not None]
        if len(examples) < len(used):
            missing = next(origin for origin in used if known[origin] is None)
            yield row.record, f"was made from {missing!r}, which '{path}' lacks"
            continue
        if left_out := [origin for origin in used if origin in held_out]:
            yield row.record, f"was made from {left_out[0]!r}, which was held out"
        for factor, axis, code in zip(factors, axes, row.codes, strict=True):
            values = {example[axis] for example in examples}
            if factor == "label":
                values = {examples[0][axis]}
            if code not in values and factor not in drawn:
                yield row.record, f"has another '{factor}' than its anchor and donors in '{path}'"
