"""Chooses the configuration of `--config auto` from a data set directory, and explains it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentloom.pipeline.config import Config, parse_config
from latentloom.pipeline.config.automatic import (
    LONGEST_STRETCH,
    START_MINUTES,
    USUAL_MINUTES,
    Seen,
    automatic_tree,
    limited,
)
from latentloom.pipeline.dataset.directory import CONFIG_FILE, DatasetDir
from latentloom.pipeline.dataset.seen_data import seen_in
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import Location

ORIGIN = "--config auto"


def automatic_config(
    data: Location, settings: Sequence[str], minutes: float | None = None
) -> tuple[Config, Seen]:
    """Chooses a configuration for a data set; the same data and settings give the same one.

    Args:
        data: Data set directory.
        settings: `section.key=value` settings, applied last.
        minutes: Time of the whole training, for which steps are chosen; None for the steps of the
            table, or fewer where these would take longer than `USUAL_MINUTES`.

    Returns:
        The configuration, and what it was chosen from.

    Raises:
        FileNotFoundError: The data set is missing.
        ValueError: A setting is wrong, or the data set is damaged.
    """
    wanted = parse_config({}, ORIGIN, settings)
    seen = limited(seen_in(DatasetDir.open(data).manifest), wanted.data.limit)
    usual = expected_minutes(parse_config(automatic_tree(seen), ORIGIN), seen)
    stretch = min(1.0, USUAL_MINUTES / usual) if minutes is None else minutes / usual
    tree = automatic_tree(seen, min(max(stretch, 1 / LONGEST_STRETCH), LONGEST_STRETCH))
    _give_way(tree, wanted, seen)
    return parse_config(tree, ORIGIN, settings), seen


def _give_way(tree: dict[str, Any], wanted: Config, seen: Seen) -> None:
    """Drops from a choice what does not fit the settings: arguments, steps and a long warm-up."""
    if "name" in wanted.model.model_fields_set and wanted.model.name != tree["model"]["name"]:
        tree["model"] = {"name": wanted.model.name}
    for section, settings in (("train", wanted.train), ("judge", wanted.judge)):
        if "epochs" in settings.model_fields_set and settings.steps is None:
            del tree[section]["steps"]
    train, batch = wanted.train, tree["train"]["batch_size"]
    steps = train.steps or (tree["train"].get("steps") or train.epochs * (seen.examples // batch))
    tree["train"]["warmup_steps"] = min(tree["train"]["warmup_steps"], steps // 10)


def expected_minutes(config: Config, seen: Seen) -> float:
    """Estimates the minutes of a training with a chosen configuration."""
    size, train, judge = seen.size, config.train, config.judge
    steps = train.steps or train.epochs * max(1, seen.examples // train.batch_size)
    judged = judge.steps or judge.epochs * max(1, seen.examples // 2 // judge.batch_size)
    model = steps * train.batch_size * size.step_ms
    judges = 2 * judged * judge.batch_size * size.judge_ms
    expected = START_MINUTES + (model + judges) / 32 / 60_000
    limits = [train.minutes, judge.minutes, judge.minutes]
    return min([expected, *([START_MINUTES + sum(filter(None, limits))] if all(limits) else [])])


def told(config: Config, seen: Seen, out: Path) -> list[str]:
    """Returns five lines: what was seen, what was chosen, budgets, minutes, how to change them."""
    model, train, judge = config.model, config.train, config.judge
    kind = KINDS[seen.observation]
    shape = " x ".join(map(str, seen.shape))
    others = ", ".join(f"{name} ({seen.factors[name]})" for name in seen.others) or "none"
    sizes = ", ".join(f"{name} {value}" for name, value in model.args.items())
    deformed = "deformed" if config.data.deform else "not deformed"
    budget = f"{train.steps:,} steps" if train.steps else f"{train.epochs:,} epochs"
    judged = f"{judge.steps:,} steps" if judge.steps else f"{judge.epochs:,} epochs"
    limits = f" in at most {train.minutes:g} minutes" if train.minutes else ""
    judge_limits = f" in at most {judge.minutes:g} minutes" if judge.minutes else ""
    generate = config.generate
    least, made = generate.gate.min_confidence, f"variants by {generate.recipe}"
    if generate.detail:
        made += f" with detail {generate.detail:g}"
    return [
        f"Seen: {seen.examples:,} {kind.many} of {shape}, {seen.classes} classes of "
        f"{seen.smallest_class:,} or more; other factors: {others}.",
        f"Chosen: {model.name} ({sizes or 'its defaults'}); {kind.many} {deformed}; auditor "
        f"{judge.auditor}; gate from {least:g}; {made}.",
        f"Budget: {budget} of {train.batch_size}{limits} for the model, {judged} of "
        f"{judge.batch_size}{judge_limits} for each of judge and auditor.",
        f"Expected: about {math.ceil(expected_minutes(config, seen))} minutes on two cores.",
        f"To change: --set train.steps=..., --minutes M for all together, or edit "
        f"{out / CONFIG_FILE} after training and pass it as CONFIG.",
    ]
