"""Findings on ties: what gives the label away."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.association import contingency_table
from latentloom.model_zoo.metrics.image_properties import PROPERTIES
from latentloom.pipeline.auditing.audited import REPAIR_FILE, Audited
from latentloom.pipeline.auditing.findings.severity import (
    COMPLETE_TIE,
    FOLLOWING_TIE,
    PROPERTY_TIE,
    TIE,
)
from latentloom.pipeline.auditing.findings.wording import MOST_NAMED, listed
from latentloom.pipeline.auditing.schema import Finding, Tie

OFF_TIE = 10
"""Examples of a cell from which a generator can begin to learn it."""


def find_ties(audited: Audited) -> list[Finding]:
    """Returns a finding for every tie that was found."""
    found = [tie for tie in audited.ties if tie.found]
    return [
        _of_property(audited, tie)
        if tie.kind == "property"
        else (_complete(audited, tie) if tie.complete else _of_factor(audited, tie))
        for tie in found
    ]


def _sure(audited: Audited, tie: Tie, alone: str) -> str:
    return (
        f"p = {tie.p_value:.2g}, corrected for {len(audited.ties)} factors and properties. From "
        f"{alone} alone the label is read with a balanced accuracy of {tie.accuracy:.2f} on "
        f"examples not learnt from; a guess has {tie.chance:.2f}."
    )


def _complete(audited: Audited, tie: Tie) -> Finding:
    name, classes = tie.factor, len(audited.manifest.class_names)
    table = factor_table(audited, name)
    if tie.is_label:
        title = f"Factor '{name}' is the label under another name"
        what = f"Each of the {classes} classes has one value of '{name}', and each value one class."
    elif (table > 0).sum(axis=1).max() == 1:
        title = f"Every class has one value of '{name}' alone"
        what = f"All {int(table.sum()):,} training examples of a class have the same '{name}'."
    else:
        title = f"Every value of '{name}' occurs with one class alone"
        what = f"No value of '{name}' has training examples of two classes."
    return Finding(
        key=f"tie/{name}",
        title=title,
        severity=COMPLETE_TIE,
        what=what,
        sure="Certain: counted, and there is no exception.",
        effect=(
            f"No method can tell whether a classifier has learnt the class or '{name}': both are "
            "right on every example. It is wrong on the first one that is off the tie."
        ),
        repair=(
            f"Collect {OFF_TIE} or more examples of each class with another value of '{name}', "
            f"such as {_off_tie(audited, name, table)}; nothing can be generated, or measured, "
            f"without any. If '{name}' only repeats the label, import without it (--factors)."
        ),
    )


def _off_tie(audited: Audited, name: str, table: np.ndarray) -> str:
    """Names a few cells without an example."""
    classes, values = audited.manifest.class_names, audited.manifest.factors[name]
    named = [
        f"'{classes[row]}' with '{values[column]}'"
        for row in np.flatnonzero(table.sum(axis=1))[:MOST_NAMED]
        for column in [next(iter(np.flatnonzero(table[row] == 0)), None)]
        if column is not None
    ]
    return ", ".join(named)


def _of_factor(audited: Audited, tie: Tie) -> Finding:
    name, table = tie.factor, factor_table(audited, tie.factor)
    share = table.max(axis=1).sum() / table.sum()
    can_fill = name in audited.missing.tied and audited.survey.is_of_images
    fills = (
        f"{REPAIR_FILE} fills the cells off the tie with recombinations: each class with every "
        "other value."
    )
    return Finding(
        key=f"tie/{name}",
        title=f"Factor '{name}' gives the label away",
        severity=TIE,
        what=(
            f"{share:.0%} of the training examples have the value of '{name}' that is the most "
            f"frequent in their class; Cramer's V is {tie.cramers_v:.2f} (0: independent, 1: a "
            "function of one another)."
        ),
        sure=_sure(audited, tie, f"'{name}'"),
        effect=(
            f"A classifier may learn '{name}' in place of the class. It then errs on examples off "
            "the tie, and a test split with the same tie does not show it."
        ),
        repair=fills if can_fill else f"Collect examples of each class with other '{name}'.",
        commands=audited.commands if can_fill else [],
    )


def _of_property(audited: Audited, tie: Tie) -> Finding:
    name = tie.factor.replace("_", " ")
    whom = "The classes"
    if tie.classes:
        plural = "" if len(tie.classes) == 1 else "es"
        whom = f"Class{plural} " + listed([f"'{each}'" for each in tie.classes])
    named = [each.factor for each in audited.ties if each.found and each.kind == "factor"]
    follows = f" It may follow from the tie to '{named[0]}'." if named else ""
    return Finding(
        key=f"tie/{tie.factor}",
        title=f"The label can be read from the {name} of the images",
        severity=FOLLOWING_TIE if named else PROPERTY_TIE,
        what=(
            f"{whom} can be told by the {name} alone ({PROPERTIES[tie.factor]}): largest "
            f"correlation {tie.largest_correlation:.2f}.{follows}"
        ),
        sure=_sure(audited, tie, f"the {name}")
        + " Whether it comes from how the images were taken or from what they show, numbers cannot "
        "tell: look at the pictures.",
        effect=(
            f"A classifier may learn the {name}, such as that of one camera or scanner, in place "
            "of the class, and errs on images taken otherwise."
        ),
        repair=(
            "If it is how they were taken: take images of all classes in the same way, or import "
            "what differs as a factor and audit again, so that its cells can be filled. No "
            "recombination can change what has no name."
        ),
    )


def factor_table(audited: Audited, name: str) -> np.ndarray:
    """Returns the training examples by label and value of a factor."""
    factors, examples = audited.manifest.factors, audited.survey.examples
    labels, codes = (examples.factors[each][audited.survey.train] for each in ("label", name))
    return contingency_table(labels, codes, (len(factors["label"]), len(factors[name])))
