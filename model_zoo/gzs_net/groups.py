"""Batches of groups: each image comes with others that share one factor with it."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.training.batches import Batches, Factors, factors_of, labels_of
from latentloom.model_zoo.training.sharers import CANDIDATES, Sharers, columns


class GroupBatches(Batches):
    """Batches of groups of images, which depend only on the seed, the epoch and the step.

    A group is a centre and one sharer for each factor. A relaxed group is an edge: a centre and one
    sharer of a random factor. Centres come in the order of `Batches`.

    A batch is `(groups, {"label": ..., "edge": ..., "donors": ...})`:

    - `groups`: `(batch, size, height, width, channels)` float32, the centre first, then the sharers
      in the order of the factors. A relaxed group has size 2.
    - `label`: `(batch,)` int32, the class of the centre.
    - `edge`: `(batch,)` int32, position of the factor to swap. In a relaxed group its sharer shares
      this factor.
    - `donors`: `(batch, size, factors)` int32. For each image and factor, the position of another
      image that shares the factor, and as few others as possible; its own position if there is
      none. Positions count the images of all groups on a device in one row.

    Args:
        images: `(n, height, width, channels)` uint8: the centres.
        factors: Factors of the centres. Centres with a value that no sharer has are skipped.
        sharers: Finds the sharers of a centre.
        pool: `(p, height, width, channels)` uint8: the images of the sharers.
        relaxed: Whether to sample edges.
        **settings: Further arguments of `Batches`.
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
        groups = np.concatenate([self.observations[rows][:, None], self.pool[found]], axis=1)
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
        """Draws a factor and the sharers of some centres.

        Args:
            rows: Positions of the centres, `(batch,)`.
            generator: Source of the draws.

        Returns:
            Positions of the factors, `(batch,)`, and of the sharers in the pool, `(batch, k)`.
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

    Among the images that share it, draws one with the fewest shared factors.

    Args:
        codes: Values of the factors, `(batch, size, factors)`.
        generator: Source of the draws.

    Returns:
        Positions among the images in one row, int32 of the shape of `codes`; the image's own
        position if no other image shares the factor.
    """
    flat = codes.reshape(-1, codes.shape[-1])
    shared = flat[:, None] == flat
    flaws = shared.sum(axis=-1) + generator.random(shared.shape[:2])
    np.fill_diagonal(flaws, codes.shape[-1] + 2)
    ranked = np.where(shared, flaws[..., None], np.inf)
    return ranked.argmin(axis=1).astype(np.int32).reshape(codes.shape)
