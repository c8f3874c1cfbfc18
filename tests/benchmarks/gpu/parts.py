"""Runs every measurement on this machine in the order of its value, inside a limit of time.

    PYTHONPATH=. python tests/benchmarks/gpu/parts.py --carried build/gpu --out FOLDER
        [--quick] [--set KEY=VALUE ...]

`gpu.sh` calls this. Every part is a process of its own, so that one that fails or outlasts the
limit leaves the others alone. FOLDER/gpu.json is written again after each part. `LIMIT_S`, default
540, is the limit in seconds. The exit status is 1 when a part failed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from table import print_table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DEFAULT_LIMIT_S = 540.0
LEAST_SECONDS = 15
"""With less time left than this no part is begun."""

STEPS_SHARE = 1 / 3
"""Share of the limit that one comparison with PyTorch may take."""

SIZES = ["--batch-sizes", "128", "1024", "--repeats", "7", "--steps", "20"]
QUICK_SIZES = ["--batch-sizes", "16", "--repeats", "2", "--steps", "2"]


@dataclass(frozen=True)
class Part:
    """A measurement: a command that writes JSON.

    Args:
        name: What it is called in the table.
        command: Words for the interpreter.
        result: File that the command writes.
        share: Largest share of the limit that it may take.
    """

    name: str
    command: Sequence[str]
    result: Path
    share: float = 1.0


@dataclass
class Findings:
    """What was measured so far, kept in a file.

    Args:
        file: The file.
        about: What the machine is.
        parts: Result of every part that left one.
        failed: Why parts failed.
        skipped: Why parts were left out or cut off.
    """

    file: Path
    about: dict[str, Any]
    parts: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def write(self) -> None:
        """Writes the file anew."""
        content = {name: value for name, value in vars(self).items() if name != "file"}
        partial = self.file.with_suffix(".tmp")
        partial.write_text(json.dumps({"benchmark": "gpu", **content}, indent=2) + "\n")
        partial.replace(self.file)


def ask_machine() -> dict[str, Any]:
    """What `about.py` says of this machine."""
    command = [sys.executable, HERE / "about.py"]
    about = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    if about["driver"] and about["platform"] == "cpu":
        print("JAX does not see the GPU that the driver shows: all runs on the CPU.", flush=True)
    return about


def steps_part(model: str, precision: str, folder: Path, quick: bool) -> Part:
    """The training step of one model in one precision, against PyTorch."""
    result = folder / f"steps_{model}_{precision}.json"
    command = [f"{ROOT}/tests/benchmarks/train_step.py", "--backends", "jax", "torch"]
    command += ["--models", model, "--precisions", precision, *(QUICK_SIZES if quick else SIZES)]
    command += ["--out", str(result)]
    return Part(f"step {model} {precision}", command, result, STEPS_SHARE)


def configs_of(data: Path) -> list[Path]:
    """The configurations for some data, those of the zs/zu model first."""
    return sorted((ROOT / "configs").glob(f"*_{data.name}.yaml"), reverse=True)


def training_part(config: Path, data: Path, folder: Path, options: argparse.Namespace) -> Part:
    """The full training of one configuration, with all its figures."""
    command = [f"{HERE}/train.py", "--config", str(config), "--data", str(data)]
    command += ["--out", str(options.out), "--figures", str(folder / f"{config.stem}.json")]
    command += [word for setting in options.set for word in ("--set", setting)]
    command += ["--smoke"] if options.quick else []
    return Part(config.stem, command, folder / f"{config.stem}.json")


def data_sets(carried: Path) -> list[Path]:
    """Directories of the data that was carried, MNIST first."""
    found = (path.parent for path in (carried / "data").glob("*/manifest.json"))
    return sorted(found, key=lambda folder: (folder.name != "mnist", folder.name))


def parts(models: Sequence[str], folder: Path, options: argparse.Namespace) -> Iterator[Part]:
    """Every part, the most valuable first."""
    precisions = ("float32",) if options.quick else ("float32", "bfloat16")
    first, *others = models
    data = data_sets(options.carried)
    if not data:
        print("No data is carried: nothing is trained to its full budget.", flush=True)
    yield steps_part(first, precisions[0], folder, options.quick)
    trainings = [
        training_part(config, place, folder, options)
        for place in data
        for config in configs_of(place)
    ]
    yield from trainings[:1]
    for precision in precisions[1:]:
        yield steps_part(first, precision, folder, options.quick)
    yield from trainings[1:]
    for model in others:
        for precision in precisions:
            yield steps_part(model, precision, folder, options.quick)


def run(part: Part, seconds: float) -> tuple[str, str]:
    """Runs a part; `("failed" | "skipped" | "", why)`."""
    command = [sys.executable, *part.command]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return "skipped", f"cut off after {seconds:.0f} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the processes that it started
        process.wait()
    return ("failed", f"exit status {status}; its message is above") if status else ("", "")


def run_all(findings: Findings, options: argparse.Namespace, end: float, limit: float) -> None:
    """Runs every part that there is time for."""
    with tempfile.TemporaryDirectory() as name:
        for part in parts(findings.about["models"], Path(name), options):
            begin = time.monotonic()
            if (left := end - begin) < LEAST_SECONDS:
                findings.skipped[part.name] = f"no time left of {limit:.0f} s"
                print(f"{part.name} is skipped: no time left of LIMIT_S={limit:.0f}.", flush=True)
                continue
            print(f"== {part.name}, {left:.0f} s left", flush=True)
            outcome, why = run(part, min(left, part.share * limit))
            findings.seconds[part.name] = round(time.monotonic() - begin, 1)
            if part.result.is_file():
                findings.parts[part.name] = json.loads(part.result.read_text())
            if outcome:
                getattr(findings, outcome)[part.name] = why
                print(f"{part.name} {outcome}: {why}.", flush=True)
            findings.write()


def main() -> None:
    """Runs all parts and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--carried", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--spent", type=float, default=0, help="seconds of the limit")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    limit = float(os.environ.get("LIMIT_S") or DEFAULT_LIMIT_S)
    end = time.monotonic() + limit - options.spent
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # and not a part left behind
    options.out, options.carried = options.out.resolve(), options.carried.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    findings = Findings(options.out / "gpu.json", ask_machine())
    findings.write()
    run_all(findings, options, end, limit)
    findings.write()
    print_table(vars(findings))
    sys.exit(1 if findings.failed else 0)


if __name__ == "__main__":
    main()
