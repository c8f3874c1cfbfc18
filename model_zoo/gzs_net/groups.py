"""Batches of groups: every image with others that share one factor with it."""

from __future__ import annotations

import hashlib

import numpy as np

from model_zoo.batches import Batches, Factors, factors_of, labels_of
from model_zoo.gzs_net.sharers import CANDIDATES, Sharers, columns


class GroupBatches(Batches):
    """Batches of groups of images, as a function of the seed, the epoch and the step alone.

    A group is a centre with one sharer for each factor, or, if relaxed, with one sharer of a
    factor drawn for it: an edge. Centres come in the order of `Batches`.

    A batch is `(groups, {"label": ..., "edge": ...})`. `groups` is float32 of shape `(batch, 1 +
    factors, height, width, channels)`, the centre first, then the sharers in the order of the
    factors; if relaxed `(batch, 2, ...)`, the centre and its sharer. `label` is the class of the
    centre and `edge` the position of a factor, that of the relaxed sharer or one drawn for the
    swap, `(batch,)` int32 both.

    Args:
        images: `(n, height, width, channels)` uint8: the centres.
        factors: Their factors. Centres with a value that no sharer has are left out.
        sharers: Finds sharers for them.
        pool: `(p, height, width, channels)` uint8: the images of the sharers.
        relaxed: Whether to sample edges.
        **settings: Those of `Batches`.
    """

    def __init__(
        self,
        images: np.ndarray,
        factors: Factors,
        *,
        sharers: Sharers,
        pool: np.ndarray,
        relaxed: bool = False,
        **settings,
    ):
        codes, labels = columns(factors_of(factors), sharers.names), labels_of(factors)
        known = sharers.know(codes)
        if not known.all():
            images, codes, labels = images[known], codes[known], labels[known]
        super().__init__(images, labels, **settings)
        self.codes, self.sharers, self.pool, self.relaxed = codes, sharers, pool, relaxed
        self.is_pool = images is pool

    def __getitem__(self, index: int):
        position = self.position(index)
        rows = self.rows(*position)
        edges, found = self.draw(rows, *position)
        groups = np.concatenate([self.images[rows][:, None], self.pool[found]], axis=1)
        answers = {"label": self.labels[rows], "edge": edges.astype(np.int32)}
        return self.observe(groups), answers

    def draw(self, rows: np.ndarray, epoch: int, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws a factor and sharers for some centres.

        Args:
            rows: Positions of the centres, `(batch,)`.
            epoch: The epoch.
            step: The step in it.

        Returns:
            Positions of factors, `(batch,)`, and of the sharers in the pool, `(batch, k)`.
        """
        key = hashlib.blake2b(f"{self.seed}/groups/{epoch}/{step}".encode(), digest_size=16)
        philox = np.random.Philox(key=np.frombuffer(key.digest(), np.uint64))
        generator, num_factors = np.random.Generator(philox), len(self.sharers.names)
        edges = generator.integers(num_factors, size=len(rows))
        every = np.broadcast_to(np.arange(num_factors), (len(rows), num_factors))
        axes = edges[:, None] if self.relaxed else every
        uniforms = generator.random((*axes.shape, CANDIDATES))
        centres = rows if self.is_pool else None
        return edges, self.sharers.draw(self.codes[rows], centres, axes, uniforms)
