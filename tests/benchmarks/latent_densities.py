"""How real do draws look, by the density that codes are drawn from, and by the model?

Draws codes of every bundle from N(0, I), from one Gaussian that is fitted to the codes of all
training examples, and from mixtures of more and more Gaussians of each class; decodes them, and
compares as many with the test images, all in the features of one auditor. The ratio is of Frechet
distances, to the first bundle's draws from N(0, I): with a plain VAE first, that is its prior.

    latentloom train configs/hfvae_mnist.yaml --data runs/mnist --out runs/vae ...
    python tests/benchmarks/latent_densities.py --data runs/mnist --models runs/vae runs/st_rkm

Codes are sampled from the posterior where it has a width. `class read` is the share of draws of a
class, the test images' in number, in which the auditor reads it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from latentloom.augment import BlockPrior, Latents
from latentloom.model_zoo.bundle import load_bundle
from latentloom.model_zoo.metrics.fidelity import frechet_distance
from latentloom.model_zoo.networks.class_density import fit_density
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples

ONE_CLASS = "one Gaussian"
UNFITTED = "N(0, I)"


def densities(
    codec: Codec, train: Examples, components: list[int]
) -> Iterator[tuple[str, dict[str, BlockPrior]]]:
    """The prior of every block, by the name of the density."""
    codes = codec.sample_posterior(train.observations, 0)
    sizes = {name: rows.shape[1] for name, rows in codes.items()}
    yield UNFITTED, {name: BlockPrior.standard_normal(size) for name, size in sizes.items()}
    yield ONE_CLASS, fit(codes, np.zeros(len(train), np.int64), 1, 1)
    classes = len(codec.bundle.class_names)
    for number in components:
        yield f"{number} of each class", fit(codes, train.labels, classes, number)


def fit(codes: Latents, labels: np.ndarray, classes: int, number: int) -> dict[str, BlockPrior]:
    """A mixture of each class for every block."""
    return {
        name: BlockPrior(**fit_density(rows, labels, classes, number))
        for name, rows in codes.items()
    }


def draw(priors: dict[str, BlockPrior], labels: np.ndarray, seed: int) -> Latents:
    """One code for each label."""
    keys = np.arange(len(labels), dtype=np.uint64) + np.uint64(seed) * np.uint64(2**32)
    return {
        name: prior.sample(keys + np.uint64(place) * np.uint64(2**48), labels)
        for place, (name, prior) in enumerate(priors.items())
    }


def main() -> None:
    """Measures every bundle and prints JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--components", type=int, nargs="*", default=[1, 5, 20])
    options = parser.parse_args()
    data = DatasetDir.open(options.data)
    train, test = data.read("train"), data.read("test")
    first = Codec(load_bundle(options.models[0]))
    real, result, reference = first.features(test.observations), {}, None
    for path in options.models:
        codec, result[path.name] = Codec(load_bundle(path)), {}
        for name, priors in densities(codec, train, options.components):
            labels = test.labels if priors_have_classes(priors) else None
            codes = draw(priors, test.labels if labels is not None else 0 * test.labels, 1)
            images, _ = codec.render(codes)
            distance = frechet_distance(real, first.features(images))
            reference = reference or distance
            row = {"frechet": round(distance, 3), "ratio": round(distance / reference, 3)}
            if labels is not None:
                row["class read"] = float(np.mean(first.judge(images).argmax(axis=-1) == labels))
            result[path.name][name] = row
            print(f"{path.name}, {name}: {row}", flush=True)
    print(json.dumps(result, indent=1))


def priors_have_classes(priors: dict[str, BlockPrior]) -> bool:
    """Whether codes can be drawn of a class."""
    return len(next(iter(priors.values())).weights) > 1


if __name__ == "__main__":
    main()
