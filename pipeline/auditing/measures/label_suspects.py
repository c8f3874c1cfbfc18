"""Label suspects: examples whose label two small classifiers contradict that did not see it.

One is the network of judges, for images made small; the other asks the nearest examples, by their
principal components and, for images, also shifted by one pixel. Measured on 2,000 digits of MNIST
with 5 % wrong labels: `tests/benchmarks/audit.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from latentloom.model_zoo.metrics.label_errors import doubted_labels
from latentloom.model_zoo.metrics.perceptual_hash import averaging
from latentloom.model_zoo.scaling import PIXELS, SCALINGS, Counts
from latentloom.model_zoo.training.classifier import fit_classifier, logits_of
from latentloom.model_zoo.training.deformations import Deformations
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.auditing.measures.readings import (
    balanced,
    read_codes,
    read_numbers,
)
from latentloom.pipeline.auditing.schema import MOST_LISTED, LabelSuspect, Tie
from latentloom.pipeline.auditing.survey import Survey

MOST_CLASSIFIED = 8000
"""Most examples that are classified, of all splits; the time grows with their number."""
FEWEST_OF_CLASS = 10
"""Fewest examples of a class that can be learnt; smaller classes are left out."""
LEAST_ACCURACY = 0.6
"""Least balanced accuracy of both classifiers: weaker ones contradict too many right labels."""
FOLDS = 3
SIDE = 32
"""Pixels to which larger images are averaged."""
SMALLEST_DEFORMED = 16
"""Pixels of the shorter side from which the network learns from deformed images."""
SEEN, EPOCHS, BATCH, WIDTH = 25_600, (8, 100), 64, 16
"""Examples that the network sees, least and most passes over them, its batch and its width."""
COMPONENTS, NEIGHBOURS = 50, 15
READ_AT_ONCE = 1024
SHIFTS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass(frozen=True)
class Suspects:
    """Doubtful labels, and how well the classifiers read the others.

    Attributes:
        rows: Rows of a survey, the most doubtful label first.
        suggested: The class that both classifiers prefer, `(m,)`.
        probabilities: Mean probability that they give the label, `(m,)`.
        accuracies: Balanced accuracy of each classifier, out of fold; empty if nothing could be
            learnt.
        classified: Number of examples that were classified.
        off_ties: Number of examples that are no suspects since they are off a tie.
    """

    rows: np.ndarray
    suggested: np.ndarray
    probabilities: np.ndarray
    accuracies: tuple[float, ...]
    classified: int
    off_ties: int = 0

    @property
    def is_weak(self) -> bool:
        """Whether the classifiers have learnt too little to doubt a label."""
        return not self.accuracies or min(self.accuracies) < LEAST_ACCURACY


def find_suspects(
    survey: Survey, observation: str, ties: Sequence[Tie], advance: Callable[[int, int], None]
) -> Suspects:
    """Classifies the examples of all splits out of fold, and doubts labels; see `doubted_labels`.

    Where the label is tied, classifiers read the tie: an example off it seems to have the label
    that it stands for. Such a label is not doubted.

    Args:
        survey: The survey.
        observation: Kind of observation.
        ties: Ties of the label.
        advance: Called with the number of folds done and of all.
    """
    labels, none = survey.examples.labels, np.zeros(0, np.int64)
    counts = np.bincount(labels)
    rows = survey.sample(
        np.flatnonzero(counts[labels] >= FEWEST_OF_CLASS), MOST_CLASSIFIED, "audit suspects"
    )
    names, given = np.unique(labels[rows], return_inverse=True)
    if len(names) < 2:
        return Suspects(none, none, np.zeros(0), (), 0)
    small = read_small(survey.examples.observations, rows)
    folds, probabilities = survey.folds(rows, FOLDS), np.zeros((2, len(rows), len(names)))
    for fold in range(FOLDS):
        inside = folds == fold
        if inside.any() and not inside.all():
            probabilities[:, inside] = _classify(small, observation, given, inside)
        advance(fold + 1, FOLDS)
    accuracies = tuple(balanced(each.argmax(axis=1), given) for each in probabilities)
    doubted, preferred = doubted_labels(list(probabilities), given)
    if min(accuracies) < LEAST_ACCURACY:
        doubted = none
    kept = doubted
    for tie in (tie for tie in ties if tie.found):
        read = _read_tie(survey, tie.factor, rows, given, folds)
        kept = kept[preferred[kept] != read[kept]]
    own = probabilities.mean(axis=0)[kept, given[kept]]
    found = rows[kept], names[preferred[kept]], own
    return Suspects(*found, accuracies, len(rows), off_ties=len(doubted) - len(kept))


def _read_tie(
    survey: Survey, name: str, rows: np.ndarray, labels: np.ndarray, folds: np.ndarray
) -> np.ndarray:
    """The label as read from a tied factor or property alone, out of fold, `(n,)`."""
    if name in survey.properties:
        return read_numbers(survey.properties[name][rows], labels, folds)
    codes = survey.examples.factors[name][rows]
    return read_codes(codes, labels, folds, (int(labels.max()) + 1, int(codes.max()) + 1))


def describe_suspects(
    survey: Survey, suspects: Suspects, classes: Sequence[str]
) -> list[LabelSuspect]:
    """Describes the first `MOST_LISTED` suspects."""
    return [
        LabelSuspect(
            example_id=survey.examples.ids[row],
            split=str(survey.split_of[row]),
            label=classes[int(survey.examples.labels[row])],
            suggested=classes[int(suspects.suggested[place])],
            probability=float(suspects.probabilities[place]),
        )
        for place, row in enumerate(suspects.rows[:MOST_LISTED].tolist())
    ]


def read_small(observations: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Reads observations as stored; images are averaged to at most `SIDE` pixels a side."""
    parts = [
        _small(observations[rows[start : start + READ_AT_ONCE]])
        for start in range(0, len(rows), READ_AT_ONCE)
    ]
    return np.concatenate(parts)


