"""Checks the names in a configuration against the factors of the data."""

from __future__ import annotations

from collections.abc import Iterable

from latentloom.augment import read_quotas
from latentloom.augment.spelling import nearest
from latentloom.pipeline.config.settings import GateConfig, GenerateConfig
from latentloom.pipeline.dataset.examples import Factors


def check_generate_names(settings: GenerateConfig, factors: Factors, key: str = "generate") -> None:
    """Checks every factor, value and class that a section `generate` names, used or not.

    Args:
        settings: The section.
        factors: Value names of the factors of the data.
        key: Key of the section, for messages.

    Raises:
        ValueError: If the data lack a factor, a value or a class.
    """
    check_gate_names(settings.gate, factors, f"{key}.gate")
    check_factor_names(settings.factors or (), factors, f"{key}.factors")
    for pair in settings.differ:
        check_factor_names(pair, factors, f"{key}.differ")
    if "factor" in settings.options:
        check_factor_names([str(settings.options["factor"])], factors, f"{key}.options.factor")
    for cell in settings.cells if isinstance(settings.cells, list) else ():
        check_factor_names(cell, factors, f"{key}.cells")
        for factor, value in cell.items():
            _check_value(factor, value, factors, f"{key}.cells")
    if isinstance(settings.sampling_strategy, dict):
        for name in read_quotas(settings.sampling_strategy)[1]:
            _check_value("label", name, factors, f"{key}.sampling_strategy")


def check_gate_names(gate: GateConfig, factors: Factors, key: str = "generate.gate") -> None:
    """Checks the factors that a gate names; arguments as for `check_generate_names`."""
    check_factor_names(gate.ignored, factors, f"{key}.ignored")
    check_factor_names(gate.min_confidence_of, factors, f"{key}.min_confidence_of")


def check_factor_names(names: Iterable[str], factors: Factors, key: str) -> None:
    """Checks names of factors.

    Raises:
        ValueError: If the data lack one; the message suggests the nearest.
    """
    for name in names:
        if name not in factors:
            raise ValueError(
                f"Factor '{name}' is missing from the data. Expected: factors of the data, "
                f"{sorted(factors)}. Received: {key} with '{name}'. {nearest(name, factors)}"
            )


def _check_value(factor: str, name: str, factors: Factors, key: str) -> None:
    if name not in factors[factor]:
        raise ValueError(
            f"Value '{name}' of factor '{factor}' was never seen. Expected: one of "
            f"{list(factors[factor])}. Received: {key} with '{name}'. "
            f"{nearest(name, factors[factor])}"
        )
