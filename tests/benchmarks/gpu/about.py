"""Prints as JSON which machine this is: device, driver, versions, and the models of the zoo.

KERAS_BACKEND=jax python tests/benchmarks/gpu/about.py
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import shutil
import subprocess

import jax

from latentloom.model_zoo.registry import MODELS

PACKAGES = ("jax", "jaxlib", "keras", "tensorflow-probability", "numpy", "torch", "scikit-learn")
QUERY = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]


def nvidia() -> str | None:
    """Name, driver and memory of the GPU as its driver tells them."""
    if shutil.which(QUERY[0]) is None:
        return None
    told = subprocess.run(QUERY, capture_output=True, text=True, check=False)
    return told.stdout.strip() or told.stderr.strip()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Asks and prints."""
    about = {
        "device": jax.devices()[0].device_kind,
        "platform": jax.devices()[0].platform,
        "driver": nvidia(),
        "versions": versions(),
        "has_tensorflow": importlib.util.find_spec("tensorflow") is not None,
        "models": [*MODELS, "classifier"],
    }
    print(json.dumps(about))


if __name__ == "__main__":
    main()
