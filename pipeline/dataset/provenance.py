"""The provenance in every generated record: which features hold it, and how to read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from latentloom.pipeline.dataset.manifest import CONFIDENCE
from latentloom.pipeline.observations.tfds_features import Feature, scalar, sequence, text

ANCHOR, DONORS, RECIPE, SEEN, SEED = (
    *("anchor_id", "donor_ids", "recipe"),
    *("seen_combination", "seed"),
)
_ROUNDING = 1e-5
"""Largest excess over 1 of a probability that was computed in float32."""


class Provenance(NamedTuple):
    """The origin of one generated record.

    Attributes:
        anchor_id: Id of the real example that it was made from.
        donor_ids: Ids of the real examples that gave parts of its code.
        recipe: The rule that made it.
        seen: Whether the input has the cell of its factors.
        seed: Key of its random numbers, as int64.
    """

    anchor_id: str
    donor_ids: list[str]
    recipe: str
    seen: bool
    seed: int


def confidence_names(judged: Collection[str]) -> list[str]:
    """Returns the features with the judge's confidences: of the label, then of other factors."""
    return [CONFIDENCE, *(f"{CONFIDENCE}_{factor}" for factor in judged if factor != "label")]


def provenance_features(judged: Collection[str]) -> dict[str, Feature]:
    """Returns the TFDS features of the provenance.

    Args:
        judged: Factors that the judge confirms.
    """
    return {
        ANCHOR: text(),
        DONORS: sequence(text()),
        RECIPE: text(),
        SEEN: scalar("bool"),
        **{name: scalar("float32") for name in confidence_names(judged)},
        SEED: scalar("int64"),
    }


def read_provenance(features: Mapping[str, Any], confidences: Collection[str]) -> Provenance | str:
    """Reads the provenance of a record; returns the reason as text if it is unusable.

    Args:
        features: The features of a `tf.train.Example`, by name.
        confidences: Names of the features that hold confidences.
    """
    anchor, recipe = features[ANCHOR].bytes_list.value, features[RECIPE].bytes_list.value
    seen, seed = features[SEEN].int64_list.value, features[SEED].int64_list.value
    if not len(anchor) == len(recipe) == len(seen) == len(seed) == 1:
        return _not_one({ANCHOR: anchor, RECIPE: recipe}, {SEEN: seen, SEED: seed})
    anchor_id, recipe_name = anchor[0], recipe[0]
    if not anchor_id or not recipe_name:
        return f"feature '{RECIPE if anchor_id else ANCHOR}' is missing or not one text"
    if not 0 <= seen[0] <= 1:
        return f"feature '{SEEN}' is {seen[0]} instead of 0 or 1"
    for name in confidences:
        if reason := _check_confidence(name, features[name].float_list.value):
            return reason
    if DONORS not in features:
        return f"feature '{DONORS}' is missing"
    donors = features[DONORS]
    if donors.WhichOneof("kind") not in (None, "bytes_list"):  # no donors are a feature of no kind
        return f"feature '{DONORS}' does not hold texts"
    try:
        ids = [donor.decode() for donor in donors.bytes_list.value]
        return Provenance(anchor_id.decode(), ids, recipe_name.decode(), bool(seen[0]), seed[0])
    except UnicodeDecodeError:
        return "the provenance is not UTF-8"


def _not_one(texts: Mapping[str, Any], integers: Mapping[str, Any]) -> str:
    """Returns which of the features does not have one value."""
    for names, kind in ((texts, "text"), (integers, "integer")):
        for name, values in names.items():
            if len(values) != 1:
                return f"feature '{name}' is missing or not one {kind}"
    return ""


def _check_confidence(name: str, values: Any) -> str:
    """Returns the reason why a feature is not one probability, or an empty text."""
    if len(values) != 1:
        return f"feature '{name}' is missing or not one float"
    if 0 <= (value := values[0]) <= 1 + _ROUNDING:  # neither NaN nor infinity is
        return ""
    return f"feature '{name}' is {value:g}, outside 0..1"
