"""Share of a training step that the estimate of the aggregate posterior takes.

The step is that of HFVAE with dense networks as in `configs/hfvae_mnist.yaml`, or convolutions, a
categorical block of ten values and a Gaussian one, compiled as `fit` compiles it. Beside it runs
the same step with the divergence of each posterior from its prior in closed form, which is that of
a VAE. Both run in turn in one process, on random images. `share` is what the first takes more, of
its own time; `share_cpu`, the same of processor time, holds where others use the machine.

    python tests/benchmarks/estimator_share.py [--batch-sizes 128 512 1024] [--dims 10 50]
        [--network dense] [--image 28 28 1] [--repeats 30] [--out FILE]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import platform
import statistics
import time
from pathlib import Path
from unittest import mock

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import uses_xla
from latentloom.model_zoo.backend.rounding import fix_rounding
from latentloom.model_zoo.hfvae.blocks import GaussianBlock
from latentloom.model_zoo.hfvae.hfvae import HFVAE
from latentloom.model_zoo.hfvae.networks import HFVAENetworks
from latentloom.model_zoo.hfvae.settings import HFVAESettings
from latentloom.model_zoo.training.schedule import Schedule, optimizer

CLASSES = 10
EXAMPLES = 60_000
WARM_UP = 3


def closed_form_terms(
    settings: HFVAESettings, networks: HFVAENetworks, x, y, outputs, training: bool = True
) -> dict:
    """The terms of a VAE in place of `model_zoo.hfvae.losses.loss_terms`."""
    reconstruction_loss = networks.likelihood.reconstruction_loss(x, networks.decode(outputs))
    divergence = sum(closed_form_divergence(outputs, block) for block in networks.blocks)
    nothing = ops.zeros(())
    return {
        "reconstruction_loss": ops.mean(reconstruction_loss),
        "mutual_information": nothing,
        "between_blocks": nothing,
        "within_blocks": nothing,
        "dimension_wise": ops.mean(divergence),
    }


def closed_form_divergence(outputs, block):
    """KL divergence of the posteriors of a block from its prior, `(batch,)` in nats."""
    if isinstance(block, GaussianBlock):
        loc, log_variance = outputs[f"{block.name}/loc"], outputs[f"{block.name}/log_variance"]
        return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(loc) - 1.0 - log_variance, axis=-1)
    told = outputs[f"{block.name}/log_probabilities"]
    return ops.sum(ops.exp(told) * (told + math.log(block.dim)), axis=-1)


def compiled_model(dim: int, batch_size: int, options: argparse.Namespace) -> HFVAE:
    """The model with weights of 4 between and 3 within blocks."""
    fix_rounding()  # as training does
    keras.utils.set_random_seed(0)
    model = HFVAE(
        options.image,
        CLASSES,
        blocks={"digit": {"values": CLASSES}, "style": {"dim": dim}},
        network=options.network,
        hidden_dim=[400, 200] if options.network == "dense" else 256,
        num_examples=EXAMPLES,
    )
    schedule = Schedule(epochs=10, batch_size=batch_size)
    steps = EXAMPLES // batch_size
    model.compile(optimizer(model, schedule, steps), jit_compile=uses_xla())
    return model


def measure(dim: int, batch_size: int, options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of both steps at one size, medians, and the share."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (batch_size, *options.image)).astype(np.float32)
    labels = rng.integers(CLASSES, size=batch_size)
    estimated, closed = (compiled_model(dim, batch_size, options) for _ in range(2))
    with mock.patch("latentloom.model_zoo.hfvae.hfvae.loss_terms", closed_form_terms):
        closed.train_on_batch(images, labels)  # compiles
    times: dict[str, list[tuple[float, float]]] = {"estimated": [], "closed": []}
    for _ in range(options.repeats + WARM_UP):
        for name, model in (("estimated", estimated), ("closed", closed)):
            wall, cpu = time.perf_counter(), time.process_time()
            model.train_on_batch(images, labels)
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = (
        {name: statistics.median(t[clock] for t in some[WARM_UP:]) for name, some in times.items()}
        for clock in (0, 1)
    )
    return {
        "dim": dim,
        "batch_size": batch_size,
        "estimated_ms": round(1e3 * wall["estimated"], 1),
        "closed_ms": round(1e3 * wall["closed"], 1),
        "share": round(1 - wall["closed"] / wall["estimated"], 3),
        "share_cpu": round(1 - cpu["closed"] / cpu["estimated"], 3),
    }


def main() -> None:
    """Measures all sizes and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[128, 512, 1024])
    parser.add_argument("--dims", nargs="+", type=int, default=[10, 50], help="of the Gaussian")
    parser.add_argument("--network", choices=["dense", "conv"], default="dense")
    parser.add_argument("--image", nargs=3, type=int, default=[28, 28, 1])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--out", type=Path, default=None, help="file for the JSON")
    options = parser.parse_args()
    rows = []
    for dim, batch_size in itertools.product(options.dims, options.batch_sizes):
        rows.append(measure(dim, batch_size, options))
        print("  ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    result = {
        "benchmark": "estimator_share",
        "backend": keras.backend.backend(),
        "processor": platform.processor() or platform.machine(),
        "rows": rows,
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
