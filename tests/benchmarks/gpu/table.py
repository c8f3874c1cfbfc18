"""The findings of `parts.py` as one table. Again from a file:

python tests/benchmarks/gpu/table.py build/gpu/out/gpu.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Row = tuple[str, str, str]


def machine_rows(about: Mapping[str, Any]) -> Iterator[Row]:
    """Device, driver, versions."""
    yield "machine", "device", f"{about['device']} ({about['platform']})"
    yield "machine", "driver", about["driver"] or "no NVIDIA driver"
    for package, version in about["versions"].items():
        yield "machine", package, version
    yield "machine", "tensorflow", "installed" if about["has_tensorflow"] else "none"


def step_rows(name: str, result: Mapping[str, Any]) -> Iterator[Row]:
    """One row a batch size and framework."""
    for row in result["rows"]:
        told = f"{row['step_seconds'] * 1e3:.2f} ms, {row['images_per_second']:,} images/s"
        if "floor_share" in row:
            told += f", floor is {row['floor_share']:.1%}"
        if "fit_seconds" in row:
            told += f", with data pipeline {row['fit_seconds'] * 1e3:.2f} ms"
        if "median_ratio" in row and row["framework"] != "torch":
            lowest, highest = min(row["ratios"]), max(row["ratios"])
            told += f"; {row['median_ratio']:.2f} x PyTorch ({lowest} to {highest})"
        yield name, f"{row['framework']}, batch {row['batch_size']}", told


def training_rows(name: str, result: Mapping[str, Any]) -> Iterator[Row]:
    """Times and acceptance figures of a configuration."""
    training = result["training"]
    yield name, "training, all", f"{training['seconds'] / 60:.2f} min"
    for stage, times in training["stages"].items():
        epoch = f"; an epoch {times['epoch_seconds']:.2f} s" if "epoch_seconds" in times else ""
        yield name, f"training, {stage}", f"{times['seconds']:.1f} s{epoch}"
    for source, seconds in result.get("input", {}).items():
        step = training["stages"]["model"].get("epoch_seconds", 0.0) / training["steps_per_epoch"]
        told = f"{seconds * 1e3:.2f} ms a batch; a step {step * 1e3:.2f} ms"
        yield name, f"input from {source}, one thread", told
    for part in ("variants", "split"):
        for measure in result.get(part, ()):
            yield name, measure["name"], _value(measure)
    if "left_out" in result:
        yield name, "left out", result["left_out"]
    if "bundle" in result:
        change = result["bundle"]["default_precision_changes_codes"]
        yield name, "codes, default and full precision differ by", f"{change:.1e}"
    for batch_size, rates in result.get("rates", {}).items():
        told = ", ".join(f"{work} {rate:,.0f} images/s" for work, rate in rates.items())
        yield name, f"batches of {batch_size}", told


def _value(measure: Mapping[str, Any]) -> str:
    if measure["value"] is None:
        return "not measured"
    chance = f" (chance {measure['chance']:.3f})" if measure["chance"] else ""
    return f"{measure['value']:.4f}{chance}"


def rows(findings: Mapping[str, Any]) -> Iterator[Row]:
    """All rows."""
    yield from machine_rows(findings["about"])
    for name, result in findings["parts"].items():
        yield from step_rows(name, result) if "rows" in result else training_rows(name, result)
    for outcome in ("failed", "skipped"):
        for name, why in findings[outcome].items():
            yield name, outcome, why
    for name, seconds in findings["seconds"].items():
        yield "seconds", name, f"{seconds:.0f}"


def print_table(findings: Mapping[str, Any]) -> None:
    """Prints three columns."""
    table = [("part", "figure", "value"), *rows(findings)]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    for part, figure, value in table:
        print(f"{part:{widths[0]}}  {figure:{widths[1]}}  {value}", flush=True)


if __name__ == "__main__":
    print_table(json.loads(Path(sys.argv[1]).read_text()))
