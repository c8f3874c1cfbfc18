"""The bundle: a directory that holds a trained model, its judges and its priors, without pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentloom.model_zoo.backend.weights import load_weights, save_weights
from latentloom.model_zoo.bundle_files import (
    DESCRIPTION,
    FIX,
    JUDGES,
    MODEL_WEIGHTS,
    PRIORS,
    REALISM,
    SAVED,
    SCHEMA_VERSION,
    digest_of,
    judge_file,
    parse_description,
    sha256_of,
    weight_files,
)
from latentloom.model_zoo.description import AuditorDescription, check_description
from latentloom.model_zoo.networks.classifier import CLASSIFIERS, image_classifier
from latentloom.model_zoo.priors_file import read_priors
from latentloom.model_zoo.realism_file import read_realism
from latentloom.model_zoo.registry import build_model
from latentloom.model_zoo.scaling import PIXELS, Scaling, describe_scaling, make_scaling
from latentloom.model_zoo.untrusted_files import told_of_file


@dataclass
class Bundle:
    """A trained model, its judges, its priors and its provenance.

    Attributes:
        model: The zoo model.
        judge: Classifier that accepts or rejects generated examples, from `[-1, 1]` to logits.
        auditor: Classifier trained with another seed and fold; it only scores.
        priors: Arrays of the blocks' priors, `{"<block>/weights" | "/loc" | "/scale": array}`, and
            for some `"/axes"`.
        model_name: Key of the model in the registry.
        model_args: Arguments that the model was built with.
        factors: Value names of every factor, the label first.
        vocabulary: Words of a bag of words, by number; empty for other observations.
        judge_width: Channels of the judges' first convolution.
        scaling: Maps stored observations to the inputs of the networks.
        judge_factors: Factors that the judges predict, the label first; by default only the label.
        auditor_network: Architecture of the auditor, of `CLASSIFIERS`; the judge is convolutional.
        auditor_temperatures: By what the logits of the auditor are divided, by factor; 1 if left
            out.
        realism: Arrays that the gate for realism compares with, as `realism_file` describes them;
            empty for a bundle without them.
        details: Provenance and measurements, as plain data.
        digest: sha256 over the files; empty until the bundle is saved or loaded.
    """

    model: keras.Model
    judge: keras.Model
    auditor: keras.Model
    priors: Mapping[str, np.ndarray]
    model_name: str
    model_args: Mapping[str, Any]
    factors: Mapping[str, Sequence[str]]
    vocabulary: Sequence[str] = ()
    judge_width: int = 32
    scaling: Scaling = PIXELS
    judge_factors: Sequence[str] = ("label",)
    auditor_network: str = "convolutional"
    auditor_temperatures: dict[str, float] = field(default_factory=dict)
    realism: Mapping[str, np.ndarray] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    digest: str = ""

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one observation; `(height, width, channels)` in pixels for images."""
        return self.model.observation_shape

    @property
    def class_names(self) -> list[str]:
        """Names of the classes in the order of their labels."""
        return list(self.factors["label"])

    @property
    def judge_sizes(self) -> dict[str, int]:
        """Number of values of each factor that the judges predict."""
        return {name: len(self.factors[name]) for name in self.judge_factors}


def save_bundle(bundle: Bundle, folder: Path) -> str:
    """Writes a bundle into a directory, `bundle.json` last; returns the digest."""
    folder.mkdir(parents=True, exist_ok=True)
    _save_bare(bundle.model, folder / MODEL_WEIGHTS)
    for name in JUDGES:
        _save_bare(getattr(bundle, name), folder / judge_file(name))
    np.savez(folder / PRIORS, allow_pickle=False, **bundle.priors)
    files = weight_files()
    if bundle.realism:
        np.savez(folder / REALISM, allow_pickle=False, **bundle.realism)
        files = (*files, REALISM)
    description = {
        "schema_version": SCHEMA_VERSION,
        "model": bundle.model_name,
        "args": dict(bundle.model_args),
        "latent_spec": bundle.model.latent_spec,
        "value_range": list(bundle.model.value_range),
        "image_shape": list(bundle.observation_shape),
        "scaling": describe_scaling(bundle.scaling),
        "factors": {name: list(values) for name, values in bundle.factors.items()},
        **({"vocabulary": list(bundle.vocabulary)} if bundle.vocabulary else {}),
        "judge_width": bundle.judge_width,
        "judge_factors": list(bundle.judge_factors),
        "auditor": {
            "network": bundle.auditor_network,
            "temperatures": bundle.auditor_temperatures,
        },
        "files": {name: sha256_of(folder / name) for name in files},
        "details": bundle.details,
    }
    description["digest"] = bundle.digest = digest_of(description)
    partial = folder / f".{DESCRIPTION}.tmp"
    partial.write_text(json.dumps(description, indent=2) + "\n")
    partial.replace(folder / DESCRIPTION)
    return bundle.digest


