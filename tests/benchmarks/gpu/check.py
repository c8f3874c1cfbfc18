"""Reads bundles that `train.py` trained on a GPU, at home, and compares what they compute.

    bash tests/benchmarks/gpu.sh check [FOLDER]

FOLDER, default build/gpu/out, holds `<config>.tar.gz`. Codes of the archived images must agree to
1e-4 with those that the GPU found in full precision; the exit status is 1 where they do not.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from latentloom.pipeline.terminal.quiet import start_tensorflow

ROOT = Path(__file__).resolve().parents[3]
TOLERANCE = 1e-4


def differences(archive: Path) -> dict[str, float]:
    """Largest differences between what was archived and what the bundle computes here."""
    from latentloom.model_zoo.bundle import load_bundle
    from latentloom.pipeline.codec.codec import Codec

    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(archive) as file:
            file.extractall(name, filter="data")
        folder = next(Path(name).iterdir())
        codec = Codec(load_bundle(folder))
        with np.load(folder / "reference.npz") as arrays:
            reference = {key: arrays[key] for key in arrays.files}
    blocks = [key.partition("/")[2] for key in reference if key.startswith("codes/")]
    archived = {block: reference[f"codes/{block}"] for block in blocks}
    codes = codec.encode(reference["images"])
    decoded, probabilities = codec.render(archived)
    found = {f"code {block}": np.abs(codes[block] - archived[block]).max() for block in blocks}
    found["probabilities"] = np.abs(probabilities - reference["probabilities"]).max()
    found["pixel levels"] = np.abs(decoded.astype(int) - reference["decoded"].astype(int)).max()
    return {name: float(value) for name, value in found.items()}


def main() -> None:
    """Compares every archive."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "gpu" / "out")
    archives = sorted(parser.parse_args().folder.glob("*.tar.gz"))
    if not archives:
        sys.exit("There is no archived bundle. Expected: a folder that `gpu.sh` wrote into.")
    start_tensorflow()
    agree = True
    for archive in archives:
        found = differences(archive)
        told = ", ".join(f"{name} {value:.1e}" for name, value in found.items())
        print(f"{archive.name} in TensorFlow: largest differences: {told}")
        agree &= all(found[name] <= TOLERANCE for name in found if name.startswith("code "))
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
