"""Images of one domain in the looks of another, decoded for an evaluation.

A domain is a value of a factor whose block has a prior that can draw each value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from latentloom.augment import Block
from latentloom.pipeline.dataset.sampling import most_in_memory
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples

MOST_DOMAINS = 6
"""Most domains whose directions are all measured."""
COPIES = 6
"""Images held of each anchor meanwhile."""


@dataclass(frozen=True)
class Translation:
    """Images of one domain in the looks of another.

    Attributes:
        domain: Name of the factor.
        block: Name of the block that carries it.
        source: Value of the anchors.
        target: Value of the results.
        rows: Rows of the anchors among the scored examples, `(n,)`.
        donors: Rows of examples of the target, `(n,)`.
        drawn: Images in a look from the prior of the target, `(n, height, width, channels)` uint8.
        redrawn: Images of the same anchors in another such look.
        guided: Images of the same anchors in the looks of the donors.
    """

    domain: str
    block: str
    source: int
    target: int
    rows: np.ndarray
    donors: np.ndarray
    drawn: np.ndarray
    redrawn: np.ndarray
    guided: np.ndarray

    def take(self, places: np.ndarray) -> Translation:
        """Some of the images."""
        names = ("rows", "donors", "drawn", "redrawn", "guided")
        return replace(self, **{name: getattr(self, name)[places] for name in names})


def translated_block(encoded: EncodedExamples) -> Block | None:
    """The only block whose prior can draw the values of a factor other than the label.

    None if there is no such block or several, if the examples are no images or have one domain, and
    for models that keep the image itself in a block: these do not translate it.
    """
    blocks, examples = list(encoded.codec.spec), encoded.examples
    found = [block for block in blocks if block.drawn_factor not in (None, "label")]
    if len(found) != 1 or examples.observations.ndim != 4 or any(b.anchored for b in blocks):
        return None
    present = np.unique(examples.factors[str(found[0].drawn_factor)])
    return found[0] if 1 < len(present) <= MOST_DOMAINS else None


def translations(context: EvaluationContext) -> Iterator[Translation]:
    """Translates some examples of each domain to every other domain, one direction at a time."""
    encoded = context.encoded
    if (block := translated_block(encoded)) is None:
        return
    domain = str(block.drawn_factor)
    values = encoded.examples.factors[domain]
    order = np.argsort(encoded.keys("translation"), kind="stable")
    held = most_in_memory(encoded.examples.observations, COPIES)
    known = np.unique(block.prior.values) if block.prior.values is not None else ()
    for source in np.unique(values).tolist():
        rows = order[values[order] == source][: min(context.config.evaluate.anchors, held)]
        for target in np.unique(values).tolist():
            if target != source and target in known:
                yield _translation(encoded, block, domain, (source, target), rows)


def _translation(
    encoded: EncodedExamples,
    block: Block,
    domain: str,
    direction: tuple[int, int],
    rows: np.ndarray,
) -> Translation:
    source, target = direction
    pool = np.flatnonzero(encoded.examples.factors[domain] == target)
    keys = encoded.keys(f"translation {source} {target}")
    donors = pool[(keys[rows] % np.uint64(len(pool))).astype(np.int64)]
    codes = encoded.rows(encoded.codec.spec.names, rows)
    wanted = {"label": encoded.labels[rows], domain: np.full(len(rows), target)}

    def drawn(use: str) -> np.ndarray:
        return block.draw(encoded.keys(f"{use} {source} {target}")[rows], wanted)

    looks = {
        "drawn": drawn("drawn look"),
        "redrawn": drawn("redrawn look"),
        "guided": encoded.latents[block.name][donors],
    }
    images = {name: encoded.decode(codes | {block.name: look}) for name, look in looks.items()}
    return Translation(domain, block.name, source, target, rows=rows, donors=donors, **images)
