"""Configuration files: YAML checked against frozen models, with overrides by `--set`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError, model_validator

from latentloom.augment.spelling import nearest
from latentloom.pipeline.config.settings import (
    DataConfig,
    EvaluateConfig,
    GenerateConfig,
    JudgeConfig,
    ModelConfig,
    Section,
    StudyConfig,
    TrainConfig,
)
from latentloom.pipeline.config.strict_yaml import load_yaml


class Config(Section):
    """A whole configuration file."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    judge: JudgeConfig = JudgeConfig()
    generate: GenerateConfig = GenerateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    study: StudyConfig = StudyConfig()

    @model_validator(mode="after")
    def _pools_generate(self) -> Config:
        for changes in self.study.pools.values():
            self.generate.changed(changes)
        return self

    def run_settings(self) -> dict[str, Any]:
        """Returns the sections that decide training."""
        return self.model_dump(include={"data", "model", "train", "judge"})

    def to_yaml(self) -> str:
        """Returns the resolved configuration as YAML, defaults included."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False)


def load_config(path: Path, overrides: Sequence[str] = (), *, smoke: bool = False) -> Config:
    """Reads a configuration file.

    Args:
        path: YAML file. Its optional section `smoke` holds dotted overrides that shrink the
            configuration to seconds.
        overrides: `section.key=value` settings, values in YAML, applied last.
        smoke: Whether to apply the section `smoke`.

    Returns:
        The checked configuration.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the file is not a YAML mapping, or a key or a value is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"The configuration '{path}' is missing. Expected: a YAML file. "
            f"Received: CONFIG={path}. Name an existing file, such as configs/zszu_digits.yaml."
        )
    try:
        tree = load_yaml(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise ValueError(
            f"'{path}' is not valid YAML. Expected: YAML with every key once. Received: {error}. "
            "Correct its syntax."
        ) from error
    if not isinstance(tree, dict):
        raise ValueError(
            f"'{path}' is not a configuration. Expected: a mapping of sections. "
            f"Received: {type(tree).__name__}. Start it with `data:` or `model:`."
        )
    shrinking = tree.pop("smoke", None) or {}
    settings = [f"{key}={yaml.safe_dump(value).strip()}" for key, value in shrinking.items()]
    return parse_config(tree, str(path), [*(settings if smoke else []), *overrides])


def parse_config(tree: dict[str, Any], origin: str, overrides: Sequence[str] = ()) -> Config:
    """Applies overrides to a tree of settings and checks it.

    Errors name the origin, the key, the value and the nearest known key.
    """
    tree = copy.deepcopy(tree)
    for setting in overrides:
        _override(tree, setting)
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise ValueError(f"In {origin}: {_explain(error.errors())}") from None


def _override(tree: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    if not equals or not key:
        raise ValueError(
            "An override is malformed. Expected: section.key=value. "
            f"Received: --set {setting!r}. Write for example --set train.epochs=5."
        )
    *sections, last = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ValueError(
                f"The override '{key}' goes into a plain value. Expected: a section before each "
                f"dot. Received: --set {setting!r}. Drop the part after '{section}'."
            )
    try:
        tree[last] = load_yaml(value)
    except yaml.YAMLError as error:
        raise ValueError(
            f"The value of the override '{key}' is not valid YAML. Expected: every key once. "
            f"Received: --set {setting!r}: {error}. Correct its syntax."
        ) from error


def _explain(problems: Sequence[Any]) -> str:
    """Says for each key what was expected and received; names the nearest key if it is unknown."""
    expected: dict[str, list[str]] = {}
    received: dict[str, Any] = {}
    for problem in problems:
        location = [str(part) for part in problem["loc"] if "[" not in str(part)]
        if location[-1] in ("float", "str"):  # one of several allowed types
            location.pop()
        if problem["type"] == "extra_forbidden":
            return _explain_unknown(location)
        key = ".".join(location)
        expected.setdefault(key, []).append(problem["msg"])
        received[key] = problem["input"]
    return " ".join(
        f"'{key}' is wrong. Expected: {' or '.join(rules)}. "
        f"Received: {key}={received[key]!r}. Correct this value."
        for key, rules in expected.items()
    )


def _explain_unknown(location: list[str]) -> str:
    key, known = ".".join(location), _keys_of(location[:-1])
    return (
        f"Unknown key '{key}'. Expected: one of {', '.join(known)}. "
        f"Received: {key}. {nearest(location[-1], known)}"
    )


def _keys_of(sections: Sequence[str]) -> list[str]:
    section: Any = Config
    for name in sections:
        fields = getattr(section, "model_fields", None)
        section = fields[name].annotation if fields else get_args(section)[1]
    return sorted(section.model_fields)
