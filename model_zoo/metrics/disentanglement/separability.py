"""How well linear classifiers predict factors, from one dimension and from the whole code."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from latentloom.model_zoo.metrics.disentanglement.labelled_codes import (
    Factors,
    LabelledCodes,
    standardised,
)

READERS = ("svm", "thresholds", "correlation")
PENALTY = 0.01
"""C of the support vector machine."""


def sap_score(codes: np.ndarray, factors: Factors, seed: int = 0, reader: str = "svm") -> float:
    """Separated attribute predictability: whether one dimension predicts a factor best.

    `mean over factors of S[first] - S[second]`, where first and second are the two dimensions that
    predict the factor best. S depends on `reader`:

    - `"svm"`: accuracy of a linear support vector machine with C 0.01 and balanced classes, one
      value against the rest, as in disentanglement_lib and so in most published figures. It may
      miss values in the middle of a line: with one dimension a factor, the score falls with the
      number of values (0.3 to 0.6 for five).
    - `"thresholds"`: balanced accuracy of at most `values - 1` thresholds, as in the paper for
      discrete factors. Deviates: a tree chooses them one after another.
    - `"correlation"`: squared correlation over all examples, as in both for continuous factors.

    Reference:
        Kumar, Sattigeri & Balakrishnan, Variational Inference of Disentangled Latent Concepts from
        Unlabeled Observations, ICLR 2018, https://arxiv.org/abs/1711.00848, section 3. Deviates:
        codes are standardised first, so that their scale makes no difference, and classifiers are
        scored on a held-out third of the examples of each value.

    Args:
        codes: `(n, dim)`.
        factors: Integers, `(n,)` by name or `(n, num_factors)`.
        seed: Seed of the choice of held-out examples.
        reader: `"svm"`, `"thresholds"` or `"correlation"`.

    Returns:
        In `[0, 1]`. Since guessing has an accuracy of `1 / values` for equally frequent values, the
        best score is `1 - 1 / values` with classifiers.

    Raises:
        ValueError: The reader is unknown, codes and factors cannot be compared, or fewer than two
            values of a factor have two examples.
    """
    if reader not in READERS:
        raise ValueError(
            f"The reader is unknown. Expected: one of {', '.join(READERS)}. "
            f"Received: reader={reader!r}. Use one of these."
        )
    table = LabelledCodes.check(codes, factors)
    if reader == "correlation":
        columns, values = standardised(table.codes), standardised(table.values)
        scores = np.square(columns.T @ values / len(table))
    else:
        scores = _accuracies(table, reader, np.random.default_rng(seed))
    ranked = np.sort(scores, axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))


def explicitness(codes: np.ndarray, factors: Factors, seed: int = 0) -> float:
    """Explicitness: how well a linear classifier predicts factors from the whole code.

    The area under the ROC curve of one-versus-rest logistic regressions on held-out examples, mean
    over the values of a factor, then over factors. It does not measure disentanglement: a rotation
    of the code does not change it. A linear classifier misses a value in the middle of a line.

    Reference:
        Ridgeway & Mozer, Learning Deep Disentangled Embeddings With the F-Statistic Loss, NeurIPS
        2018, https://arxiv.org/abs/1802.05312, section 3. Standardised codes and scikit-learn's
        default penalty, as in disentanglement_lib; its regression has become multinomial, this one
        follows the paper. Deviates: a third of the examples of each value is held out, and a value
        with one example is skipped.

    Args:
        codes: `(n, dim)`.
        factors: Integers, `(n,)` by name or `(n, num_factors)`.
        seed: Seed of the choice of held-out examples.

    Returns:
        In `[0, 1]`: 0.5 for guessing, 1 if all values are separated.

    Raises:
        ValueError: Codes and factors cannot be compared, or fewer than two values of a factor have
            two examples.
    """
    table, generator = LabelledCodes.check(codes, factors), np.random.default_rng(seed)
    areas = []
    for name, values in zip(table.names, table.values.T, strict=True):
        test = _held_out(name, values, generator)
        inputs = standardised(table.codes, ~test)
        areas.append(np.mean([_area(inputs, values == v, test) for v in np.unique(values[test])]))
    return float(np.mean(areas))


def _accuracies(table: LabelledCodes, reader: str, generator: np.random.Generator) -> np.ndarray:
    """Accuracy on held-out examples by dimension and factor."""
    scores = np.zeros((table.codes.shape[1], table.num_factors))
    score = accuracy_score if reader == "svm" else balanced_accuracy_score
    for factor, (name, values) in enumerate(zip(table.names, table.values.T, strict=True)):
        test = _held_out(name, values, generator)
        for dim, column in enumerate(standardised(table.codes, ~test)[..., None].swapaxes(0, 1)):
            classifier = _classifier(reader, int(values.max()) + 1)
            classifier.fit(column[~test], values[~test])
            scores[dim, factor] = score(values[test], classifier.predict(column[test]))
    return scores


def _classifier(reader: str, num_values: int) -> LinearSVC | DecisionTreeClassifier:
    if reader == "svm":
        return LinearSVC(C=PENALTY, class_weight="balanced", dual=False)
    return DecisionTreeClassifier(
        max_leaf_nodes=num_values, class_weight="balanced", random_state=0
    )


def _area(inputs: np.ndarray, is_value: np.ndarray, test: np.ndarray) -> float:
    classifier = LogisticRegression(max_iter=1000).fit(inputs[~test], is_value[~test])
    return float(roc_auc_score(is_value[test], classifier.decision_function(inputs[test])))


def _held_out(name: str, values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Mask of a third of the examples of each value: one of two examples, none of one."""
    counts = np.bincount(values)
    if np.sum(counts >= 2) < 2:
        raise ValueError(
            f"The values of factor '{name}' are too rare to train and test on. Expected: two "
            f"values or more with two examples. Received: examples a value={counts.tolist()}. Give "
            "more examples."
        )
    order = np.lexsort((generator.random(len(values)), values))
    ranks = np.arange(len(values)) - (np.cumsum(counts) - counts)[values[order]]
    test = np.zeros(len(values), bool)
    test[order] = ranks % 3 == 1
    return test
