"""The provenance in every generated record: which features hold it, and how to read it."""

from __future__ import annotations

import math
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
    """

    anchor_id: str
    donor_ids: list[str]
    recipe: str
    seen: bool


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
    anchor, recipe = (features[name].bytes_list.value for name in (ANCHOR, RECIPE))
    seen, seed = (features[name].int64_list.value for name in (SEEN, SEED))
    for name, values in ((ANCHOR, anchor), (RECIPE, recipe)):
        if len(values) != 1 or not values[0]:
            return f"feature '{name}' is missing or not one text"
    for name, values in ((SEEN, seen), (SEED, seed)):
        if len(values) != 1:
            return f"feature '{name}' is missing or not one integer"
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
        donor_ids = [donor.decode() for donor in donors.bytes_list.value]
        return Provenance(anchor[0].decode(), donor_ids, recipe[0].decode(), bool(seen[0]))
    except UnicodeDecodeError:
        return "the provenance is not UTF-8"


def _check_confidence(name: str, values: Any) -> str:
    """Returns the reason why a feature is not one probability, or an empty text."""
    if len(values) != 1:
        return f"feature '{name}' is missing or not one float"
    if not math.isfinite(values[0]) or not 0 <= values[0] <= 1 + _ROUNDING:
        return f"feature '{name}' is {values[0]:g}, outside 0..1"
    return ""
