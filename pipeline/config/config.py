"""Configuration files: YAML checked against frozen models, with overrides by `--set`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError, model_validator

from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.config.explanation import explain, one_line, shorten, shown
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
from latentloom.pipeline.config.strict_yaml import (
    DEEPEST,
    MOST_CHARACTERS,
    MOST_VALUES,
    load_yaml,
)


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
        for name, changes in self.study.pools.items():
            try:
                self.generate.changed(changes)
            except ValidationError as error:
                above = ("study", "pools", name)
                raise ValueError(explain(error, changes, GenerateConfig, above)) from None
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
    try:
        tree = load_yaml(_read(path))
    except yaml.YAMLError as error:
        raise ValueError(
            f"'{path}' is not valid YAML. Expected: YAML with every key once, at most "
            f"{MOST_CHARACTERS} characters, {DEEPEST} levels and {MOST_VALUES} values. Received: "
            f"{one_line(error)}. Correct its syntax."
        ) from error
    tree = {} if tree is None else tree
    if not isinstance(tree, dict):
        raise ValueError(
            f"'{path}' is not a configuration. Expected: a mapping of sections. "
            f"Received: {type(tree).__name__}. Start it with `data:` or `model:`."
        )
    shrinking = tree.pop("smoke", None) or {}
    if not isinstance(shrinking, dict):
        raise ValueError(
            f"In {path}: the section 'smoke' is wrong. Expected: a mapping of section.key to "
            f"value. Received: smoke={shown(shrinking)}. Correct this value."
        )
    settings = as_overrides(shrinking) if smoke else []
    return parse_config(tree, str(path), [*settings, *overrides])


def as_overrides(settings: Mapping[str, Any]) -> list[str]:
    """Returns `section.key=value` settings, values in YAML.

    Args:
        settings: Values of plain types by dotted key, such as `{"train.epochs": 5}`.

    Raises:
        TypeError: A value is of another type.
    """
    try:
        return [f"{key}={yaml.safe_dump(value).strip()}" for key, value in settings.items()]
    except yaml.YAMLError as error:
        raise TypeError(
            "A setting is not plain data. Expected: texts, numbers, booleans, None, lists and "
            f"dictionaries. Received: settings={shown(dict(settings))}. Convert the value, arrays "
            "with `tolist()`."
        ) from error


def _read(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(
            f"The configuration '{path}' is missing. Expected: a YAML file. "
            f"Received: CONFIG={path}. Name an existing file, such as configs/zszu_digits.yaml."
        )
    with told_of_file(path, "a YAML file"), path.open("rb") as file:
        content = file.read(4 * MOST_CHARACTERS + 1)  # UTF-8 has at most 4 bytes a character
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The configuration '{path}' is not UTF-8. Expected: a YAML file in UTF-8 of at most "
            f"{MOST_CHARACTERS} characters. Received: {error.reason} at byte {error.start}. Save "
            "it as UTF-8."
        ) from error


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
        raise ValueError(f"In {origin}: {explain(error, tree, Config)}") from None


def _override(tree: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    if not equals or not key:
        raise ValueError(
            "An override is malformed. Expected: section.key=value. "
            f"Received: --set {shown(setting)}. Write for example --set train.epochs=5."
        )
    *sections, last = key.split(".", DEEPEST)
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ValueError(
                f"The override '{shorten(key)}' goes into a plain value. Expected: a section "
                f"before each dot. Received: --set {shown(setting)}. Drop the part after "
                f"'{shorten(section)}'."
            )
    try:
        tree[last] = load_yaml(value)
    except yaml.YAMLError as error:
        raise ValueError(
            f"The value of the override '{shorten(key)}' is not valid YAML. Expected: every key "
            f"once. Received: --set {shown(setting)}: {one_line(error)}. Correct its syntax."
        ) from error
