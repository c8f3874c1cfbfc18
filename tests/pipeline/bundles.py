"""A small data set, a bundle trained on it in seconds, and runs of `generate` on both."""

from __future__ import annotations

import functools
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from latentloom.pipeline.config import Config, load_config
from latentloom.pipeline.dataset_dir import DatasetDir
from latentloom.pipeline.generation import generate
from latentloom.pipeline.importing import import_dataset
from latentloom.pipeline.training import train_bundle

CONFIGS = Path(__file__).parents[2] / "configs"
MANY_SHARDS = ("generate.slice_records=12",)
KILLS = [pytest.param(seed, marks=[pytest.mark.slow] if seed > 1 else []) for seed in range(20)]
"""Seeds of random moments at which something is killed; most of them are for patient people."""


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
    config = digits_config("train.epochs=50", "judge.epochs=150")
    train_bundle(config, digits_data(), folder)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of every shard."""
    shards = sorted(folder.glob("*.tfrecord-*"))
    return {shard.name: hashlib.sha256(shard.read_bytes()).hexdigest() for shard in shards}


def make(out: Path, *overrides: str, data: Path | None = None, **options) -> DatasetDir:
    config = digits_config(*overrides)
    return generate(config, data or digits_data(), digits_bundle(), out, **options)


def command(
    out: Path, *beam_args: str, runner: str = "FnApiRunner", settings: Sequence[str] = ()
) -> list[str]:
    """The command line of the same run as `make(out)`, for a process of its own."""
    smoke = ["evaluate.anchors=40", "evaluate.variants=4", "data.limit=300"]
    words = [word for setting in (*smoke, *settings) for word in ("--set", setting)]
    return [
        *(sys.executable, "-m", "latentloom.pipeline.command", "generate"),
        *(str(CONFIGS / "zszu_digits.yaml"), "--data", str(digits_data())),
        *("--model", str(digits_bundle()), "--out", str(out)),
        *("--runner", runner),
        *words,
        *("--", *beam_args),
    ]
