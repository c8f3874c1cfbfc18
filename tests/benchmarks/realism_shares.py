"""Shares of real images and of what nobody wants that a bundle's gate for realism accepts.

Real images are the test split (2,000 at most); beside them their Gaussian blurs, the mean image of
each class, and noise, as in `tests/pipeline/training/test_fit_realism.py`.

    PYTHONPATH=tests/pipeline/fixtures python tests/benchmarks/realism_shares.py \
        --data runs/flowers --model runs/bundle
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from textures import realism_cases, share_realistic

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples

MOST = {"test": 2_000, "train": 5_000}


def some(data: DatasetDir, split: str) -> Examples:
    """Up to `MOST` examples of a split, chosen at random with seed 0."""
    examples = data.read(split)
    chosen = np.random.default_rng(0).permutation(len(examples))[: MOST[split]]
    return examples.take(np.sort(chosen)).loaded()


def main() -> None:
    """Prints a line a kind of image."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    args = parser.parse_args()
    codec, data = Codec(load_bundle(args.model)), DatasetDir.open(args.data)
    for name, case in realism_cases(some(data, "test"), some(data, "train")).items():
        print(f"{name:20} {share_realistic(codec, *case):6.1%}", flush=True)


if __name__ == "__main__":
    main()
