"""Draws translations: anchors in drawn looks and in those of donors, for each pair of domains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.translations import Translation
from latentloom.pipeline.report.pictures.sheets.transfer_sheet import transfer_sheet
from latentloom.pipeline.report.schema import Picture

ROWS = 4
"""Most anchors of each direction that are drawn."""
HEADS = ("anchor", "decoded", "drawn", "drawn anew", "donor", "as the donor")
TRANSLATIONS = (
    "Each row: an anchor, the anchor decoded from its own code, two translations in drawn looks, a "
    "donor, and the translation in its look. The class should be the anchor's, the looks those of "
    "the other domain, all different."
)


def draw_translations(encoded: EncodedExamples, shown: Sequence[Translation]) -> dict[str, Picture]:
    """Draws both directions of each pair of domains on one sheet."""
    pairs: dict[tuple[int, int], list[Translation]] = {}
    for each in shown:
        pairs.setdefault((min(each.source, each.target), max(each.source, each.target)), []).append(
            each
        )
    return {
        f"translation_{first}_{second}": Picture(_sheet(encoded, of_pair), TRANSLATIONS)
        for (first, second), of_pair in pairs.items()
    }


def _sheet(encoded: EncodedExamples, shown: Sequence[Translation]) -> bytes:
    images, rows, titles = encoded.examples.observations, [], []
    for made in shown:
        names = encoded.codec.bundle.factors[made.domain]
        decoded = encoded.decode(encoded.rows(encoded.codec.spec.names, made.rows))
        columns = (
            images[made.rows],
            decoded,
            made.drawn,
            made.redrawn,
            images[made.donors],
            made.guided,
        )
        rows.append(np.stack([np.asarray(column) for column in columns], axis=1))
        titles += [f"{names[made.source]} to {names[made.target]}"] * len(made.rows)
    return transfer_sheet(np.concatenate(rows), HEADS, titles)
