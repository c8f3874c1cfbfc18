"""Computes the quota of each class and checks that it has donors."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from latentloom.augment import find_recipe, read_quotas, variants_per_class
from latentloom.pipeline.config.settings import GenerateConfig

logger = logging.getLogger(__name__)


def class_quotas(counts: Mapping[str, int], settings: GenerateConfig) -> dict[str, int]:
    """Quota of each class from its number of examples; empty if the recipe fills cells."""
    recipe = find_recipe(settings.recipe)
    if recipe.fills_cells:
        return {}
    strategy = settings.sampling_strategy
    if isinstance(strategy, dict):
        _warn_of_bare(*read_quotas(strategy))
    quotas = variants_per_class(strategy, counts, settings.variants_per_example)
    _check_asked(quotas, counts, settings)
    if recipe.takes_donors(settings.options):
        check_donors(counts, settings, quotas)
    return quotas


def _warn_of_bare(form: str, numbers: Mapping[str, int]) -> None:
    """Tells what a strategy means that does not say whether it counts all examples."""
    if form or not numbers:
        return
    name, number = next(iter(numbers.items()))
    logger.warning(
        "generate.sampling_strategy={%s: %d} is taken as %d new variants of class '%s'. In "
        "imbalanced-learn it means %d examples in all. Expected: {new: {class: n}} or "
        "{total: {class: n}}. Received: {class: n}, which is deprecated. Write {new: {%s: %d}} to "
        "keep this meaning.",
        *(name, number, number, name, number, name, number),
    )


def _check_asked(
    quotas: Mapping[str, int], counts: Mapping[str, int], settings: GenerateConfig
) -> None:
    """Rejects a strategy that asks for no variant, as `auto` does where all classes are equal."""
    if any(quotas.values()):
        return
    sizes = sorted({count for count in counts.values() if count})
    equal = f", all classes have {sizes[0]:,} examples" if len(sizes) == 1 else ""
    raise ValueError(
        "No variant is asked for. Expected: a class to be filled up. Received: "
        f"generate.sampling_strategy={settings.sampling_strategy}{equal}. For more of every class "
        "leave it out and set generate.variants_per_example, such as 4."
    )


def check_donors(
    counts: Mapping[str, int], settings: GenerateConfig, quotas: Mapping[str, int]
) -> None:
    """Rejects a recipe with donors if an anchor would have none."""
    factor, same_value = find_recipe(settings.recipe).matched_by(settings.options) or ("", False)
    if factor != "label":
        return
    if not same_value:
        if len(present := [name for name, count in counts.items() if count]) == 1:
            raise ValueError(
                f"The recipe '{settings.recipe}' takes donors of another class than the anchor's, "
                f"but all examples are of class '{present[0]}'. Expected: two classes or more. "
                f"Received: {counts}. Import other classes, or set generate.options.same_class=1."
            )
    elif settings.donors_per_class < 2:
        raise ValueError(
            f"The recipe '{settings.recipe}' takes donors of the anchor's class, and no anchor is "
            "its own donor. Expected: generate.donors_per_class of at least 2. Received: "
            f"generate.donors_per_class={settings.donors_per_class}. Raise it."
        )
    elif lonely := [name for name in counts if counts[name] == 1 and quotas.get(name, 0)]:
        raise ValueError(
            f"The recipe '{settings.recipe}' takes donors of the anchor's class, but class "
            f"'{lonely[0]}' has one example. Expected: at least two of every class. "
            f"Received: {counts}. Import more of this class, set its quota to 0, or use "
            "class_preserving."
        )
