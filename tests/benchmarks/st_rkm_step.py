"""Time of a training step of St-RKM over that of a VAE with the same networks.

The networks are those that both models choose for the image, the code has as many dimensions, and
the VAE has its divergence in closed form. Steps are compiled as `fit` compiles them and run in turn
in one process, on random images. The ratio is of processor time, medians, so that it holds where
others use the machine.

    python tests/benchmarks/st_rkm_step.py [--batch-size 128] [--image 28 28 1] [--repeats 30]
"""

from __future__ import annotations

import argparse
import statistics
import time
from unittest import mock

import keras
import numpy as np
from estimator_share import CLASSES, EXAMPLES, WARM_UP, closed_form_terms

from latentloom.model_zoo.backend.devices import uses_xla
from latentloom.model_zoo.backend.rounding import fix_rounding
from latentloom.model_zoo.registry import build_model
from latentloom.model_zoo.training.schedule import Schedule, optimizer

DIM = 16
ARMS = {
    "vae": ("hfvae", {"blocks": {"z": {"dim": DIM}}}),
    "deterministic": ("st_rkm", {"dim": DIM, "loss": "deterministic"}),
    "noisy": ("st_rkm", {"dim": DIM, "loss": "noisy"}),
    "split": ("st_rkm", {"dim": DIM, "loss": "split"}),
    "split, every example": ("st_rkm", {"dim": DIM, "loss": "split", "noisy_every": 1}),
}


def main() -> None:
    """Times every arm and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--image", nargs=3, type=int, default=[28, 28, 1])
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    fix_rounding()  # as training does
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (options.batch_size, *options.image)).astype(np.float32)
    labels = rng.integers(CLASSES, size=options.batch_size)
    schedule, models = Schedule(epochs=10, batch_size=options.batch_size), {}
    for arm, (name, args) in ARMS.items():
        keras.utils.set_random_seed(0)
        model = build_model(name, args, options.image, CLASSES)
        steps = EXAMPLES // options.batch_size
        model.compile(optimizer(model, schedule, steps), jit_compile=uses_xla())
        models[arm] = model
    with mock.patch("latentloom.model_zoo.hfvae.hfvae.loss_terms", closed_form_terms):
        models["vae"].train_on_batch(images, labels)  # compiles
    times: dict[str, list[float]] = {arm: [] for arm in models}
    for _ in range(options.repeats + WARM_UP):
        for arm, model in models.items():
            start = time.process_time()
            model.train_on_batch(images, labels)
            times[arm].append(1e3 * (time.process_time() - start))
    medians = {arm: statistics.median(some[WARM_UP:]) for arm, some in times.items()}
    for arm, median in medians.items():
        print(f"{arm:22} {median:6.1f} ms  {median / medians['vae']:.2f}")


if __name__ == "__main__":
    main()
