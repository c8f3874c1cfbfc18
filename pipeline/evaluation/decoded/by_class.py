"""Shows, class by class, real examples beside accepted and rejected variants."""

from __future__ import annotations

import numpy as np

from latentloom.augment import Verdicts
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import classes_in_turn
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import ShownClass
from latentloom.pipeline.report.rejections import by_gate, in_few_words
from latentloom.pipeline.report.schema import Picture

MOST_CLASSES = 20
"""Most classes that are drawn: those of which the gate accepts the smallest shares."""


def draw_by_class(
    codec: Codec, real: Examples, variants: np.ndarray, labels: np.ndarray, verdicts: Verdicts
) -> dict[str, Picture]:
    """Draws real examples beside accepted and rejected first attempts, class by class.

    Args:
        codec: The codec of the bundle.
        real: Real examples of the classes.
        variants: Variants before the gate, as stored, `(V, ...)`.
        labels: Their classes, `(V,)`.
        verdicts: The gate's verdicts on them.

    Returns:
        The picture by its name; nothing if no class has both a variant and a real example.
    """
    present = np.intersect1d(labels, real.labels)
    if not len(present):
        return {}
    shares = np.array([verdicts.accepted[labels == label].mean() for label in present])
    worst = np.argsort(shares, kind="stable")[:MOST_CLASSES]
    pictures = pictures_of(codec.kind, codec.bundle.vocabulary)
    shown = [
        _shown(
            codec.bundle.class_names[label],
            real.take(_spread(np.flatnonzero(real.labels == label), pictures.most_of_class)),
            variants,
            verdicts,
            np.flatnonzero(labels == label),
            pictures.most_of_class,
        )
        for label in np.sort(present[worst]).tolist()
    ]
    picture = pictures.classes(shown)
    absent = len(codec.bundle.class_names) - len(present)
    caption = f"{picture.caption} First attempts only.{_told(np.delete(shares, worst), absent)}"
    return {"class_by_class": Picture(picture.png, caption)}


def _shown(
    name: str,
    real: Examples,
    variants: np.ndarray,
    verdicts: Verdicts,
    rows: np.ndarray,
    most: int,
) -> ShownClass:
    """At most so many variants of a class, which has those at `rows`, beside its real examples."""
    codes = verdicts.reason[rows]
    accepted, rejected = rows[codes == 0], rows[codes > 0]
    chosen = rejected[classes_in_turn(codes[codes > 0], most)]
    reasons = [verdicts.reasons[code] for code in codes[codes > 0].tolist()]
    title = f"{name}: {len(accepted):,} of {len(rows):,} accepted"
    counts = by_gate({reason: reasons.count(reason) for reason in dict.fromkeys(reasons)})
    if counts:
        told = ", ".join(f"{gate} {count:,}" for gate, count in counts.most_common())
        title += f"; rejected: {told}"
    return ShownClass(
        name=name,
        title=title,
        real=real.loaded().observations,
        accepted=variants[_spread(accepted, most)],
        rejected=variants[chosen],
        reasons=[in_few_words(verdicts.reasons[code]) for code in verdicts.reason[chosen]],
    )


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many rows, evenly spread, since neighbours may have one anchor."""
    places = np.linspace(0, len(rows) - 1, min(most, len(rows)))
    return rows[places.astype(np.int64)]


def _told(shares: np.ndarray, absent: int) -> str:
    """Sentences on the classes that are not drawn.

    Args:
        shares: The share that is accepted of each further class.
        absent: Number of classes that the sample has no variant or no real example of.
    """
    told = ""
    if len(shares):
        told = (
            f" Not drawn: {len(shares):,} further classes, of each of which the gate accepts "
            f"{shares.min():.0%} or more."
        )
    return told + (f" Not in the sample: {absent:,} of the classes." if absent else "")
