"""What independence within and between blocks costs and brings, HFVAE beside a VAE.

Trains, with the same dense networks (400 and 200) for the same steps on 9,000 images: a VAE and the
HFVAE with a categorical block of as many values as classes and a Gaussian one of 10 dimensions, and
the HFVAE with one of 4, all without labels; measures 1,000 more images. Information is that under
the exact aggregate posterior of 5,000 training images.

    latentloom import idx:DIR runs/mnist
    python tests/benchmarks/hfvae_terms.py --data runs/mnist [--seeds 0 1 2] [--steps 1750]

It prints, a line a model and seed: total correlation within the Gaussian block, cross-entropy of
the mean reconstruction, information of image and Gaussian and categorical block, entropy of the
latter, how many of its values are the likeliest of some image, and how well they tell the class if
each stands for its most frequent one; then ratios of HFVAE over VAE.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import ops
from scipy.special import entr

from latentloom.model_zoo.hfvae import HFVAE
from latentloom.model_zoo.metrics.aggregate_posterior import aggregate_information
from latentloom.model_zoo.scaling import PIXELS
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.codec.densities import density_columns, read_posteriors
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose

TRAIN, TEST, MEASURED, BATCH_SIZE = 9000, 1000, 5000, 128
ARMS = {
    "vae, 10": (10, {"between_weight": 1.0, "within_weight": 1.0}),
    "hfvae, 10": (10, {}),
    "hfvae, 4": (4, {}),
}


def train(arm: str, examples: Examples, classes: int, steps: int, seed: int) -> HFVAE:
    """The trained model of an arm."""
    dim, weights = ARMS[arm]
    keras.utils.set_random_seed(seed)
    model = HFVAE(
        examples.observations.shape[1:],
        classes,
        blocks={"class": {"values": classes}, "z": {"dim": dim}},
        network="dense",
        hidden_dim=[400, 200],
        num_examples=len(examples),
        seed=seed,
        **weights,
    )
    labelled = (examples.observations, examples.labels)
    epochs = round(steps / (len(examples) // BATCH_SIZE))
    schedule = Schedule(epochs=epochs, batch_size=BATCH_SIZE, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        fit(model, labelled, tuple(part[:500] for part in labelled), schedule, Path(folder))
    return model


def measure(model: HFVAE, train: Examples, test: Examples) -> dict[str, float]:
    """The figures of a model."""
    seen, unseen = (
        PIXELS.to_model(part.observations.astype(np.float32), model.value_range)
        for part in (train, test)
    )
    columns = density_columns(model.posterior(seen), ops.array([0, 0], "int32"))
    posteriors = read_posteriors({name: np.asarray(column) for name, column in columns.items()})
    found = aggregate_information(posteriors)
    latents = model.encode(unseen)
    networks = model.networks
    errors = networks.likelihood.reconstruction_loss(unseen, networks.decode(latents))
    codes = np.asarray(latents["class"])
    read, table = codes.argmax(axis=1), np.zeros((codes.shape[1],) * 2)
    np.add.at(table, (read, test.labels), 1)
    return {
        "within": found.blocks["z"].total_correlation,
        "error": float(ops.mean(errors)),
        "I(x;z)": found.blocks["z"].mutual_information,
        "I(x;y)": found.blocks["class"].mutual_information,
        "H(y)": float(entr(posteriors["class"].probabilities.mean(axis=0)).sum()),
        "values": len(np.unique(read)),
        "accuracy": float(table.max(axis=1).sum() / len(read)),
    }


def main() -> None:
    """Measures every arm with every seed and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1750)
    options = parser.parse_args()
    data = DatasetDir.open(options.data)
    chosen = choose(data.read("train"), TRAIN + TEST, 0, "terms")
    learnt, test = chosen.take(np.arange(TRAIN)), chosen.take(np.arange(TRAIN, len(chosen)))
    classes = len(data.manifest.class_names)
    for seed in options.seeds:
        found = {}
        for arm in ARMS:
            model = train(arm, learnt, classes, options.steps, seed)
            found[arm] = measure(model, learnt.take(np.arange(MEASURED)), test)
            told = "  ".join(f"{name} {value:.3g}" for name, value in found[arm].items())
            print(f"seed {seed}  {arm:10}  {told}", flush=True)
        vae, hfvae = found["vae, 10"], found["hfvae, 10"]
        ratios = {name: hfvae[name] / vae[name] for name in ("within", "error")}
        print(
            f"seed {seed}  ratios      within {ratios['within']:.2f}  error {ratios['error']:.3f}"
        )


if __name__ == "__main__":
    main()
