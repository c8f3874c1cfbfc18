"""The full model of an evaluation: the recipe of the evaluated model, trained on all cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latentloom.model_zoo.bundle import Bundle, load_bundle, read_description
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import Location, local_folder


def load_full(location: Location, pruned: Mapping[str, Any]) -> Bundle:
    """Loads the bundle to compare with.

    Args:
        location: Bundle directory.
        pruned: Description of the evaluated bundle, trained without the held-out cells.

    Returns:
        The full bundle: the same recipe and data, without held-out cells.

    Raises:
        ValueError: The pruned bundle held out no cells, or the full one held out some; the bundles
            are not for images; or they differ in recipe or data.
        FileNotFoundError: The bundle is missing.
    """
    with local_folder(location) as folder:
        _check(str(location), pruned, read_description(folder))
        return load_bundle(folder)


def _check(name: str, pruned: Mapping[str, Any], full: Mapping[str, Any]) -> None:
    own, other = (BundleDetails.read(bundle["details"]) for bundle in (pruned, full))
    kind = KINDS[pruned.get("scaling", {}).get("kind", "image")]
    if not own.hold_out or not kind.can_resize:
        raise ValueError(
            "A full model is compared only on held-out cells of images. Expected: a bundle of "
            f"images that held out cells. Received: --full-model {name} with a bundle of "
            f"{kind.many} that held out {len(own.hold_out)} groups. Drop it, or train with "
            "data.hold_out."
        )
    if other.hold_out:
        raise ValueError(
            f"The full model '{name}' was not trained on all cells. Expected: no data.hold_out. "
            f"Received: groups {sorted(other.hold_out)}. Train it without."
        )
    if own.data != other.data:
        raise ValueError(
            f"The full model '{name}' was trained on another data set. Expected: the data set of "
            f"the pruned model, {own.data}. Received: {other.data}. Train both on the same one."
        )
    differing = _differing(_recipe(own), _recipe(other))
    if differing:
        raise ValueError(
            f"The full model '{name}' has another recipe. Expected: equal settings of data, "
            "model and train, except data.hold_out. Received: different "
            f"{', '.join(differing)}. Train it with the configuration of the pruned model, "
            "without data.hold_out."
        )


def _recipe(details: BundleDetails) -> dict[str, Any]:
    """The settings that train the model; those of the judges do not matter here."""
    settings = parse_config(details.config, "the configuration stored in a bundle").run_settings()
    settings["data"].pop("hold_out")
    return {section: values for section, values in settings.items() if section != "judge"}


def _differing(own: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Names of the settings that differ, as `section.key`."""
    return [
        f"{section}.{key}"
        for section in own
        for key in sorted({*own[section], *other[section]})
        if own[section].get(key) != other[section].get(key)
    ]