def _small(observations: np.ndarray) -> np.ndarray:
    if observations.ndim != 4 or max(observations.shape[1:3]) <= SIDE:
        return observations
    down, across = (averaging(size, min(size, SIDE)) for size in observations.shape[1:3])
    levels = observations.astype(np.float32)
    small = np.einsum("ah,nhwc,bw->nabc", down, levels, across, optimize=True)
    return np.rint(small).clip(0, 255).astype(np.uint8)


def _classify(
    observations: np.ndarray, kind: str, labels: np.ndarray, inside: np.ndarray
) -> np.ndarray:
    """Trains both classifiers outside a fold; returns their probabilities, `(2, m, classes)`."""
    train, given, asked = observations[~inside], labels[~inside], observations[inside]
    classes = int(labels.max()) + 1
    return np.stack(
        [
            _by_network(train, given, asked, kind, classes),
            _by_neighbours(train, given, asked, kind, classes),
        ]
    )


def _by_network(
    train: np.ndarray, labels: np.ndarray, asked: np.ndarray, kind: str, classes: int
) -> np.ndarray:
    least, most = EPOCHS
    schedule = Schedule(epochs=min(most, max(least, SEEN // len(train))), batch_size=BATCH)
    scaling = SCALINGS[kind].fit(train)
    is_deformed = kind == PIXELS.kind and min(train.shape[1:3]) >= SMALLEST_DEFORMED
    deformations = Deformations() if is_deformed else None
    network = fit_classifier(
        (train, labels), classes, schedule, WIDTH, scaling=scaling, deformations=deformations
    )
    return softmax(logits_of(network, asked, scaling), axis=1)


def _by_neighbours(
    train: np.ndarray, labels: np.ndarray, asked: np.ndarray, kind: str, classes: int
) -> np.ndarray:
    views = _views(train, kind)
    components = PCA(min(COMPONENTS, *views[0].shape), random_state=0).fit(views[0])
    codes = np.concatenate([components.transform(view) for view in views])
    near = KNeighborsClassifier(min(NEIGHBOURS, len(codes)), weights="distance")
    near.fit(codes, np.tile(labels, len(views)))
    found = np.zeros((len(asked), classes))
    found[:, near.classes_] = near.predict_proba(components.transform(_views(asked, kind)[0]))
    return found


def _views(observations: np.ndarray, kind: str) -> list[np.ndarray]:
    """Rows of features, float32 `(n, features)`: of images, as they are and after every shift."""
    found = observations.astype(np.float32)
    if kind == PIXELS.kind:
        return [np.roll(found, s, axis=(1, 2)).reshape(len(found), -1) for s in SHIFTS]
    if kind == Counts.kind:
        return [np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1))]
    return [found]
