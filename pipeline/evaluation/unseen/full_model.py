"""The full model of an evaluation: of the recipe of a pruned one, trained on all the cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latentloom.model_zoo.bundle import Bundle, load_bundle, read_description
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import Location, local_folder


def load_full(location: Location, pruned: Mapping[str, Any]) -> Bundle:
    """Loads the bundle to compare with.

    Args:
        location: Bundle directory.
        pruned: Description of the bundle that is evaluated.

    Returns:
        The bundle, of the same recipe and data but for the cells that were held out.

    Raises:
        ValueError: Nothing was held out of the pruned bundle, or something of the full one; they
            are not of images; or they differ in recipe or data.
        FileNotFoundError: There is no such bundle.
    """
    with local_folder(location) as folder:
        _check(str(location), pruned, read_description(folder))
        return load_bundle(folder)


def _check(name: str, pruned: Mapping[str, Any], full: Mapping[str, Any]) -> None:
    own, other = (BundleDetails.read(bundle["details"]) for bundle in (pruned, full))
    kind = KINDS[pruned.get("scaling", {}).get("kind", "image")]
    if not own.hold_out or not kind.can_resize:
        raise ValueError(
            "There is nothing to compare a full model in. Expected: a bundle of images that held "
            f"out cells. Received: --full-model {name} beside a bundle of {kind.many} that held "
            f"out {len(own.hold_out)} groups. Drop it, or train with data.hold_out."
        )
    if other.hold_out:
        raise ValueError(
            f"The full model '{name}' was not trained on all cells. Expected: no data.hold_out. "
            f"Received: groups {sorted(other.hold_out)}. Train it without."
        )
    if own.data != other.data:
        raise ValueError(
            f"The full model '{name}' was trained on another data set. Expected: that of the "
            f"pruned one, {own.data}. Received: {other.data}. Train both on one."
        )
    differing = _differing(_recipe(own), _recipe(other))
    if differing:
        raise ValueError(
            f"The full model '{name}' is of another recipe. Expected: equal settings of data, "
            "model and train, but data.hold_out. Received: other "
            f"{', '.join(differing)}. Train it with the configuration of the pruned one, less "
            "data.hold_out."
        )


def _recipe(details: BundleDetails) -> dict[str, Any]:
    """What trains the model: its judges are asked nothing."""
    settings = Config.model_validate(details.config).run_settings()
    settings["data"].pop("hold_out")
    return {section: values for section, values in settings.items() if section != "judge"}


def _differing(own: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Names of the settings that are not the same, `section.key`."""
    return [
        f"{section}.{key}"
        for section in own
        for key in sorted({*own[section], *other[section]})
        if own[section].get(key) != other[section].get(key)
    ]
