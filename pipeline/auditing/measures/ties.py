"""Ties of the label: how well a factor, or a property of the images alone, gives it away.

A given factor is tied if the two depend on each other at all strongly. The properties of images
depend on what images show, too: a one has less ink than an eight. So a property must tell classes
apart nearly as well as a name does before a tie is claimed, and what follows from the
content of an image most, how bright and how sharp it is, must do it all but without mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.model_zoo.metrics.association import (
    contingency_table,
    cramers_v,
    holm,
    largest_correlation,
    mutual_information,
    permutation_p_value,
    without_empty,
)
from latentloom.pipeline.auditing.measures.readings import (
    FOLDS,
    MOST_READ,
    balanced,
    read_codes,
    read_numbers,
)
from latentloom.pipeline.auditing.schema import Tie
from latentloom.pipeline.auditing.survey import Survey
from latentloom.pipeline.dataset.examples import Factors

SIGNIFICANT = 0.05
"""Largest corrected p-value of a tie."""
STRONG = 0.3
"""Least Cramer's V of a tie to a given factor, a medium effect for Cohen."""
STRONG_GROUP = 0.5
"""Least correlation of a group of classes with a group of values of a given factor."""
STRONG_PROPERTY = 0.75
"""Least correlation of a tie to something measured. Classes of MNIST and of Fashion-MNIST have up
to 0.70 with the brightness that follows from what they show, and a tie of .9 to one of two inks has
0.8."""
STRONG_CONTENT = 0.95
"""The same for `OF_CONTENT`: zeros and ones of MNIST have 0.90 with their brightness."""
OF_CONTENT = ("brightness", "contrast", "sharpness")
PERMUTATIONS = 999
"""Least number of permutations; more for more than 20 factors, whose p-values are corrected."""


def measure_ties(survey: Survey, factors: Factors, measured: Sequence[str]) -> list[Tie]:
    """Measures how much the label depends on every factor and property, in split `train`.

    Args:
        survey: The survey.
        factors: Value names of the label and of every other factor.
        measured: Names of the factors that were measured from pixels.

    Returns:
        One entry a factor and property that has two values or more, found ties first.
    """
    labels, classes = survey.examples.labels[survey.train], factors["label"]
    tables, readings, kinds = {}, {}, {}
    rows = np.arange(survey.train.start, survey.train.stop)
    folds = survey.folds(rows, FOLDS)
    for name in (name for name in factors if name != "label"):
        codes = survey.examples.factors[name][survey.train]
        tables[name] = contingency_table(labels, codes, (len(classes), len(factors[name])))
        readings[name] = (read_codes(codes, labels, folds, tables[name].shape), labels)
        kinds[name] = "measured" if name in measured else "factor"
    sampled = survey.sample(rows, MOST_READ, "audit ties")
    of_sample = survey.examples.labels[sampled]
    for name, numbers in survey.properties.items():
        if np.ptp(numbers[sampled], axis=0).max() > 0:
            read = read_numbers(numbers[sampled], of_sample, folds[sampled - rows[0]])
            tables[name] = contingency_table(of_sample, read, (len(classes), len(classes)))
            readings[name], kinds[name] = (read, of_sample), "property"
    tables = {name: table for name, table in tables.items() if min(without_empty(table).shape) > 1}
    p_values = corrected_p_values(list(tables.values()), survey.seed)
    ties = [
        _tie(name, kinds[name], tables[name], readings[name], float(p), classes)
        for name, p in zip(tables, p_values, strict=True)
    ]
    return sorted(ties, key=lambda tie: (not tie.found, -tie.strength))


def corrected_p_values(tables: Sequence[np.ndarray], seed: int) -> np.ndarray:
    """Returns the p-value of every table under the permutation null, corrected by Holm, `(m,)`."""
    permutations = max(PERMUTATIONS, round(len(tables) / SIGNIFICANT) * 2 - 1)
    return holm(np.array([permutation_p_value(table, permutations, seed) for table in tables]))


def _tie(
    name: str,
    kind: str,
    table: np.ndarray,
    reading: tuple[np.ndarray, np.ndarray],
    p_value: float,
    classes: Sequence[str],
) -> Tie:
    """Puts together what is known of one factor.

    Args:
        name: Its name.
        kind: Its kind, see `Tie`.
        table: Counts by label and value.
        reading: The label as read from it, and the label.
        p_value: Corrected p-value.
        classes: Names of the classes.
    """
    v, correlation = cramers_v(table), largest_correlation(table)
    is_strong = {
        "factor": v >= STRONG or correlation >= STRONG_GROUP,
        "measured": correlation >= STRONG_PROPERTY,
        "property": correlation >= (STRONG_CONTENT if name in OF_CONTENT else STRONG_PROPERTY),
    }[kind]
    present = without_empty(table) > 0
    by_class, by_value = present.sum(axis=1).max() == 1, present.sum(axis=0).max() == 1
    is_given, found = kind != "property", bool(p_value <= SIGNIFICANT and is_strong)
    return Tie(
        factor=name,
        kind=kind,  # type: ignore[arg-type]
        found=found,
        strength=v if kind == "factor" else correlation,
        p_value=p_value,
        accuracy=balanced(*reading),
        chance=1 / len(np.unique(reading[1])),
        cramers_v=v,
        largest_correlation=correlation,
        mutual_information=mutual_information(table),
        complete=bool(found and is_given and (by_class or by_value)),
        is_label=bool(found and is_given and by_class and by_value),
        classes=_apart(*reading, classes) if found else [],
    )


def _apart(read: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Names of the classes that a reading tells from all others, unless these are all."""
    found = []
    for label in np.unique(labels):
        table = contingency_table((read == label) * 1, (labels == label) * 1, (2, 2))
        if largest_correlation(table) >= STRONG_PROPERTY:
            found.append(classes[label])
    return found if len(found) < len(np.unique(labels)) else []


def tied_factors(ties: Sequence[Tie]) -> Mapping[str, Tie]:
    """Returns the found ties to factors, by name."""
    return {tie.factor: tie for tie in ties if tie.found and tie.kind != "property"}
