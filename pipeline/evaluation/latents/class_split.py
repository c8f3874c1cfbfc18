"""Measures the split of a code: which blocks carry the class, and what the others hold."""

from __future__ import annotations

import math

import numpy as np

from latentloom.augment import BlockPrior, integers
from latentloom.model_zoo.metrics.codes import (
    ACTIVE_VARIANCE,
    active_units,
    class_entropy,
    kl_from_standard_normal,
    mutual_information_bound,
)
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import FEWEST, Measure


def evaluate_split(context: EvaluationContext) -> SectionResult:
    """Measures which blocks carry the class, and what the others hold."""
    measures = (measure_swap, measure_information, measure_units)
    return SectionResult([number for measure in measures for number in measure(context.encoded)])


def partners(labels: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Draws for every example one of a different class, all equally likely.

    Args:
        labels: `(n,)` integers, of two classes or more.
        keys: `(n,)` uint64. The draw depends on the keys, not on the order of the examples.

    Returns:
        Rows, int64 of shape `(n,)`.
    """
    order = np.lexsort((keys, labels))
    counts = np.bincount(labels)
    first = np.cumsum(counts) - counts  # where each class begins in `order`
    choice = integers(keys, len(labels) - counts[labels])
    choice += (choice >= first[labels]) * counts[labels]  # skips the example's own class
    return order[choice]


def measure_swap(encoded: EncodedExamples) -> list[Measure]:
    """Exchanges blocks between images of different classes and audits the class.

    Returns nothing if all blocks of the model carry the label.
    """
    if not encoded.free:
        return []
    rows = partners(encoded.labels, encoded.keys("swap"))
    carriers, free = encoded.carriers, encoded.free
    read = encoded.audit(encoded.decode(encoded.rows(carriers), encoded.rows(free, rows)))
    donors = encoded.labels[rows]
    own, other = " and ".join(carriers), " and ".join(free)
    one, many = encoded.one, encoded.many
    mixed = f"{own} of one {encoded.name} {one} and {other} of another class"
    return [
        Measure.of_share(
            read == encoded.labels,
            encoded.labels,
            fewest=FEWEST,
            name=f"Swap: class follows {own}",
            key="swap/own",
            chance=encoded.chance,
            meaning=f"Share of {many} decoded from {mixed} that the auditor classifies as the "
            f"class that gave {own}.",
        ),
        Measure.of_share(
            read == donors,
            donors,
            fewest=FEWEST,
            name=f"Swap: class follows {other}",
            key="swap/other",
            chance=float(np.bincount(donors).max() / len(donors)),
            better="lower",
            meaning=f"Share of these {many} that the auditor classifies as the class that gave "
            f"{other}. 0 is best.",
        ),
    ]


def measure_information(encoded: EncodedExamples) -> list[Measure]:
    """Measures a lower bound on the mutual information of code and class."""
    scores = encoded.codec.class_scores(encoded.latents)
    most = class_entropy(encoded.labels)
    return [
        Measure(
            name="Mutual information of code and class, at least",
            key="information/class",
            value=mutual_information_bound(scores, encoded.labels),
            unit="nats",
            chance=0.0,
            meaning=f"Entropy of the class, {most:.3f} nats, less the cross-entropy of the model's "
            f"own class scores on {encoded.name} {encoded.many}.",
        )
    ]


def measure_units(encoded: EncodedExamples) -> list[Measure]:
    """Measures the active units of blocks without the label, and KL divergences from the prior."""
    measures = [
        Measure(
            name=f"Active units of {name}",
            key=f"active_units/{name}",
            value=active_units(encoded.latents[name]),
            chance=0,
            meaning=f"Dimensions of the mean {name}, of {encoded.latents[name].shape[1]}, with a "
            f"variance above {ACTIVE_VARIANCE}. 0 if the model ignores {name}.",
        )
        for name in encoded.free
    ]
    return measures + _measure_divergence(encoded)


def _measure_divergence(encoded: EncodedExamples) -> list[Measure]:
    """KL divergence of every block whose prior is one standard normal."""
    measures = []
    moments = encoded.codec.posterior_moments(encoded.examples.observations)
    for name, (loc, scale) in moments.items():
        block = encoded.codec.spec[name]
        if block.prior == BlockPrior.standard_normal(block.dim):
            value = kl_from_standard_normal(loc, scale)
            measures.append(
                Measure(
                    name=f"KL divergence of {name} from its prior",
                    key=f"kl/{name}",
                    value=value if math.isfinite(value) else None,
                    unit="nats",
                    chance=0.0,
                    meaning="KL divergence of the diagonal Gaussian with the posterior's mean and "
                    f"standard deviation, summed over dimensions, mean over {encoded.name} "
                    f"{encoded.many}. 0 if the model ignores the block; the higher, the less draws "
                    "from the prior resemble codes.",
                )
            )
    return measures
