"""Probes: new classifiers that measure how well a code predicts a factor."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
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
    """Accuracy on test codes of a new classifier trained on train codes.

    Args:
        probe: `"linear"` (logistic regression) or `"mlp"` (128 hidden units), on standardised
            codes; of larger ones on `MOST_DIM` principal components, on the scale of the first.
        train_codes: `(n, dim)`.
        train_labels: `(n,)` integers.
        test_codes: `(m, dim)`.
        test_labels: `(m,)` integers.
        seed: Seed of the MLP.

    Returns:
        Share of test codes with a correctly predicted label, in `[0, 1]`.

    Raises:
        ValueError: The probe is unknown.
    """
    if probe == "linear":
        classifier = LogisticRegression(max_iter=500)
    elif probe == "mlp":
        classifier = MLPClassifier((128,), max_iter=200, early_stopping=True, random_state=seed)
    else:
        raise ValueError(
            f"The probe is unknown. Expected: one of {', '.join(PROBES)}. "
            f"Received: probe={probe!r}. Use one of these."
        )
    if train_codes.shape[1] <= MOST_DIM:
        pipeline = make_pipeline(StandardScaler(), classifier)
        return float(pipeline.fit(train_codes, train_labels).score(test_codes, test_labels))
    count = min(MOST_DIM, len(train_codes))
    components = PCA(count, svd_solver="randomized", random_state=0).fit(train_codes)
    scale = np.sqrt(components.explained_variance_[0]) + np.finfo(np.float32).tiny
    train, test = (components.transform(codes) / scale for codes in (train_codes, test_codes))
    return float(classifier.fit(train, train_labels).score(test, test_labels))
