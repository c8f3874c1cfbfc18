"""Ties between the label and other factors, which a study creates by the choice of its examples.

Most chosen examples of a class have one value of another factor, so that a classifier may learn
that factor instead of the class. The test split has no ties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment import identity_keys
from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.examples import Examples, Factors


def check_ties(ties: Mapping[str, float], factors: Factors) -> None:
    """Rejects factors that cannot be tied to the label.

    Raises:
        ValueError: A factor is not in the data, is the label or has one value.
    """
    others = [name for name, values in factors.items() if name != "label" and len(values) > 1]
    for name in ties:
        if name not in others:
            raise ValueError(
                f"Factor '{name}' cannot be tied to the label. Expected: a factor of two values or "
                f"more, of {others}. Received: study.ties with '{name}'. {nearest(name, others)} "
                "Or import data that has it."
            )


def tied_values(labels: np.ndarray, num_values: int) -> np.ndarray:
    """The value of a factor that each class is tied to; cycles through the values."""
    return labels % num_values


def follows_ties(examples: Examples, ties: Mapping[str, float], factors: Factors) -> np.ndarray:
    """Whether each example has the tied value of every tied factor, bool `(n,)`."""
    follows = np.ones(len(examples), bool)
    for name in ties:
        follows &= examples.factors[name] == tied_values(examples.labels, len(factors[name]))
    return follows


def draw_tied(
    examples: Examples, size: int, ties: Mapping[str, float], factors: Factors, seed: int
) -> np.ndarray:
    """Draws equally many examples of every class, most of them with the tied values of the class.

    All other values of a tied factor share the rest of a class evenly. Factors are tied
    independently of each other.

    Args:
        examples: The training split, without ties.
        size: Examples of each class.
        ties: Share of a class with the tied value, by tied factor.
        factors: Value names of the label and of every other factor.
        seed: Seed of the draw.

    Returns:
        Rows, int64, ascending.

    Raises:
        ValueError: A cell has too few examples.
    """
    keys = identity_keys(seed, "study ties", examples.ids)
    order = np.argsort(keys, kind="stable")
    columns = np.stack([examples.factors[name] for name in ("label", *ties)], axis=1)[order]
    rows = []
    for label in np.unique(examples.labels):
        wanted = [
            _values(size, share, int(label), len(factors[n]), n, seed) for n, share in ties.items()
        ]
        cells, counts = np.unique(np.stack(wanted, axis=1), axis=0, return_counts=True)
        for cell, count in zip(cells, counts, strict=True):
            found = order[np.all(columns == [label, *cell], axis=1)]
            _check_room(len(found), count, [label, *cell], ("label", *ties), factors)
            rows.append(found[:count])
    return np.sort(np.concatenate(rows))


def _values(size: int, share: float, label: int, count: int, name: str, seed: int) -> np.ndarray:
    """Value of a factor for each example of a class, shuffled by class and factor."""
    tied = round(share * size)
    others = (label + 1 + np.arange(size - tied) % (count - 1)) % count
    values = np.concatenate([np.full(tied, tied_values(np.array(label), count)), others])
    (key,) = identity_keys(seed, "study tie", [f"{name}/{label}"])
    return np.random.default_rng(int(key)).permutation(values)


def _check_room(
    found: int, count: int, cell: Sequence[int], names: Sequence[str], factors: Factors
) -> None:
    if found < count:
        shown = ", ".join(f"{n}={factors[n][v]}" for n, v in zip(names, cell, strict=True))
        raise ValueError(
            f"The training split has too few examples with {shown}. Expected: {count} for this "
            f"tie. Received: {found}. Lower `study.sizes`, or import more examples."
        )
