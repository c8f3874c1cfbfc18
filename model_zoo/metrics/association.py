"""How much two categories depend on each other, from the table of their counts."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import random_table


def contingency_table(first: np.ndarray, second: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Counts examples by two categories.

    Args:
        first: `(n,)` integers in `[0, shape[0])`.
        second: `(n,)` integers in `[0, shape[1])`.
        shape: Number of values of each.

    Returns:
        int64 of this shape.
    """
    cells = np.ravel_multi_index((first, second), shape)
    return np.bincount(cells, minlength=math.prod(shape)).reshape(shape)


def without_empty(table: np.ndarray) -> np.ndarray:
    """Returns a table without its rows and columns of zeros."""
    return table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]


def is_constant(table: np.ndarray) -> bool:
    """Returns whether one of the two categories has fewer than two values that occur."""
    return min(without_empty(table).shape) < 2


def cramers_v(table: np.ndarray) -> float:
    """Bias-corrected Cramer's V, 0 for independent categories and 1 for a function of one another.

    The plain V of independent categories grows with the size of the table and falls with the number
    of examples; the corrected one is 0 on average.

    Reference:
        Bergsma, A bias-correction for Cramer's V and Tschuprow's T, Journal of the Korean
        Statistical Society 2013.

    Args:
        table: `(rows, columns)` counts.
    """
    if is_constant(table):
        return 0.0
    table = without_empty(table)
    count, freedom = float(table.sum()), np.array(table.shape) - 1
    phi_squared = _chi_squared(table) / count - math.prod(freedom.tolist()) / (count - 1)
    most = np.min(freedom - freedom**2 / (count - 1))
    return float(min(1.0, math.sqrt(max(0.0, phi_squared) / most))) if most > 0 else 0.0


def largest_correlation(table: np.ndarray) -> float:
    """Largest correlation that numbers given to the values of both categories can have.

    1 if some value, or some group of values, of one category tells a group of values of the other
    without mistake, even if all others are independent.

    Reference:
        Hirschfeld, A connection between correlation and contingency, Mathematical Proceedings of
        the Cambridge Philosophical Society 1935.

    Args:
        table: `(rows, columns)` counts.
    """
    if is_constant(table):
        return 0.0
    return float(min(1.0, np.linalg.svd(_residuals(without_empty(table)), compute_uv=False)[0]))


def mutual_information(table: np.ndarray) -> float:
    """Mutual information of two categories in nats, as counted: of few examples it is too large.

    Args:
        table: `(rows, columns)` counts.
    """
    joint = table / table.sum()
    outer = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    some = joint > 0
    return max(0.0, float(np.sum(joint[some] * np.log(joint[some] / outer[some]))))


def permutation_p_value(table: np.ndarray, permutations: int, seed: int) -> float:
    """Share of the permutations of one category that depend on the other at least as much.

    The statistic is chi squared. Tables are drawn with the margins of the given one, which has the
    distribution of permuted examples and costs no more for many of them.

    Reference:
        Patefield, An efficient method of generating r x c tables with given row and column totals,
        Journal of the Royal Statistical Society C 1981; Phipson & Smyth, Permutation p-values
        should never be zero, 2010.

    Args:
        table: `(rows, columns)` counts.
        permutations: Number of permutations.
        seed: Seed of the draws.

    Returns:
        p in `[1 / (permutations + 1), 1]`.
    """
    if is_constant(table):
        return 1.0
    table = without_empty(table)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed = _chi_squared(table) * (1 - 1e-9)  # equal tables count, however they are summed
    draws = random_table(rows, columns, seed=np.random.default_rng(seed))
    block, reached = max(1, (1 << 22) // table.size), 0
    for start in range(0, permutations, block):
        drawn = draws.rvs(min(block, permutations - start))
        reached += int(np.sum(_chi_squared(drawn) >= observed))
    return (1 + reached) / (1 + permutations)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Corrects p-values for their number, so that one mistake among all has their level.

    Reference:
        Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
        Statistics 1979.

    Args:
        p_values: `(m,)` floats.

    Returns:
        `(m,)` floats in `[0, 1]`.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return corrected


def _chi_squared(tables: np.ndarray) -> np.ndarray:
    """Chi squared of one table, or of several with the same margins, `(..., rows, columns)`."""
    first = tables.reshape(-1, *tables.shape[-2:])[0]
    expected = np.outer(first.sum(axis=1), first.sum(axis=0)) / first.sum()
    return np.sum((tables - expected) ** 2 / expected, axis=(-2, -1))


def _residuals(table: np.ndarray) -> np.ndarray:
    """Standardised residuals; their squares sum to chi squared over the number of examples."""
    outer = np.outer(table.sum(axis=1), table.sum(axis=0)).astype(np.float64)
    return (table - outer / table.sum()) / np.sqrt(outer)
