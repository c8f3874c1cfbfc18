"""Measures translations between domains in each direction: class, domain, drift, diversity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.transfers import next_of_value
from latentloom.pipeline.evaluation.factors.translation_pictures import (
    ROWS,
    draw_translations,
)
from latentloom.pipeline.evaluation.factors.translations import Translation, translations
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure

WAYS = {"drawn": "in drawn looks", "guided": "in the looks of donors"}


def evaluate_translation(context: EvaluationContext) -> SectionResult:
    """Measures and draws translations between the domains of models that can draw their looks."""
    encoded, measures, shown = context.encoded, [], []
    for made in translations(context):
        measures += measure_translation(encoded, made)
        shown.append(made.take(np.arange(min(ROWS, len(made.rows)))))
    if not shown:
        return SectionResult()
    return SectionResult([*weakest(measures), *measures], draw_translations(encoded, shown))


def measure_translation(encoded: EncodedExamples, made: Translation) -> list[Measure]:
    """Measures one direction."""
    names = encoded.codec.bundle.factors[made.domain]
    source, target = names[made.source], names[made.target]
    name, key = f"{source} to {target}", f"translation/{source}/{target}"
    return [
        *(each for way in WAYS for each in _readings(encoded, made, way, name, key)),
        *_drift(encoded, made, name, key),
        *_diversity(encoded, made, name, key),
    ]


def _readings(
    encoded: EncodedExamples, made: Translation, way: str, name: str, key: str
) -> Iterator[Measure]:
    """What the auditor reads of the translations of one way: the class and the domain."""
    read = encoded.codec.judge_factors(getattr(made, way), "auditor")
    kept = read["label"].argmax(axis=-1) == encoded.labels[made.rows]
    yield Measure(
        name=f"{name}, {WAYS[way]}: class kept",
        key=f"{key}/kept/{way}",
        value=float(kept.mean()),
        chance=_class_chance(encoded, made),
        meaning="Share of translations of which the auditor reads the class of the anchor. "
        "Chance is any real image of the domain.",
    )
    if made.domain in read:
        reached = read[made.domain].argmax(axis=-1) == made.target
        yield Measure(
            name=f"{name}, {WAYS[way]}: domain reached",
            key=f"{key}/reached/{way}",
            value=float(reached.mean()),
            chance=0.0,
            meaning="Share of translations of which the auditor reads the domain that they are "
            "translated to. Chance is the anchor itself.",
        )


def weakest(measures: Sequence[Measure]) -> list[Measure]:
    """The weakest direction of the share of translations that keep their class, for each way."""
    found = []
    for way, manner in WAYS.items():
        of_way = [each for each in measures if each.key.endswith(f"/kept/{way}")]
        worst = min(of_way, key=lambda each: each.value or 0.0)
        direction = worst.name.partition(",")[0]
        found.append(
            Measure(
                name=f"Translation {manner}: class kept, weakest direction",
                key=f"translation/kept/{way}",
                value=worst.value,
                chance=worst.chance,
                meaning=f"The smallest share of all directions, that of {direction}.",
            )
        )
    return found


def _class_chance(encoded: EncodedExamples, made: Translation) -> float:
    """How often a random example of the target has the class of a random anchor."""
    of_target = encoded.labels[encoded.examples.factors[made.domain] == made.target]
    count = int(encoded.labels.max()) + 1
    shares = [
        np.bincount(labels, minlength=count) / len(labels)
        for labels in (of_target, encoded.labels[made.rows])
    ]
    return float(shares[0] @ shares[1])


def _drift(encoded: EncodedExamples, made: Translation, name: str, key: str) -> list[Measure]:
    """How far the blocks that were kept are after a translation, encoded again."""
    blocks = [block for block in encoded.codec.spec.names if block != made.block]
    found = encoded.codec.encode(made.drawn, blocks)
    measures = []
    for block in blocks:
        own = encoded.latents[block].astype(np.float64)
        variance = own.var(axis=0).mean()
        error = np.square(found[block] - own[made.rows]).mean()
        if variance > 0:
            measures.append(
                Measure(
                    name=f"{name}: drift of {block}",
                    key=f"{key}/drift/{block}",
                    value=float(error / (2 * variance)),
                    chance=1.0,
                    better="lower",
                    meaning=f"Mean squared change of the block {block} of the translation in a "
                    "drawn look, over twice its variance. Chance is another image.",
                )
            )
    return measures


def _diversity(encoded: EncodedExamples, made: Translation, name: str, key: str) -> list[Measure]:
    """How much two drawn looks of one image differ, against real images of one class."""
    images, labels = encoded.examples.observations, encoded.labels
    pool = np.flatnonzero(encoded.examples.factors[made.domain] == made.target)
    other = pool[next_of_value(labels[pool], encoded.keys("translation real")[pool])]
    pairs = (pool != other) & np.isin(labels[pool], labels[made.rows])
    if not pairs.any():
        return []
    chosen = np.flatnonzero(pairs)[: len(made.rows)]
    real = _difference(images[pool[chosen]], images[other[chosen]])
    if not real:
        return []
    return [
        Measure(
            name=f"{name}: diversity of drawn looks",
            key=f"{key}/diversity",
            value=_difference(made.drawn, made.redrawn) / real,
            meaning="Mean absolute difference of two translations of one image over that of two "
            "real images of one class of the domain. Near 0 all are alike; above 1 may be noise.",
        )
    ]


def _difference(images: np.ndarray, others: np.ndarray) -> float:
    """Mean absolute difference, in levels of 255."""
    return float(np.abs(images.astype(np.int16) - others).mean())
