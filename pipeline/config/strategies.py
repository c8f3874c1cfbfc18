"""The setting `sampling_strategy`: a word, or numbers by class."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Tag

from latentloom.augment import read_quotas
from latentloom.pipeline.config.ranges import Quota

Word = Literal["auto", "minority", "not minority", "not majority", "all"]
Quotas = dict[str, Quota]


def _one_form(strategy: dict[str, Quotas]) -> dict[str, Quotas]:
    read_quotas(strategy)
    return strategy


def _form_of(strategy: Any) -> str:
    """Returns which form a value seems to have, so that an error tells about that one alone."""
    if not isinstance(strategy, dict):
        return "a word"
    is_named = any(isinstance(value, dict) for value in strategy.values())
    return "named quotas" if is_named else "quotas"


SamplingStrategy = Annotated[
    Annotated[Word, Tag("a word")]
    | Annotated[
        dict[Literal["total", "new"], Quotas], AfterValidator(_one_form), Tag("named quotas")
    ]
    | Annotated[Quotas, Tag("quotas")],
    Discriminator(_form_of),
]
