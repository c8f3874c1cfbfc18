"""A small data set and a bundle trained on it in seconds, made once a process."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from pipeline.config import Config, load_config
from pipeline.importing import import_dataset
from pipeline.training import train_bundle

CONFIGS = Path(__file__).parents[2] / "configs"


def digits_config(*overrides: str) -> Config:
    """The digits configuration, shrunk to seconds."""
    return load_config(CONFIGS / "zszu_digits.yaml", overrides, smoke=True)


@functools.cache
def digits_data() -> Path:
    """300 embedded digits or so, in three shards a split."""
    folder = Path(tempfile.mkdtemp(prefix="latentloom-test-")) / "digits"
    import_dataset("builtin:digits", folder, max_examples=300, shards=3)
    return folder


@functools.cache
def digits_bundle() -> Path:
    """A bundle trained on them for a few epochs."""
    folder = digits_data().with_name("bundle")
    config = digits_config("train.epochs=25", "judge.epochs=150")
    train_bundle(config, digits_data(), folder)
    return folder
