"""Decides how many variants each class gets, in the words of imbalanced-learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from latentloom.augment.quotas import check_counts
from latentloom.augment.spelling import nearest

__all__ = ["NEW", "STRATEGIES", "TOTAL", "Strategy", "read_quotas", "variants_per_class"]

STRATEGIES = ("auto", "minority", "not minority", "not majority", "all")
"""Names of the balancing strategies; a strategy can also be None or a mapping."""
TOTAL, NEW = "total", "new"
"""Whether quotas count the examples that a class has already, or only its variants."""
Numbers = Mapping[Any, int] | Mapping[Any, Mapping[str, int]]
Strategy = None | str | Numbers


def variants_per_class(
    strategy: Strategy,
    class_counts: Mapping[str, int],
    variants_per_example: int,
) -> dict[str, int]:
    """Decides how many variants each class gets.

    The names mean what they mean in imbalanced-learn for over-sampling. The majority is as large
    as the largest class; the minority is the smallest class, the first of several.

    Args:
        strategy: None for `variants_per_example` times the class' count. `"not majority"`, `"auto"`
            or `"all"` to bring every class up to the largest; `"minority"` to bring only the
            smallest class there; `"not minority"` to bring all but the smallest class there.
            `{"total": {class: n}}` for `n` examples and variants of that class together;
            `{"new": {class: n}}` for exactly `n` variants of it; none of the others. `{class: n}`
            is deprecated and means `new`.
        class_counts: Examples by class name.
        variants_per_example: Integer, at least 0. Used if the strategy is None.

    Returns:
        Variants by class name, in the order of `class_counts`.

    Raises:
        ValueError: If the strategy or a class is unknown, a number is negative, a total is less
            than the class has already, or a class that needs variants has no example.

    Example:
        >>> variants_per_class("auto", {"cat": 5, "dog": 3}, 0)
        {'cat': 0, 'dog': 2}
        >>> variants_per_class({"total": {"dog": 4}}, {"cat": 5, "dog": 3}, 0)
        {'cat': 0, 'dog': 1}
    """
    check_counts("variants_per_example", [variants_per_example])
    check_counts("class_counts", class_counts.values())
    if strategy is None:
        quotas = {name: variants_per_example * count for name, count in class_counts.items()}
    elif isinstance(strategy, Mapping):
        quotas = _listed(*read_quotas(strategy), class_counts)
    else:
        _check_known("strategy", strategy, STRATEGIES)
        quotas = _filled_up(strategy, class_counts)
    _check_reachable(quotas, class_counts)
    return quotas


def read_quotas(strategy: Numbers) -> tuple[str, Mapping[str, int]]:
    """Reads a strategy that lists classes.

    Args:
        strategy: `{"total": {class: n}}`, `{"new": {class: n}}` or, deprecated, `{class: n}`.

    Returns:
        `"total"`, `"new"`, or an empty text for the deprecated form; and the numbers by class.

    Raises:
        ValueError: If it lists classes in two ways.
    """
    forms = [form for form in (TOTAL, NEW) if isinstance(strategy.get(form), Mapping)]
    if not forms:
        return "", strategy  # type: ignore[return-value]
    if len(strategy) > 1:
        raise ValueError(
            f"A strategy lists classes in two ways. Expected: either '{TOTAL}' or '{NEW}'. "
            f"Received: strategy={dict(strategy)}. Convert one to the other."
        )
    return forms[0], strategy[forms[0]]  # type: ignore[return-value]


def _listed(
    form: str, numbers: Mapping[str, int], class_counts: Mapping[str, int]
) -> dict[str, int]:
    check_counts("strategy", numbers.values())
    for name in numbers:
        _check_known("class", name, class_counts)
    if form != TOTAL:
        return {name: int(numbers.get(name, 0)) for name in class_counts}
    for name, total in numbers.items():
        if total < class_counts[name]:
            raise ValueError(
                f"Class '{name}' has more examples than its total. Expected: a total of at least "
                f"{class_counts[name]}. Received: {TOTAL}={total} for '{name}'. Raise it, or list "
                f"variants alone with '{NEW}'."
            )
    return {name: int(numbers.get(name, count)) - count for name, count in class_counts.items()}


def _filled_up(strategy: str, class_counts: Mapping[str, int]) -> dict[str, int]:
    """Brings the classes that a strategy names up to the largest."""
    largest = max(class_counts.values(), default=0)
    smallest = sorted(class_counts, key=lambda name: class_counts[name])[:1]
    chosen: Sequence[str] = list(class_counts)
    if strategy == "minority":
        chosen = smallest
    elif strategy == "not minority":
        chosen = [name for name in class_counts if name not in smallest]
    return {n: largest - count if n in chosen else 0 for n, count in class_counts.items()}


def _check_known(kind: str, name: str, choices: Iterable[str]) -> None:
    if name not in choices:
        raise ValueError(
            f"A quota names an unknown {kind}. Expected: one of {sorted(choices)}. Received: "
            f"{kind}={name!r}. {nearest(name, choices)}"
        )


def _check_reachable(quotas: Mapping[str, int], class_counts: Mapping[str, int]) -> None:
    for name, quota in quotas.items():
        if quota and not class_counts[name]:
            raise ValueError(
                f"Class '{name}' has a quota but no example. Expected: an example of "
                f"each class with a quota. Received: quota={quota}. Import examples of it or set "
                "its quota to 0."
            )
