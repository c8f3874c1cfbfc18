"""Batches of pairs of images that have different values of one attribute, or equal ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.model_zoo.training.batches import Batches, Factors, factors_of, labels_of
from latentloom.model_zoo.training.draws import member_at, rows_by_value
from latentloom.model_zoo.training.sharers import check_apart, columns

logger = logging.getLogger(__name__)

FEW = 16
"""Fewer examples of a value than this are drawn again and again within a batch of the authors."""


class PairBatches(Batches):
    """Batches of pairs of images, which depend only on the seed, the epoch and the step.

    Each pair draws an attribute, then a value for each image, then an example of each value: the
    first among the examples of the batches, the second in a pool. All values are as likely, however
    rare they are in the data.

    A batch is `(pairs, {"first": ..., "second": ..., "edge": ...})`:

    - `pairs`: `(batch, 2, height, width, channels)` float32.
    - `first`, `second`: `(batch, 1 + attributes)` int32, label and attributes of either image.
    - `edge`: `(batch,)` int32, position of the attribute that was drawn.

    Args:
        images: `(n, height, width, channels)` uint8.
        factors: Factors of the images.
        pool: Images and factors of the second images, two values or more of every attribute.
        attributes: Names of the attributes.
        same_share: Share of the pairs whose images have the same value of the attribute.
        **settings: Further arguments of `Batches`; an epoch has as many batches, all of full size.

    Raises:
        ValueError: The examples lack an attribute.
    """

    def __init__(
        self,
        images: np.ndarray,
        factors: Factors,
        *,
        pool: tuple[np.ndarray, Factors],
        attributes: Sequence[str],
        same_share: float = 0.0,
        **settings,
    ):
        super().__init__(images, labels_of(factors), **settings)
        self.pool, self.same_share = pool[0], same_share
        self.codes = [_codes(each, attributes).astype(np.int32) for each in (factors, pool[1])]
        self.examples = [[rows_by_value(column) for column in c.T[1:]] for c in self.codes]

    def __getitem__(self, index: int):
        position = self.position(index)
        edges, rows = self.draw(self.generator("pairs", *position))
        first, second = (codes[rows[:, place]] for place, codes in enumerate(self.codes))
        pairs = np.stack([self.observations[rows[:, 0]], self.pool[rows[:, 1]]], axis=1)
        answers = {"first": first, "second": second, "edge": edges.astype(np.int32)}
        return self.observe(pairs, position), answers

    def draw(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draws the attribute of each pair, `(batch,)`, and its images, `(batch, 2)`."""
        own, pool = self.examples
        edges = generator.integers(len(own), size=self.batch_size)
        uniforms = generator.random((self.batch_size, 5)).tolist()
        rows = np.empty((self.batch_size, 2), np.int64)
        for pair, (edge, (same, *draws)) in enumerate(zip(edges, uniforms, strict=True)):
            value = member_at(list(own[edge]), draws[0])
            others = [other for other in pool[edge] if other != value]
            if same < self.same_share and value in pool[edge]:
                others = [value]
            other = member_at(others, draws[1])
            rows[pair] = (
                member_at(own[edge][value], draws[2]),
                member_at(pool[edge][other], draws[3]),
            )
        return edges, rows


def check_pairs(factors: Factors, attributes: Sequence[str]) -> None:
    """Checks that training examples allow pairs of every attribute; warns of rare values.

    Raises:
        ValueError: The examples lack an attribute or have one value of it, or two attributes, or an
            attribute and the label, never vary apart.
    """
    codes = _codes(factors, attributes)
    for name, column in zip(attributes, codes.T[1:], strict=True):
        values, counts = np.unique(column, return_counts=True)
        if len(values) < 2:
            raise ValueError(
                f"Attribute '{name}' has one value in the training examples. Expected: two or "
                f"more, so that it can be exchanged. Received: value {values[0]} in all "
                f"{len(codes)} examples. Leave '{name}' out of `model.args.attributes`, or add "
                "examples of another value."
            )
        if counts.min() < FEW:
            logger.warning(
                "Value %d of attribute '%s' has only %d training examples: a batch draws them "
                "several times.",
                values[counts.argmin()],
                name,
                counts.min(),
            )
    check_apart(["label", *attributes], codes, "model.args.attributes")


def _codes(factors: Factors, attributes: Sequence[str]) -> np.ndarray:
    """Label and attributes side by side, `(n, 1 + attributes)`."""
    named: Mapping[str, np.ndarray] = factors_of(factors)
    return columns(named, ["label", *attributes], "model.args.attributes")
