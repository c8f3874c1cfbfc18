"""Batches of pairs of images that have different values of one attribute, or equal ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.model_zoo.training.batches import Batches, Factors, factors_of, labels_of
from latentloom.model_zoo.training.sharers import check_apart, columns

logger = logging.getLogger(__name__)

FEW = 16
"""Fewer examples of a value than this are drawn again and again within a batch of the authors."""


class PairBatches(Batches):
    """Batches of pairs of images, which depend only on the seed, the epoch and the step.

    Each pair draws an attribute, then a value for each image, then an example of each value. All
    values are as likely, however rare they are in the data.

    A batch is `(pairs, {"first": ..., "second": ..., "edge": ...})`:

    - `pairs`: `(batch, 2, height, width, channels)` float32.
    - `first`, `second`: `(batch, 1 + attributes)` int32, label and attributes of either image.
    - `edge`: `(batch,)` int32, position of the attribute that was drawn.

    Args:
        images: `(n, height, width, channels)` uint8.
        factors: Factors of the images.
        attributes: Names of the attributes.
        same_share: Share of the pairs whose images have the same value of the attribute.
        **settings: Further arguments of `Batches`; an epoch has as many batches, all of full size.

    Raises:
        ValueError: The examples lack an attribute, or have one value of each.
    """

    def __init__(
        self,
        images: np.ndarray,
        factors: Factors,
        *,
        attributes: Sequence[str],
        same_share: float = 0.0,
        **settings,
    ):
        super().__init__(images, labels_of(factors), **settings)
        self.codes = _codes(factors, attributes).astype(np.int32)
        self.same_share = same_share
        self.examples = [_by_value(column) for column in self.codes.T[1:]]
        self.axes = np.flatnonzero([len(rows) > 1 for rows in self.examples])
        if not len(self.axes):
            raise ValueError(
                "No attribute varies among the examples. Expected: two values or more of one of "
                f"{', '.join(attributes)}. Received: one value of each in {len(self.codes)} "
                "examples. Raise `data.validation_share`, or add examples of other values."
            )

    def __getitem__(self, index: int):
        position = self.position(index)
        edges, rows = self.draw(self.generator("pairs", *position))
        first, second = self.codes[rows[:, 0]], self.codes[rows[:, 1]]
        answers = {"first": first, "second": second, "edge": edges.astype(np.int32)}
        return self.observe(self.observations[rows], position), answers

    def draw(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draws the attribute of each pair, `(batch,)`, and its images, `(batch, 2)`."""
        edges = self.axes[generator.integers(len(self.axes), size=self.batch_size)]
        uniforms = generator.random((self.batch_size, 5))
        rows = np.empty((self.batch_size, 2), np.int64)
        for pair, (edge, (same, *draws)) in enumerate(zip(edges, uniforms, strict=True)):
            examples = self.examples[edge]
            value = int(draws[0] * len(examples))
            other = int(draws[1] * (len(examples) - 1))
            other = value if same < self.same_share else other + (other >= value)
            for place, (chosen, draw) in enumerate(((value, draws[2]), (other, draws[3]))):
                rows[pair, place] = examples[chosen][int(draw * len(examples[chosen]))]
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


def _by_value(column: np.ndarray) -> list[np.ndarray]:
    """Rows of the examples of each value that occurs."""
    order = np.argsort(column, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(column[order])) + 1)
