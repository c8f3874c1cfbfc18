"""Scores from batches in which one factor is fixed: the FactorVAE and the beta-VAE score.

Both papers generate such batches. Here batches are drawn from the given codes. So no example is
encoded twice, and the other factors vary as among the examples with the fixed value.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from latentloom.model_zoo.metrics.disentanglement.labelled_codes import (
    Factors,
    LabelledCodes,
    standardised,
)

BATCH_SIZE = 64
NUM_TRAIN = 10_000
NUM_TEST = 5_000
UNUSED = 0.05
"""Standard deviation, relative to the largest, below which a dimension has no vote."""
BLOCK = 256
"""Number of batches held at once."""


def factor_vae_score(
    codes: np.ndarray,
    factors: Factors,
    seed: int = 0,
    *,
    num_train: int = NUM_TRAIN,
    num_test: int = NUM_TEST,
) -> float:
    """FactorVAE score: whether the dimension with the least variance identifies the fixed factor.

    A batch has 64 examples with the same value of one factor. It votes for the dimension with the
    least variance in the batch relative to all examples. Each dimension predicts the factor with
    most of its votes; the score is the accuracy of these predictions on other batches.

    Reference:
        Kim & Mnih, Disentangling by Factorising, ICML 2018, https://arxiv.org/abs/1802.05983,
        section 4. As in disentanglement_lib: 10,000 training and 5,000 test votes, and dimensions
        with a standard deviation below 0.05 pruned. Deviates: the threshold is 0.05 of the largest
        deviation, which is about 1 for a posterior near a standard normal prior, so the scale of
        codes makes no difference; batches are drawn with replacement from the examples.

    Args:
        codes: `(n, dim)`.
        factors: Integers, `(n,)` by name or `(n, num_factors)`. A value is fixed as often as it
            occurs; a value with one example is never fixed.
        seed: Seed of the batches.
        num_train: Number of votes that determine the prediction of each dimension.
        num_test: Number of votes to score.

    Returns:
        In `[0, 1]`, `1 / num_factors` for guessing; 0 if all codes are equal.

    Raises:
        ValueError: Codes and factors cannot be compared, or no two examples share a value.
    """
    table, generator = LabelledCodes.check(codes, factors), np.random.default_rng(seed)
    deviations = table.codes.std(axis=0)
    used = (deviations >= UNUSED * deviations.max()) & (np.ptp(table.codes, axis=0) > 0)
    if not used.any():
        return 0.0
    columns = standardised(table.codes[:, used])
    votes, tests = (_votes(table, columns, count, generator) for count in (num_train, num_test))
    right = tests[np.argmax(votes, axis=0), np.arange(columns.shape[1])]
    return float(right.sum() / num_test)


def beta_vae_score(
    codes: np.ndarray,
    factors: Factors,
    seed: int = 0,
    *,
    num_train: int = NUM_TRAIN,
    num_test: int = NUM_TEST,
) -> float:
    """beta-VAE score: accuracy of a linear classifier of the factor that pairs of examples share.

    The input of the classifier is the absolute difference of two codes with the same value of one
    factor, averaged over 64 such pairs. The score tolerates rotations of the code, as long as the
    variances of dimensions differ between factors.

    Reference:
        Higgins et al., beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
        Framework, ICLR 2017, https://openreview.net/forum?id=Sy2fzU9gl (not on arXiv), section 3.
        As in disentanglement_lib: logistic regression on 10,000 points, accuracy on 5,000.
        Deviates: codes are standardised first, so that their scale makes no difference; pairs
        consist of two different given examples.

    Args:
        codes: `(n, dim)`.
        factors: Integers, `(n,)` by name or `(n, num_factors)`. Values of one example are skipped.
        seed: Seed of the pairs.
        num_train: Number of points to train the classifier on.
        num_test: Number of points to score.

    Returns:
        In `[0, 1]`, `1 / num_factors` for guessing.

    Raises:
        ValueError: Codes and factors cannot be compared, or no two examples share a value.
    """
    table, generator = LabelledCodes.check(codes, factors), np.random.default_rng(seed)
    columns = standardised(table.codes)
    points, fixed = _differences(table, columns, num_train, generator)
    classifier = LogisticRegression(max_iter=1000).fit(points, fixed)
    return float(classifier.score(*_differences(table, columns, num_test, generator)))


def _votes(
    table: LabelledCodes, columns: np.ndarray, count: int, generator: np.random.Generator
) -> np.ndarray:
    """Votes by factor and dimension, `(num_factors, dim)`."""
    fixed = generator.integers(table.num_factors, size=count)
    votes = np.zeros((table.num_factors, columns.shape[1]), np.int64)
    for factor in range(table.num_factors):
        number = int(np.sum(fixed == factor))
        anchors = _anchors(table, factor, (number, 1), generator)
        rows = _alike(table.values[:, factor], anchors, (number, BATCH_SIZE), generator)
        places = rows.ravel(), np.arange(number + 1) * BATCH_SIZE
        mean = csr_array(
            (np.full(rows.size, 1 / BATCH_SIZE), *places), shape=(number, len(columns))
        )
        variances = mean @ np.square(columns) - np.square(mean @ columns)
        votes[factor] = np.bincount(np.argmin(variances, axis=1), minlength=columns.shape[1])
    return votes


def _differences(
    table: LabelledCodes, columns: np.ndarray, count: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute differences, `(count, dim)`, and the factor that pairs share, `(count,)`."""
    fixed = np.sort(generator.integers(table.num_factors, size=count))
    parts = []
    for factor in range(table.num_factors):
        shape = (int(np.sum(fixed == factor)), BATCH_SIZE)
        first = _anchors(table, factor, shape, generator)
        second = _alike(table.values[:, factor], first, shape, generator, others=True)
        for start in range(0, len(first), BLOCK):
            rows = slice(start, start + BLOCK)
            parts.append(np.abs(columns[first[rows]] - columns[second[rows]]).mean(axis=1))
    return np.concatenate(parts), fixed


def _anchors(
    table: LabelledCodes, factor: int, shape: tuple[int, ...], generator: np.random.Generator
) -> np.ndarray:
    """Draws positions of examples that share their value of a factor with another example."""
    values = table.values[:, factor]
    rows = np.flatnonzero(np.bincount(values)[values] > 1)
    if not len(rows):
        raise ValueError(
            f"No two examples share one value of factor '{table.names[factor]}'. Expected: a value "
            f"with two examples. Received: {len(values)} examples of as many values. Give more "
            "examples."
        )
    return generator.choice(rows, shape)


def _alike(
    values: np.ndarray,
    rows: np.ndarray,
    shape: tuple[int, ...],
    generator: np.random.Generator,
    others: bool = False,
) -> np.ndarray:
    """Draws examples with the same value as those in `rows`; with `others`, different examples."""
    order, counts = np.argsort(values, kind="stable"), np.bincount(values)
    first = (np.cumsum(counts) - counts)[values[rows]]
    choice = generator.integers(counts[values[rows]] - others, size=shape)
    if others:
        choice += choice >= np.argsort(order)[rows] - first  # skips the own position
    return order[first + choice]
