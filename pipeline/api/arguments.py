"""Checks and resolves the arguments that several functions share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentloom.pipeline.storage.files import Location, is_remote
from latentloom.pipeline.storage.output_directories import check_apart
from latentloom.pipeline.storage.path_checks import check_local, check_path
from latentloom.pipeline.terminal.quiet import prepare_libraries, start_tensorflow

if TYPE_CHECKING:  # what the settings cost is paid when they are read
    from latentloom.pipeline.config import Config

Settings = Mapping[str, Any]
"""Values by dotted key, such as `{"train.epochs": 5}`."""
Configuration = Location | Mapping[str, Any]
"""A YAML file, or its content as a dictionary."""


def prepare() -> None:
    """Starts TensorFlow quietly, with the variables of the command where none are set."""
    prepare_libraries()
    start_tensorflow()


def input_path(path: Location, name: str) -> str:
    """Checks the path of an input, which may be remote; see `check_path`."""
    return check_path(path, name, is_input=True)


def local_output(path: Location, name: str = "out") -> Path:
    """Checks the path of an output directory, which must be local.

    Raises:
        ValueError: If the path has a scheme, or cannot be used.
    """
    check_local(path, name)
    return Path(check_path(path, name))


def resolve(config: Configuration, settings: Settings | None, out: Location) -> Config:
    """Reads a configuration, with some settings changed.

    Args:
        config: A YAML file, or its content as a dictionary.
        settings: Changes, by dotted key.
        out: The output directory, which must not hold the file.

    Raises:
        FileNotFoundError: If the file is missing.
        TypeError: If it is neither, or a setting is not plain data.
        ValueError: If a setting is wrong.
    """
    from latentloom.pipeline.config import as_overrides, load_config, parse_config

    overrides = as_overrides(settings or {})
    if isinstance(config, Mapping):
        return parse_config(dict(config), "the dictionary `config`", overrides)
    if not isinstance(config, (str, os.PathLike)):
        raise TypeError(
            "The configuration is of a wrong type. Expected: the path of a YAML file, or a "
            f"dictionary. Received: config of type {type(config).__name__}. Pass one of these."
        )
    if is_remote(config):
        check_local(config, "config")
    path = input_path(config, "config")
    check_apart(out, {"config": path})
    return load_config(Path(path), overrides)
