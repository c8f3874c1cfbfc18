"""Disentanglement, completeness and informativeness of a code (DCI), by regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import entr
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Lasso

from latentloom.model_zoo.metrics.disentanglement.labelled_codes import (
    Factors,
    LabelledCodes,
    standardised,
)

REGRESSORS = ("forest", "lasso")
TREES = 10
DEPTHS = (2, 4, 8, 12)
ALPHA = 0.02
MOST_ROUNDS = 10_000  # of a lasso; a code of dependent axes needs more than the usual 1,000
LEAST_EXAMPLES = 20
"""Least number of examples, so that validation and test have two each."""

Regressor = RandomForestRegressor | Lasso


@dataclass(frozen=True)
class DCI:
    """Result of `dci`.

    Attributes:
        disentanglement: In `[0, 1]`, 1 if each dimension is important for one factor only.
        completeness: In `[0, 1]`, 1 if each factor needs one dimension only.
        informativeness_error: Root mean squared error on test examples over the standard deviation
            of the factor, mean over factors: 0 is best, 1 is the error of predicting the mean.
        importance: `(dim, num_factors)`, at least 0, importance of a dimension for a factor.
    """

    disentanglement: float
    completeness: float
    informativeness_error: float
    importance: np.ndarray


def dci(codes: np.ndarray, factors: Factors, regressor: str = "forest", seed: int = 0) -> DCI:
    """Disentanglement, completeness and informativeness.

    Every factor is regressed on the code; the importance of a dimension is its reduction of
    variance in a forest, or the size of its coefficient in a lasso. A lasso finds only linear
    relations. If there are none, a few small coefficients determine its scores: with an error near
    1, disentanglement and completeness mean nothing.

    Reference:
        Eastwood & Williams, A Framework for the Quantitative Evaluation of Disentangled
        Representations, ICLR 2018, https://openreview.net/forum?id=By-7dz-AZ (not on arXiv),
        section 2. Settings of the authors' code: a random forest of 10 trees with a depth of 2 to
        12, or a lasso with alpha 0.02; codes and factors standardised; 80, 10 and 10 % to fit, to
        validate and to test. Importances are not scaled by factor: in a forest, where they sum to 1
        for each factor, all factors have the same weight; in a lasso, well-predicted factors weigh
        more. disentanglement_lib differs: it uses boosted trees as classifiers, and accuracy for
        the error. Deviates: for each factor, the depth (2, 4, 8 or 12) has the least error on the
        validation examples; factors are standardised by all examples, since they could be constant
        in a split.

    Args:
        codes: `(n, dim)`, at least 20 examples; for 10,000 with 64 dimensions, a forest takes about
            4 s a factor.
        factors: Integers, `(n,)` by name or `(n, num_factors)`. They are regressed as numbers, so
            a forest suits factors without an order better than a lasso.
        regressor: `"forest"` or `"lasso"`.
        seed: Seed of the split and of the trees.

    Raises:
        ValueError: The regressor is unknown, or codes and factors cannot be compared.
    """
    if regressor not in REGRESSORS:
        raise ValueError(
            f"The regressor is unknown. Expected: one of {', '.join(REGRESSORS)}. "
            f"Received: regressor={regressor!r}. Use one of these."
        )
    table = LabelledCodes.check(codes, factors, LEAST_EXAMPLES)
    order, tenth = np.random.default_rng(seed).permutation(len(table)), len(table) // 10
    test, validation, fit = order[:tenth], order[tenth : 2 * tenth], order[2 * tenth :]
    inputs = standardised(table.codes, fit)
    columns, errors = [], []
    for target in standardised(table.values).T:
        models = [model.fit(inputs[fit], target[fit]) for model in _models(regressor, seed)]
        best = min(models, key=lambda model: _error(model, inputs[validation], target[validation]))
        columns.append(_importance(best))
        errors.append(_error(best, inputs[test], target[test]))
    weights = np.stack(columns, axis=1)
    scores = disentanglement(weights), completeness(weights)
    return DCI(*scores, informativeness_error=float(np.mean(errors)), importance=weights)


def disentanglement(importance: np.ndarray) -> float:
    """Whether each dimension is important for one factor only, by entropy.

    For each dimension, 1 minus the entropy of the factors' shares of its importance, to the base
    `num_factors`; then the mean, weighted by each dimension's share of all importance (as in the
    paper; an unused dimension has weight 0).

    Args:
        importance: `(dim, num_factors)`, at least 0, of two factors or more.

    Returns:
        In `[0, 1]`; 0 if all importance is 0.
    """
    total = float(importance.sum())
    return float(_purity(importance) @ importance.sum(axis=1) / total) if total > 0 else 0.0


def completeness(importance: np.ndarray) -> float:
    """Whether each factor needs one dimension only, by entropy.

    For each factor, 1 minus the entropy of the dimensions' shares of its importance, to the base
    `dim`; then the unweighted mean over factors, as in the paper (disentanglement_lib weights
    them). Factors without importance are skipped.

    Args:
        importance: `(dim, num_factors)`, at least 0, of two dimensions or more.

    Returns:
        In `[0, 1]`; 0 if all importance is 0.
    """
    used = importance.sum(axis=0) > 0
    return float(np.mean(_purity(importance.T[used]))) if used.any() else 0.0


def _purity(rows: np.ndarray) -> np.ndarray:
    """For each row, 1 minus the entropy of its shares, relative to equal shares."""
    total = rows.sum(axis=1, keepdims=True)
    shares = rows / np.where(total > 0, total, 1.0)
    return np.clip(1.0 - entr(shares).sum(axis=1) / np.log(rows.shape[1]), 0.0, 1.0)


def _models(regressor: str, seed: int) -> list[Regressor]:
    if regressor == "lasso":
        return [Lasso(ALPHA, max_iter=MOST_ROUNDS)]
    return [RandomForestRegressor(TREES, max_depth=depth, random_state=seed) for depth in DEPTHS]


def _importance(model: Regressor) -> np.ndarray:
    if isinstance(model, Lasso):
        return np.abs(model.coef_)
    return np.maximum(model.feature_importances_, 0.0)  # rounding leaves some at -1e-18


def _error(model: Regressor, inputs: np.ndarray, target: np.ndarray) -> float:
    """Root mean squared error; for a standardised factor in units of its standard deviation."""
    return float(np.sqrt(np.mean((model.predict(inputs) - target) ** 2)))
