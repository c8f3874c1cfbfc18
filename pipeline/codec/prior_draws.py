"""Draws blocks from their priors inside a graph, where NumPy cannot run.

The distributions are those of `augment`; the numbers are not, since Keras makes them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.augment import Block, Origin, VariantPlan


class PriorDraws:
    """Draws one block, as `BlockPrior.sample` and `BlockPrior.step` do, in `keras.ops`.

    Args:
        block: The block with its prior.
        plan: A plan of one variant, which says whether the block is kept, drawn or moved.
        num_classes: Number of classes.
    """

    def __init__(self, block: Block, plan: VariantPlan, num_classes: int):
        prior, self.dim = block.prior, block.dim
        weights = prior.weights.astype(np.float64)
        if block.drawn_factor == "label" and prior.values is not None:
            weights = weights * (prior.values == np.arange(num_classes)[:, None])
        edges = np.cumsum(weights, axis=-1)
        self._edges = (edges / edges[:, -1:])[:, :-1].astype(np.float32)
        self._loc = np.broadcast_to(prior.loc, (len(edges), *prior.loc.shape[1:]))
        self._scale = np.broadcast_to(prior.scale, self._loc.shape)
        self._axes = prior.axes
        self._temperature = plan.temperatures[block.name]
        is_step = plan.origins[block.name][0] == Origin.STEP
        self._step = float(plan.weights[block.name][0]) if is_step else 1.0

    def __call__(self, kept: Any, labels: Any, seed: keras.random.SeedGenerator) -> Any:
        """Draws a block for each example.

        Args:
            kept: The blocks of the examples, `(n, dim)`.
            labels: Their classes, int32 of shape `(n,)`.
            seed: What the random numbers come from.

        Returns:
            float32 of shape `(n, dim)`.
        """
        shape: Any = ops.shape(kept)
        count = shape[0]
        chosen = self._component(labels, keras.random.uniform((count, 1), seed=seed))
        loc: Any
        loc, scale = (
            ops.take(ops.convert_to_tensor(table.reshape(-1, self.dim)), chosen, axis=0)
            for table in (self._loc, self._scale)
        )
        noise: Any = keras.random.normal((count, self.dim), seed=seed)
        moved: Any = noise * self._temperature * scale
        if self._axes is not None:
            moved = ops.matmul(moved, ops.convert_to_tensor(self._axes))
        if self._step == 1:
            return loc + moved
        return loc + (1 - self._step**2) ** 0.5 * (kept - loc) + self._step * moved

    def _component(self, labels: Any, uniforms: Any) -> Any:
        """Draws the number of a component, counted over all classes."""
        rows, (num_rows, fewer) = labels, self._edges.shape
        if num_rows == 1:
            rows = ops.zeros_like(labels)
        passed = uniforms >= ops.take(ops.convert_to_tensor(self._edges), rows, axis=0)
        return rows * (fewer + 1) + ops.sum(ops.cast(passed, "int32"), axis=-1)
