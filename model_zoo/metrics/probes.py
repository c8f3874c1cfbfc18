"""Probes: new classifiers that measure how well a code predicts a factor."""

from __future__ import annotations

import math
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PROBES = ("linear", "mlp")
MOST_DIM = 512
"""Most numbers of a code that a probe reads; of larger codes it reads the principal components."""


def probe_accuracy(
    probe: str,
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    seed: int = 0,
) -> float:
    """Accuracy on test codes of a new classifier; takes the arguments of `probe_hits`."""
    hits = probe_hits(probe, train_codes, train_labels, test_codes, test_labels, seed)
    return float(np.mean(hits))


def probe_hits(
    probe: str,
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    seed: int = 0,
) -> np.ndarray:
    """Trains a new classifier on train codes and applies it to test codes.

    Args:
        probe: `"linear"` (logistic regression) or `"mlp"` (128 hidden units), on standardised
            codes; of larger ones on `MOST_DIM` principal components, on the scale of the first.
            The MLP holds out a tenth of the train codes to stop early, if that has every label.
        train_codes: `(n, dim)`.
        train_labels: `(n,)` integers.
        test_codes: `(m, dim)`.
        test_labels: `(m,)` integers.
        seed: Seed of the MLP.

    Returns:
        Whether the label of each test code is predicted correctly, bool of shape `(m,)`.

    Raises:
        ValueError: The probe is unknown.
    """
    if probe == "linear":
        classifier = LogisticRegression(max_iter=500)
    elif probe == "mlp":
        early = _has_a_tenth(train_labels)
        classifier = MLPClassifier((128,), max_iter=200, early_stopping=early, random_state=seed)
    else:
        raise ValueError(
            f"The probe is unknown. Expected: one of {', '.join(PROBES)}. "
            f"Received: probe={probe!r}. Use one of these."
        )
    if not len(test_codes):
        return np.zeros(0, bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of few examples, and good enough
        return _predict(classifier, train_codes, train_labels, test_codes) == test_labels


def _predict(
    classifier: LogisticRegression | MLPClassifier,
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    test_codes: np.ndarray,
) -> np.ndarray:
    """Labels that a classifier predicts after training."""
    if train_codes.shape[1] <= MOST_DIM:
        pipeline = make_pipeline(StandardScaler(), classifier)
        return np.asarray(pipeline.fit(train_codes, train_labels).predict(test_codes))
    count = min(MOST_DIM, len(train_codes))
    components = PCA(count, svd_solver="randomized", random_state=0).fit(train_codes)
    scale = np.sqrt(components.explained_variance_[0]) + np.finfo(np.float32).tiny
    train, test = (components.transform(codes) / scale for codes in (train_codes, test_codes))
    return np.asarray(classifier.fit(train, train_labels).predict(test))


def _has_a_tenth(labels: np.ndarray) -> bool:
    """Whether a tenth of the examples can hold one of every label, and leave one."""
    counts = np.unique(labels, return_counts=True)[1]
    return bool(counts.min() >= 2 and math.ceil(0.1 * len(labels)) >= len(counts))
