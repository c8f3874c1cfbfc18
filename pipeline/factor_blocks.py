"""Measured control of factors: which block tells which factor, and what lies between its values."""

from __future__ import annotations

import itertools

import numpy as np

from augment import Latents, identity_keys
from model_zoo.metrics.probes import probe_accuracy
from pipeline.codec import Codec
from pipeline.config import Config
from pipeline.examples import Examples
from pipeline.held_out import HeldOut
from pipeline.measures import Measure
from pipeline.quality import choose

PATH = np.linspace(0.1, 0.9, 9, dtype=np.float32)
"""Places between two codes of a block, its middle among them."""
MOST_PATHS = 500
"""Most paths a block."""
SCALE = "what a linear probe reads in its mean code, 0 for guessing and 1 for always right"


def measure_factors(held_out: HeldOut, train: Examples, config: Config) -> list[Measure]:
    """Measures blocks and paths.

    Args:
        held_out: Encoded examples that everything is scored on.
        train: Examples that probes are trained on.
        config: The configuration; sections `generate` and `evaluate` decide.

    Returns:
        Nothing for a bundle whose blocks carry one factor.
    """
    if len(held_out.codec.spec.carried(train.factors)) < 2:
        return []
    paths = measure_paths(held_out.codec, held_out.examples, config)
    return [*measure_blocks(held_out, train, config), *paths]


def measure_blocks(held_out: HeldOut, train: Examples, config: Config) -> list[Measure]:
    """Measures which block tells which factor, by a linear probe on mean codes.

    Accuracies are scaled so that always guessing the most frequent value gives 0, and 1 is perfect.
    """
    train = choose(train, config.evaluate.probe_examples, 0, "probe")
    spec, codes = held_out.codec.spec, held_out.codec.encode(train.images)
    scores: dict[bool, dict[str, float]] = {True: {}, False: {}}
    for block, name in itertools.product(spec, spec.carried(train.factors)):
        values, found = held_out.examples.factors[name], held_out.latents[block.name]
        chance = np.bincount(values).max() / len(values)
        accuracy = probe_accuracy("linear", codes[block.name], train.factors[name], found, values)
        scaled = (accuracy - chance) / max(1 - chance, 1e-9)
        scores[name in block.factors][cell_name(block.name, name)] = float(scaled)
    means = [
        _tells(f"Blocks tell {what}, mean", float(np.mean(list(scores[is_own].values()))), is_own)
        for what, is_own in (("their own factors", True), ("other factors", False))
    ]
    return means + [_tells(*item, is_own) for is_own in scores for item in scores[is_own].items()]


def _tells(name: str, value: float, is_own: bool) -> Measure:
    return Measure(
        name=name,
        value=value,
        chance=0.0,
        better="higher" if is_own else "lower",
        meaning=f"It should{'' if is_own else ' not'}: {SCALE}.",
    )


def cell_name(block: str, factor: str) -> str:
    """Name of the figure that says what a block tells of a factor."""
    return f"Block {block} tells {factor}"


def measure_paths(codec: Codec, test: Examples, config: Config) -> list[Measure]:
    """Measures what is decoded between two codes of one block, the other blocks held.

    Paths lead from an example to another with another value of the factor, in nine steps. That
    blocks are convex is what Ge et al., WACV 2023, interpolate for in training.
    """
    most = min(MOST_PATHS, config.evaluate.anchors)
    hosts = choose(test, most, config.generate.seed, "paths")
    latents = codec.encode(hosts.images)
    measures = []
    for block in codec.spec:
        for name in block.factors[:1]:
            if name in codec.bundle.judge_sizes:
                measures += _paths(codec, hosts, latents, block.name, name, config)
    return measures


def _paths(
    codec: Codec, hosts: Examples, latents: Latents, block: str, name: str, config: Config
) -> list[Measure]:
    """The figures of one block."""
    starts, ends = _ends(hosts, name, config.generate.seed)
    if not len(starts):
        return []
    weights = np.repeat(PATH, len(starts))[:, None]
    starts, ends = np.tile(starts, len(PATH)), np.tile(ends, len(PATH))
    codes = {other: code[starts] for other, code in latents.items()}
    codes[block] = (1 - weights) * latents[block][starts] + weights * latents[block][ends]
    read = codec.judge_factors(codec.render_factors(codes)[0], "auditor")
    others = [other for other in read if other != name and codec.spec.carriers(other)]
    kept = [np.argmax(read[other], axis=-1) == hosts.factors[other][starts] for other in others]
    sure, middle = read[name].max(axis=-1), weights[:, 0] == PATH[len(PATH) // 2]
    least = config.generate.gate.build().threshold(name)
    between = f"between two codes of {block} of different {name}"
    figures = {
        "other factors kept": (
            np.mean(kept) if kept else None,
            f"Share read right by the auditor {between}.",
        ),
        "confidence": (sure.mean(), f"Largest probability of a {name} by the auditor {between}."),
        "mid-points of a value": (
            np.mean(sure[middle] >= least),
            f"Share of middles {between} in which that is at least {least:g}.",
        ),
    }
    return [
        Measure(
            name=f"Path of {name}: {what}",
            value=None if value is None else float(value),
            meaning=meaning,
        )
        for what, (value, meaning) in figures.items()
    ]


def _ends(hosts: Examples, name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of examples, and of others with another value of the factor."""
    order = np.argsort(identity_keys(seed, f"path {name}", hosts.ids), kind="stable")
    ends = np.empty(len(hosts), np.int64)
    ends[order] = np.roll(order, 1)
    starts = np.flatnonzero(hosts.factors[name] != hosts.factors[name][ends])
    return starts, ends[starts]
