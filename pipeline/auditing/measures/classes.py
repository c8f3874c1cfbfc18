"""Classes: how many examples each has, and what these are too few for."""

from __future__ import annotations

from collections.abc import Mapping

from latentloom.pipeline.auditing.schema import AuditedClass
from latentloom.pipeline.dataset.folds import SMALLEST_CLASS, SPARES_ONE
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.report.measure import FEWEST

BETA = 0.999
"""How much each further example repeats what the others show: the effective number of a class is at
most `1 / (1 - BETA)`."""
SCORING = ("validation", "test")


def effective_number(count: int) -> float:
    """Returns the effective number of examples of a class: further examples add less and less.

    Reference:
        Cui et al., Class-balanced loss based on effective number of samples, CVPR 2019,
        https://arxiv.org/abs/1901.05555.
    """
    return (1 - BETA**count) / (1 - BETA)


def audit_classes(manifest: Manifest) -> list[AuditedClass]:
    """Counts the examples of every class and names what each class has too few for."""
    counts = {split: manifest.label_counts(split) for split in manifest.splits}
    return [
        AuditedClass(
            name=name,
            counts={split: of[name] for split, of in counts.items()},
            effective_number=effective_number(counts["train"][name]),
            lacks=_lacks({split: of[name] for split, of in counts.items()}, _scoring(counts)),
        )
        for name in manifest.class_names
    ]


def imbalance(manifest: Manifest) -> dict[str, float]:
    """Returns the largest class over the smallest that has any example, by split."""
    ratios = {}
    for split in manifest.splits:
        counts = [count for count in manifest.label_counts(split).values() if count]
        if counts:
            ratios[split] = max(counts) / min(counts)
    return ratios


def _scoring(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The splits that score a classifier and have any example."""
    return [split for split in SCORING if sum(counts.get(split, {}).values())]


def _lacks(counts: Mapping[str, int], scoring: list[str]) -> list[str]:
    """Returns what the counts of a class are too few for, one sentence each."""
    train, lacks = counts["train"], []
    if train < SMALLEST_CLASS:
        lacks.append(f"{train} in train; training needs {SMALLEST_CLASS}")
    elif train < SPARES_ONE and "validation" not in scoring:
        lacks.append(f"{train} in train; a validation example needs {SPARES_ONE}")
    for split in scoring:
        if counts[split] < FEWEST:
            lacks.append(f"{counts[split]} in {split}; its accuracy needs {FEWEST}")
    return lacks
