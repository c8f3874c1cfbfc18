"""The bundle: a directory that holds a trained model, its judges and its priors, without pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentloom.model_zoo.backend.weights import save_weights
from latentloom.model_zoo.networks.classifier import image_classifier
from latentloom.model_zoo.registry import build_model
from latentloom.model_zoo.scaling import PIXELS, Scaling, describe_scaling, make_scaling

SCHEMA_VERSION = 1
DESCRIPTION = "bundle.json"
MODEL_WEIGHTS = "model.weights.h5"
PRIORS = "priors.npz"
JUDGES = ("judge", "auditor")


@dataclass
class Bundle:
    """A trained model, its judges, its priors and its provenance.

    Attributes:
        model: The zoo model.
        judge: Classifier that accepts or rejects generated examples, from `[-1, 1]` to logits.
        auditor: Classifier trained with another seed and fold; it only scores.
        priors: Arrays of the blocks' priors, `{"<block>/weights" | "/loc" | "/scale": array}`.
        model_name: Key of the model in the registry.
        model_args: Arguments that the model was built with.
        factors: Value names of every factor, the label first.
        vocabulary: Words of a bag of words, by number; empty for other observations.
        judge_width: Channels of the judges' first convolution.
        scaling: Maps stored observations to the inputs of the networks.
        judge_factors: Factors that the judges predict, the label first; by default only the label.
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


def weight_files() -> tuple[str, ...]:
    """Names of the files whose contents the digest covers."""
    return (MODEL_WEIGHTS, PRIORS, *(f"{name}.weights.h5" for name in JUDGES))


def save_bundle(bundle: Bundle, folder: Path) -> str:
    """Writes a bundle into a directory, `bundle.json` last; returns the digest."""
    folder.mkdir(parents=True, exist_ok=True)
    _save_bare(bundle.model, folder / MODEL_WEIGHTS)
    for name in JUDGES:
        _save_bare(getattr(bundle, name), folder / f"{name}.weights.h5")
    np.savez(folder / PRIORS, allow_pickle=False, **bundle.priors)
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
        "files": {name: _sha256(folder / name) for name in weight_files()},
        "details": bundle.details,
    }
    description["digest"] = bundle.digest = _digest(description)
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
    """Reads `bundle.json` and checks the files against it, without loading a model.

    Raises:
        FileNotFoundError: The directory is not a bundle, or one of its files is missing.
        ValueError: The schema is newer, or a file or the description does not match the digest.
    """
    folder = Path(folder)
    if not (folder / DESCRIPTION).is_file():
        raise FileNotFoundError(
            f"'{folder}' is not a model bundle. Expected: a directory with {DESCRIPTION}. "
            f"Received: model={folder}. Name the directory that `latentloom train --out` wrote."
        )
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
    except ValueError as error:
        raise ValueError(
            f"'{DESCRIPTION}' of the bundle '{folder}' is not JSON. Expected: the saved file. "
            f"Received: {error}. Copy the bundle again or retrain."
        ) from error
    if description.get("schema_version", 0) > SCHEMA_VERSION:
        raise ValueError(
            f"The bundle '{folder}' was written by a newer latentloom. "
            f"Expected: schema_version up to {SCHEMA_VERSION}. "
            f"Received: schema_version={description['schema_version']}. Upgrade latentloom."
        )
    digest = description.get("digest")
    if digest != _digest(description):
        raise ValueError(_mismatch(folder, DESCRIPTION, digest))
    for name, expected in description["files"].items():
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"The bundle '{folder}' lacks '{name}'. Expected: the files that {DESCRIPTION} "
                f"lists. Received: no {name}. Copy the whole bundle again or retrain."
            )
        if _sha256(folder / name) != expected:
            raise ValueError(_mismatch(folder, name, expected))
    return description


def find_damage(folder: Path) -> dict[str, str]:
    """Compares every file of a bundle with its digest; loads nothing.

    Returns:
        The reason for each file that is missing or not what was saved, by name.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
        files = dict(description["files"])
        intact = description["digest"] == _digest(description)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        return {DESCRIPTION: f"cannot be read: {type(error).__name__}: {error}"}
    found = {} if intact else {DESCRIPTION: "does not match its digest"}
    if set(files) != set(weight_files()):
        found[DESCRIPTION] = f"lists the files {sorted(files)} instead of {sorted(weight_files())}"
    for name in weight_files():
        if not (folder / name).is_file():
            found[name] = "is missing"
        elif name in files and _sha256(folder / name) != files[name]:
            found[name] = f"does not match the digest in {DESCRIPTION}"
    return found


def load_bundle(folder: Path) -> Bundle:
    """Checks a bundle as `read_description` does, then loads it."""
    folder = Path(folder)
    description = read_description(folder)
    shape, factors = description["image_shape"], description["factors"]
    num_classes = len(factors["label"])
    sizes = {name: len(values) for name, values in factors.items()}
    scaling = scaling_of(description)
    given = {"factor_sizes": sizes, "observation": scaling.kind}
    model = build_model(description["model"], description["args"], shape, num_classes, **given)
    model.load_weights(folder / MODEL_WEIGHTS)
    judges, judged = {}, description.get("judge_factors", ["label"])
    sizes = [len(factors[name]) for name in judged]
    for name in JUDGES:
        judges[name] = image_classifier(shape, sizes, width=description["judge_width"])
        judges[name].load_weights(folder / f"{name}.weights.h5")
    return Bundle(
        model=model,
        **judges,
        priors=read_priors(folder),
        model_name=description["model"],
        model_args=description["args"],
        factors=factors,
        vocabulary=tuple(description.get("vocabulary", ())),
        judge_width=description["judge_width"],
        scaling=scaling,
        judge_factors=tuple(judged),
        details=description["details"],
        digest=description["digest"],
    )


def read_priors(folder: Path) -> dict[str, np.ndarray]:
    """Reads the arrays of the priors of a bundle, `{"<block>/<array>": array}`."""
    with np.load(Path(folder) / PRIORS, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def scaling_of(description: Mapping[str, Any]) -> Scaling:
    """Returns the scaling in the description of a bundle; defaults to the scaling of images."""
    return make_scaling(description.get("scaling", {"kind": PIXELS.kind}))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(description: Mapping[str, Any]) -> str:
    content = {name: value for name, value in description.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _mismatch(folder: Path, name: str, expected: str | None) -> str:
    return (
        f"'{name}' of the bundle '{folder}' is not what was saved. Expected: sha256 {expected}. "
        "Received: other contents. Copy the bundle again or retrain."
    )
