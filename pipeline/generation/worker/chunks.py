"""Draws the variants of many anchors, as many at a time as memory holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latentloom.augment import Anchors, DonorBank, Latents
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import BYTES_OF_VALUE, detail_of
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.generation.job import VariantRules
from latentloom.pipeline.generation.worker.attempts import Accepted, draw_attempts
from latentloom.pipeline.generation.worker.tally import Tally

CHUNK = 8192
"""Most variants whose records are held in memory at a time; rejected ones are redrawn together."""
BLOCK = 1024
"""Most variants that are held decoded at a time."""


def draw_chunks(
    job: VariantRules,
    anchors: Anchors,
    latents: Latents,
    observations: np.ndarray | StoredObservations,
    donors: DonorBank | None,
    codec: Codec,
    tally: Tally,
) -> Iterator[tuple[np.ndarray, Anchors, Iterator[Accepted]]]:
    """Draws the variants of some anchors and redraws those that the gate rejects.

    Args:
        job: What decides the variants.
        anchors: The `n` anchors and how many variants each gets.
        latents: Their codes, `(n, dim)` a block.
        observations: The anchors as stored, `(n, ...)`; read only if their detail is put back.
        donors: The donor bank, for recipes that take donors.
        codec: The codec of the bundle.
        tally: Counts the candidates of every attempt.

    Yields:
        Rows of anchors that together have about `CHUNK` variants; these anchors; and what passed
        the gate, in blocks. A slot is a place among the variants of these anchors.
    """
    shape, share = codec.bundle.observation_shape, job.settings.detail
    held = (BYTES_OF_VALUE, *shape) if share else shape
    most, at_once = codec.kind.batch_size(shape, CHUNK), codec.kind.batch_size(held, BLOCK)
    for rows in _chunks(anchors.variants, most):
        part, codes = anchors.take(rows), {name: block[rows] for name, block in latents.items()}
        detail = detail_of(share, _rows_of(observations, rows)) if share else None
        yield rows, part, draw_attempts(job, part, codes, detail, donors, codec, tally, at_once)


def _rows_of(
    observations: np.ndarray | StoredObservations, rows: np.ndarray
) -> np.ndarray | StoredObservations:
    is_stored = isinstance(observations, StoredObservations)
    return observations.take(rows) if is_stored else observations[rows]


def _chunks(variants: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Yields rows of anchors that together have about `most` variants."""
    chunk_of = (np.cumsum(variants) - variants) // most
    wanted = np.flatnonzero(variants)
    for chunk in np.unique(chunk_of[wanted]):
        yield wanted[chunk_of[wanted] == chunk]