def _save_bare(network: keras.Model, path: Path) -> None:
    """Saves the weights without the optimizer's state, which is twice as large."""
    optimizer = getattr(network, "optimizer", None)
    network.optimizer = None
    try:
        save_weights(network, path)
    finally:
        network.optimizer = optimizer


def read_description(folder: Path) -> dict[str, Any]:
    """Reads `bundle.json`, checks it and checks the files against it, without loading a model.

    Raises:
        FileNotFoundError: The directory is not a bundle, or one of its files is missing.
        ValueError: The schema is newer, the description is not one, or a file or the description
            does not match the digest.
    """
    folder = Path(folder)
    path = folder / DESCRIPTION
    if not path.is_file():
        raise FileNotFoundError(
            f"'{folder}' is not a model bundle. Expected: a directory with {DESCRIPTION}. "
            f"Received: model={folder}. Name the directory that `latentloom train --out` wrote."
        )
    description, found = parse_description(path)
    if description.get("digest") != found:
        raise ValueError(_mismatch(folder, DESCRIPTION, description.get("digest")))
    with told_of_file(path, SAVED, FIX):
        check_description(description)
    for name, expected in description["files"].items():
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"The bundle '{folder}' lacks '{name}'. Expected: the files that {DESCRIPTION} "
                f"lists. Received: no {name}. Copy the whole bundle again or retrain."
            )
        if sha256_of(folder / name) != expected:
            raise ValueError(_mismatch(folder, name, expected))
    return description


def load_bundle(folder: Path) -> Bundle:
    """Checks a bundle as `read_description` does, then loads it.

    Raises:
        FileNotFoundError: As `read_description`.
        ValueError: As `read_description`; or a file is damaged, or the files do not fit each other.
    """
    folder = Path(folder)
    description = read_description(folder)
    priors, realism = read_priors(folder, description), read_realism(folder, description)
    with told_of_file(folder / DESCRIPTION, "a model that can be built", FIX):
        networks = _build(description)
    for network, name in zip(networks, (MODEL_WEIGHTS, *map(judge_file, JUDGES)), strict=True):
        load_weights(network, folder / name, FIX)
    return Bundle(
        *networks,
        priors=priors,
        model_name=description["model"],
        model_args=description["args"],
        factors=description["factors"],
        vocabulary=tuple(description.get("vocabulary", ())),
        judge_width=description["judge_width"],
        scaling=scaling_of(description),
        judge_factors=tuple(_judged(description)),
        auditor_network=_auditor(description).network,
        auditor_temperatures=_auditor(description).temperatures,
        realism=realism,
        details=description["details"],
        digest=description["digest"],
    )


def _build(description: Mapping[str, Any]) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Builds the model, the judge and the auditor that a bundle describes, untrained."""
    shape, factors = description["image_shape"], description["factors"]
    sizes = {name: len(values) for name, values in factors.items()}
    given = {"factor_sizes": sizes, "observation": scaling_of(description).kind}
    model = build_model(description["model"], description["args"], shape, sizes["label"], **given)
    for name, built in (
        ("latent_spec", model.latent_spec),
        ("value_range", list(model.value_range)),
    ):
        if built != description[name]:
            raise ValueError(f"{name} is {description[name]}, but that of the model {built}")
    logits, width = [sizes[name] for name in _judged(description)], description["judge_width"]
    judge = image_classifier(shape, logits, width=width)
    auditor = CLASSIFIERS[_auditor(description).network](shape, logits, width=width)
    return model, judge, auditor


def _auditor(description: Mapping[str, Any]) -> AuditorDescription:
    return AuditorDescription.model_validate(description.get("auditor", {}))


def _judged(description: Mapping[str, Any]) -> list[str]:
    return description.get("judge_factors", ["label"])


def scaling_of(description: Mapping[str, Any]) -> Scaling:
    """Returns the scaling in the description of a bundle; defaults to the scaling of images."""
    return make_scaling(description.get("scaling", {"kind": PIXELS.kind}))


def _mismatch(folder: Path, name: str, expected: str | None) -> str:
    return (
        f"'{name}' of the bundle '{folder}' is not what was saved. Expected: sha256 {expected}. "
        "Received: other contents. Copy the bundle again or retrain."
    )
