"""Batches of groups: every image with others that share one factor with it."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.training.batches import Batches, Factors, factors_of, labels_of
from latentloom.model_zoo.training.sharers import CANDIDATES, Sharers, columns


class GroupBatches(Batches):
    """Batches of groups of images, as a function of the seed, the epoch and the step alone.

    A group is a centre with one sharer for each factor, or, if relaxed, with one sharer of a
    factor drawn for it: an edge. Centres come in the order of `Batches`.

    A batch is `(groups, {"label": ..., "edge": ..., "donors": ...})`. `groups` is float32 of shape
    `(batch, size, height, width, channels)` with the centre first, then the sharers in the order
    of the factors; if relaxed the size is two, the centre and its sharer. `label` is the class of
    the centre and `edge` the position of a factor, that of the relaxed sharer or one drawn for the
    swap, `(batch,)` int32 both. `donors`, `(batch, size, factors)` int32, has for every image and
    factor the position of another of the batch that shares the factor, and as little else as can
    be; its own where there is none. Groups in one row are counted, for each device its own.

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
        self.is_pool, self.num_devices = images is pool, settings.get("divisor", 1)

    def __getitem__(self, index: int):
        position = self.position(index)
        rows = self.rows(*position)
        generator = self.generator("groups", *position)
        edges, found = self.draw(rows, generator)
        groups = np.concatenate([self.images[rows][:, None], self.pool[found]], axis=1)
        codes = np.concatenate([self.codes[rows][:, None], self.sharers.codes[found]], axis=1)
        parts = np.split(codes, self.num_devices)
        answers = {
            "label": self.labels[rows],
            "edge": edges.astype(np.int32),
            "donors": np.concatenate([donors_within(part, generator) for part in parts]),
        }
        return self.observe(groups, position), answers

    def draw(
        self, rows: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draws a factor and sharers for some centres.

        Args:
            rows: Positions of the centres, `(batch,)`.
            generator: Source of the draws.

        Returns:
            Positions of factors, `(batch,)`, and of the sharers in the pool, `(batch, k)`.
        """
        num_factors = len(self.sharers.names)
        edges = generator.integers(num_factors, size=len(rows))
        every = np.broadcast_to(np.arange(num_factors), (len(rows), num_factors))
        axes = edges[:, None] if self.relaxed else every
        uniforms = generator.random((*axes.shape, CANDIDATES))
        centres = rows if self.is_pool else None
        return edges, self.sharers.draw(self.codes[rows], centres, axes, uniforms)


def donors_within(codes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draws, for every image and factor of some groups, another image that shares the factor.

    Of those that share it, one of those that share the fewest factors.

    Args:
        codes: Codes of the factors, `(batch, size, factors)`.
        generator: Source of the draws.

    Returns:
        Positions among the images in one row, of the shape of `codes`, int32; that of the image
        itself where no other shares the factor.
    """
    flat = codes.reshape(-1, codes.shape[-1])
    shared = flat[:, None] == flat
    flaws = shared.sum(axis=-1) + generator.random(shared.shape[:2])
    np.fill_diagonal(flaws, codes.shape[-1] + 2)
    ranked = np.where(shared, flaws[..., None], np.inf)
    return ranked.argmin(axis=1).astype(np.int32).reshape(codes.shape)
