"""Checks a model bundle: digest, weights, priors, figures and configuration."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from latentloom.model_zoo.bundle import (
    DESCRIPTION,
    JUDGES,
    MODEL_WEIGHTS,
    PRIORS,
    Bundle,
    load_bundle,
    read_description,
)
from latentloom.pipeline.codec.spec import spec_of
from latentloom.pipeline.config.strict_yaml import load_yaml
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.directory import CONFIG_FILE
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.storage.files import Location, local_folder
from latentloom.pipeline.verification.listed_files import (
    check_listed_of_bundle,
    check_strangers_to_bundle,
)
from latentloom.pipeline.verification.problem import Problem, Verification


def verify_bundle(path: Location) -> Verification:
    """Checks that a bundle is what was saved, loads, and holds finite numbers and nothing else.

    Loads the weights only if every file matches its digest. Bundles of older versions have no
    digest of `history.csv` and `curves.png`.

    Args:
        path: A bundle directory, local or in a bucket.
    """
    path = os.fspath(path)
    with local_folder(path) as folder:
        strangers = check_strangers_to_bundle(folder)
        try:
            if damage := check_listed_of_bundle(folder):
                return Verification(path, "", (*damage, *strangers))
            description, bundle = read_description(folder), load_bundle(folder)
        except ValueError as error:
            problem = Problem(DESCRIPTION, f"describes no bundle that can be loaded: {error}")
            return Verification(path, "", (problem, *strangers))
        problems = (
            *_check_weights(bundle),
            *_check_priors(description, bundle.priors),
            *_check_figures(description),
            *_check_config(folder, description["details"]),
            *strangers,
        )
    return Verification(path, f"a bundle of the model {bundle.model_name}", problems)


def _check_weights(bundle: Bundle) -> Iterator[Problem]:
    """Finds weights that are not finite."""
    networks = {MODEL_WEIGHTS: bundle.model}
    networks |= {f"{name}.weights.h5": getattr(bundle, name) for name in JUDGES}
    for file, network in networks.items():
        for variable in network.variables:
            values = np.asarray(variable)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                yield Problem(file, f"has weights that are not finite: {variable.path}")
                break


def _check_priors(
    description: Mapping[str, Any], priors: Mapping[str, np.ndarray]
) -> Iterator[Problem]:
    """Checks that every block has a prior, and that it is a distribution."""
    try:
        spec_of(description["latent_spec"], priors)
    except ValueError as error:
        yield Problem(PRIORS, f"holds invalid priors: {error}")


def _check_figures(description: Mapping[str, Any]) -> Iterator[Problem]:
    """Checks that the measured figures, and all other numbers of the description, are finite."""
    if places := list(_not_finite(description)):
        yield Problem(DESCRIPTION, f"has numbers that are not finite: {', '.join(places[:3])}")
    try:
        for figure in BundleDetails.read(description["details"]).figures:
            Measure.model_validate(figure)
    except ValueError as error:
        yield Problem(DESCRIPTION, f"has invalid figures: {error}")


def _not_finite(value: Any, place: str = "") -> Iterator[str]:
    """Yields the places of numbers that are not finite in a JSON document."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    entries = value.items() if isinstance(value, dict) else ()
    for key, entry in enumerate(value) if isinstance(value, list) else entries:
        yield from _not_finite(entry, f"{place}/{key}" if place else str(key))


def _check_config(folder: Path, details: Mapping[str, Any]) -> Iterator[Problem]:
    """Compares `config.yaml`, which no other verb reads, with the configuration in the details."""
    if not (folder / CONFIG_FILE).is_file():
        return
    try:
        config = load_yaml((folder / CONFIG_FILE).read_text())
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        yield Problem(CONFIG_FILE, f"cannot be read: {error}")
        return
    if config != details.get("config"):
        yield Problem(CONFIG_FILE, f"holds another configuration than {DESCRIPTION}")
