"""Attributes that images get from donors of another value, decoded for an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from latentloom.model_zoo.metrics.attribute_region import region_of
from latentloom.pipeline.dataset.sampling import most_in_memory, sample
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.latents.class_split import partners

REGION_EXAMPLES = 2000
"""Most training images in which the pixels of an attribute are found."""
COPIES = 12
"""Bytes held of each of their bytes meanwhile."""
WIDEST = 0.95
"""Largest share of the pixels that an attribute may show in, to measure what is outside."""


@dataclass(frozen=True)
class Transfer:
    """Images that got one attribute from donors of another value.

    Attributes:
        attribute: Name of the factor.
        region: Pixels in which it shows, bool `(height, width)`.
        rows: Rows of the anchors among the scored examples, `(n,)`.
        donors: Rows of the donors, `(n,)`.
        others: Rows of other examples with the value of the donor, `(n,)`.
        made: The images, `(n, height, width, channels)` uint8.
    """

    attribute: str
    region: np.ndarray
    rows: np.ndarray
    donors: np.ndarray
    others: np.ndarray
    made: np.ndarray

    def take(self, places: np.ndarray) -> Transfer:
        """Some of the images."""
        columns = {name: getattr(self, name)[places] for name in ("rows", "donors", "others")}
        return replace(self, made=self.made[places], **columns)

    @property
    def is_bounded(self) -> bool:
        """Whether some pixels belong to the attribute, and some to the rest."""
        return 0 < self.region.mean() <= WIDEST


def transferred_attributes(encoded: EncodedExamples) -> list[str]:
    """Factors of two values or more that have a block of their own beside an anchored one."""
    blocks, examples = list(encoded.codec.spec), encoded.examples
    if examples.observations.ndim != 4 or not any(block.anchored for block in blocks):
        return []
    names = [name for block in blocks if not block.anchored for name in block.factors[:1]]
    return [name for name in names if len(np.unique(examples.factors[name])) > 1]


def transfers(context: EvaluationContext) -> Iterator[Transfer]:
    """Gives anchors the block of each attribute in turn, from donors of another value.

    The anchors are the same for every attribute.
    """
    encoded, seed = context.encoded, context.config.generate.seed
    if not (names := transferred_attributes(encoded)):
        return
    seen = sample(context.train, REGION_EXAMPLES, seed, "region", of_each=COPIES)
    most = min(context.config.evaluate.anchors, most_in_memory(encoded.examples.observations, 4))
    rows = np.argsort(encoded.keys("transfer"), kind="stable")[:most]
    for name in names:
        region = region_of(seen.observations, seen.factors[name], seen.labels)
        yield _transfer(encoded, name, region, rows)


def _transfer(
    encoded: EncodedExamples, attribute: str, region: np.ndarray, rows: np.ndarray
) -> Transfer:
    values, keys = encoded.examples.factors[attribute], encoded.keys(f"transfer {attribute}")
    donors = partners(values, keys)[rows]
    (block,) = encoded.codec.spec.carriers(attribute)
    codes = encoded.rows(encoded.codec.spec.names, rows)
    codes[block] = encoded.latents[block][donors]
    return Transfer(
        attribute=attribute,
        region=region,
        rows=rows,
        donors=donors,
        others=next_of_value(values, keys)[donors],
        made=encoded.decode(codes),
    )


def next_of_value(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """For each example the next one, in the order of the keys, with the same value."""
    order = np.lexsort((keys, values))
    _, first, counts = np.unique(values[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(first, counts)
    following = np.repeat(first, counts) + (place + 1) % np.repeat(counts, counts)
    found = np.empty(len(order), np.int64)
    found[order] = order[following]
    return found
