"""Checks that a bundle fits a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latentloom.model_zoo.bundle import scaling_of
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.observations.vocabulary import summarise


def check_compatible(manifest: Manifest, description: Mapping[str, Any]) -> None:
    """Rejects a bundle that was trained on other observations, words or classes.

    Args:
        manifest: The manifest of the data set.
        description: The content of the bundle's `bundle.json`.

    Raises:
        ValueError: The bundle does not fit the data set.
    """
    kind, given = KINDS[scaling_of(description).kind], KINDS[manifest.observation]
    if kind is not given or list(manifest.observation_shape) != list(description["image_shape"]):
        resize = f"Import the data with --image-size {description['image_shape'][0]}, or train"
        raise ValueError(
            f"Data set '{manifest.name}' and the bundle do not fit. "
            f"Expected: {kind.many} of shape {tuple(description['image_shape'])}. "
            f"Received: {given.many} of shape {manifest.observation_shape}. "
            f"{resize if kind is given and kind.can_resize else 'Train'} a bundle on this data."
        )
    if manifest.vocabulary != description.get("vocabulary", []):
        raise ValueError(
            f"Data set '{manifest.name}' and the bundle do not fit. Expected: "
            f"{summarise(description['vocabulary'])}. Received: {summarise(manifest.vocabulary)}. "
            "Count the words that the bundle was trained on, or train a bundle on this data."
        )
    if manifest.class_names != description["factors"]["label"]:
        raise ValueError(
            f"Data set '{manifest.name}' and the bundle do not fit. "
            f"Expected: classes {description['factors']['label']}. "
            f"Received: {manifest.class_names}. Train a bundle on this data."
        )
