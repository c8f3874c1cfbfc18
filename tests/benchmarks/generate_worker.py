"""Prepares and runs `generate` in one process of whichever build this interpreter has.

Reads requests from standard input, one line of JSON each, and answers each with one line. Speaks to
builds before and after the packages moved under `latentloom`. `generate_throughput.py` starts it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

if Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
    del sys.path[0]  # its modules are of this build


def of_build(name: str, *modules: str) -> Any:
    """Returns a function of the installed build from the first module that has it."""
    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except (ModuleNotFoundError, AttributeError):
            continue
    raise ModuleNotFoundError(
        f"This interpreter has no latentloom with '{name}'. Expected: it in one of "
        f"{list(modules)}. Received: {sys.executable}. Install a wheel for it."
    )


def prepare(request: dict[str, Any]) -> dict[str, Any]:
    """Imports images from an npz file and, unless one is given, trains a bundle on them."""
    new = "latentloom.pipeline"
    import_dataset = of_build(
        "import_dataset", "pipeline.importing", f"{new}.importing.import_dataset"
    )
    import_dataset(f"npz:{request['images']}", Path(request["data"]), shards=request["shards"])
    if not Path(request["model"]).exists():
        train = of_build("train_bundle", "pipeline.training", f"{new}.training.train")
        trained = Path(request["model"]).with_name("trained")
        train(_config(request), Path(request["data"]), trained)
        save_with_blind_judge(trained, Path(request["model"]))
    return {}


def save_with_blind_judge(trained: Path, path: Path) -> None:
    """Saves a bundle whose judge gives every class the same probability, so all variants pass."""
    places = ("model_zoo.bundle", "latentloom.model_zoo.bundle")
    bundle = of_build("load_bundle", *places)(trained)
    last = [layer for layer in bundle.judge.layers if layer.weights][-1]
    last.set_weights([0 * weights for weights in last.get_weights()])
    of_build("save_bundle", *places)(bundle, path)


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Generates a data set; returns its totals and the wall and CPU seconds."""
    generate = of_build(
        "generate", "pipeline.generation", "latentloom.pipeline.generation.generate"
    )
    config, places = _config(request), (request["data"], request["model"], request["out"])
    wall, cpu = time.perf_counter(), time.process_time()
    made = generate(config, *places)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return dict(made.manifest.totals) | seconds


def _config(request: dict[str, Any]) -> Any:
    load_config = of_build("load_config", "pipeline.config", "latentloom.pipeline.config")
    return load_config(Path(request["config"]), tuple(request["settings"]))


def main() -> None:
    """Answers requests until the end of the input; libraries print to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        answer = prepare(request) if request["do"] == "prepare" else run(request)
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
