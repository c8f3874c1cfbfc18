"""Findings on single examples: copies, leaks, doubtful labels, images of one colour."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from latentloom.pipeline.auditing.audited import Audited
from latentloom.pipeline.auditing.findings.severity import (
    CONFLICTS,
    CONSTANT,
    LEAK,
    SMALL_LEAK,
    SURPLUS,
    SUSPECTS,
)
from latentloom.pipeline.auditing.findings.wording import counted
from latentloom.pipeline.auditing.schema import DuplicateTotals, Finding

MANY_LEAKED = 0.01
"""Share of a split from which near copies in it are as bad as exact ones."""
HOW = {
    "exact": "Certain: equal in every value.",
    "near": (
        "Likely: alike in hash and pixels but for encoding, noise or light; look at the pictures."
    ),
}
NAMES = {"exact": "Exact copies", "near": "Near copies"}


def find_copies_and_leaks(audited: Audited, totals: Mapping[str, DuplicateTotals]) -> list[Finding]:
    """Returns leaks between splits, copies with several labels, and copies, of either kind."""
    found = []
    for kind, total in totals.items():
        found += [_leak(audited, kind, total)] if any(total.leaked.values()) else []
        found += [_conflict(kind, total)] if total.conflicting else []
        is_more = total.surplus > sum(total.leaked.values())
        found += [_surplus(audited, kind, total)] if is_more else []
    return found


def _leak(audited: Audited, kind: str, total: DuplicateTotals) -> Finding:
    of_split = {
        split: (count, audited.manifest.num_examples(split))
        for split, count in total.leaked.items()
        if count
    }
    told = ", ".join(
        f"{count:,} of {all_:,} in {split} ({count / all_:.2%})"
        for split, (count, all_) in of_split.items()
    )
    share = max(count / all_ for count, all_ in of_split.values())
    return Finding(
        key=f"duplicates/{kind}/leak",
        title=f"{NAMES[kind]} of training examples in other splits",
        severity=LEAK if kind == "exact" or share >= MANY_LEAKED else SMALL_LEAK,
        what=f"Examples with a copy in split train: {told}.",
        sure=HOW[kind],
        effect=(
            f"Up to {share:.2%} of what scores a classifier was seen in training: its accuracy is "
            "flattered by as much."
        ),
        repair="Remove them from these splits (audit.json lists their ids) and import again.",
    )


def _conflict(kind: str, total: DuplicateTotals) -> Finding:
    return Finding(
        key=f"duplicates/{kind}/conflict",
        title=f"{NAMES[kind]} with different labels",
        severity=CONFLICTS,
        what=f"{counted(total.conflicting, 'group')} of copies with several labels.",
        sure=HOW[kind] + " At least one label of each group is wrong, or the classes overlap.",
        effect="A classifier cannot learn both labels; what it scores on them is chance.",
        repair="Decide on one label for each group (audit.json lists them) and import again.",
    )


def _surplus(audited: Audited, kind: str, total: DuplicateTotals) -> Finding:
    return Finding(
        key=f"duplicates/{kind}/surplus",
        title=NAMES[kind],
        severity=SURPLUS,
        what=(
            f"{counted(total.groups, 'group')} of copies; {total.surplus:,} of "
            f"{len(audited.survey.examples):,} examples would go if each group kept one."
        ),
        sure=HOW[kind],
        effect="A classifier weighs what is repeated; validation examples drawn of it are no test.",
        repair="Keep one of each group, unless they are repeated on purpose.",
    )


def find_doubtful_labels(audited: Audited) -> list[Finding]:
    """Returns the label suspects, if there are any."""
    suspects = audited.suspects
    if not len(suspects.rows):
        return []
    count, names = len(suspects.rows), audited.manifest.class_names
    labels = audited.survey.examples.labels[suspects.rows]
    pairs, counts = np.unique(np.stack([labels, suspects.suggested]), axis=1, return_counts=True)
    place = counts.argmax()
    given, seen = (names[code] for code in pairs[:, place])
    first, second = suspects.accuracies
    return [
        Finding(
            key="labels/suspects",
            title=f"{counted(count, 'label')} probably wrong",
            severity=SUSPECTS,
            what=(
                f"Of {suspects.classified:,} examples, two classifiers that did not see them agree "
                f"on another class than the label in {count:,} ({count / suspects.classified:.1%}),"
                f" and hardly allow the label. Most often: '{given}' looks like '{seen}' "
                f"({counts[place]:,})."
            ),
            sure=(
                f"Likely, not certain. The classifiers read the labels with balanced accuracies of "
                f"{first:.2f} and {second:.2f}; of digits with 5 % wrong labels, about nine of ten "
                "suspects were wrong, and about nine of ten wrong labels suspected."
            ),
            effect="Wrong labels are learnt in training, and lower the best score in a test split.",
            repair="Look at the suspects (audit.json lists them), correct them, and import again.",
        )
    ]


def find_constant(audited: Audited) -> list[Finding]:
    """Returns the images of one colour, if there are any."""
    count = int(audited.survey.constant.sum())
    if not count:
        return []
    return [
        Finding(
            key="images/constant",
            title=f"{counted(count, 'image')} of one colour",
            severity=CONSTANT,
            what=f"All pixels are alike in {count:,} of {len(audited.survey.examples):,} images.",
            sure="Certain: compared.",
            effect="They show nothing of their class.",
            repair="Remove them at the source (audit.json lists their ids) and import again.",
        )
    ]
