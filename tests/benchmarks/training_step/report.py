"""What `train_step.py` tells: medians, ratios and shares, in a table and in JSON."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training_step.floor import floor_of

NOTICEABLE = 0.1


def rows_of(measured: Mapping[str, Any], rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """One row a framework.

    Args:
        measured: What `train_step.measure` returns.
        rates: Operations and bytes a second of the device.

    Returns:
        Rows with medians over the rounds; where there is PyTorch with its time over ours in every
        round, `ratios`, their median and the ratio of the fastest rounds.
    """
    rows, rounds = [], measured["rounds"]
    for name in rounds[0]["seconds"]:
        seconds = [each["seconds"][name] for each in rounds]
        row = {key: measured[key] for key in ("model", "precision", "batch_size")}
        row |= {"framework": name, "step_seconds": statistics.median(seconds)}
        row["fastest_step_seconds"] = min(seconds)
        row["images_per_second"] = round(measured["batch_size"] / row["step_seconds"])
        if name in measured["fit_seconds"]:
            row["fit_seconds"] = statistics.median(measured["fit_seconds"][name])
        if "costs" in measured:
            row["floor"] = floor_of(measured["costs"], rates)
            row["floor_share"] = row["floor"]["seconds"] / row["step_seconds"]
        if "torch" in rounds[0]["seconds"]:
            theirs = [each["seconds"]["torch"] for each in rounds]
            row["ratios"] = [round(t / s, 3) for t, s in zip(theirs, seconds, strict=True)]
            row["median_ratio"] = round(statistics.median(row["ratios"]), 3)
            row["ratio_of_fastest"] = round(min(theirs) / min(seconds), 3)
        rows.append(row)
    return rows


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints rows as plain aligned text."""
    header = f"{'model':12} {'precision':9} {'batch':>5} {'framework':10} {'images/s':>9}"
    header += f" {'step ms':>9} {'fit ms':>9} {'floor':>7}"
    with_torch = any("median_ratio" in row for row in rows)
    print(header + (f" {'ratio':>7}  lowest to highest" if with_torch else ""))
    for row in rows:
        line = f"{row['model']:12} {row['precision']:9} {row['batch_size']:5} {row['framework']:10}"
        line += f" {row['images_per_second']:9,} {row['step_seconds'] * 1e3:9.2f}"
        line += f" {row['fit_seconds'] * 1e3:9.2f}" if "fit_seconds" in row else " " * 10
        line += f" {row['floor_share']:7.1%}" if "floor_share" in row else " " * 8
        if "median_ratio" in row:
            line += f" {row['median_ratio']:7.2f}  {min(row['ratios'])} to {max(row['ratios'])}"
        print(line)


def warn_of_others(measurements: Sequence[Mapping[str, Any]]) -> None:
    """Says so when other processes had a noticeable share of the processors."""
    shares = [each["others"] for measured in measurements for each in measured["rounds"]]
    if statistics.median(shares) > NOTICEABLE:
        print(
            f"Other processes used {statistics.median(shares):.0%} of the processors, which slows "
            "some frameworks down more than others. Repeat this on a quiet machine."
        )


def processor() -> str:
    """Model of the CPU."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
