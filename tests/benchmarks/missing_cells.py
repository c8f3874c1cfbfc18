"""Does a classifier that never saw some letters on some backgrounds gain from their recombinations?

Trains the small classifier of `model_zoo` on a few real letters, on these with recombinations of
them, on these with the colours of their channels exchanged and inverted, a transform written by
hand that knows that colour is not what makes a letter, and on as many real letters of the whole
grid; all for the same steps. Scores each on real letters of the cells that the bundle held out of
its training, half of which the last arm may draw from and none is scored on.

    latentloom import builtin:letters runs/letters
    latentloom train tests/benchmarks/missing_cells.yaml --data runs/letters --out runs/missing
    latentloom generate tests/benchmarks/missing_cells.yaml --data runs/letters \\
        --model runs/missing --out runs/missing_variants
    python tests/benchmarks/missing_cells.py --data runs/letters --model runs/missing \\
        --generated runs/missing_variants

It prints JSON: the accuracy of every arm, one number a seed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from latentloom.model_zoo.bundle import read_description
from latentloom.model_zoo.scaling import PIXELS
from latentloom.model_zoo.training.classifier import fit_classifier
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.held_out_cells import read_hold_out

BATCH_SIZE = 64
CLASSIFIER_RANGE = (-1.0, 1.0)


def jitter(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exchanges the channels of every image at random and inverts every other one."""
    order = rng.permuted(np.tile(np.arange(images.shape[-1]), (len(images), 1)), axis=1)
    mixed = np.take_along_axis(images, order[:, None, None], axis=-1)
    inverted = rng.random(len(images)) < 0.5
    return np.where(inverted[:, None, None, None], 255 - mixed, mixed).astype(np.uint8)


def accuracy(train: Examples, test: Examples, classes: int, steps: int, seed: int) -> float:
    """Share of the test images whose class a classifier trained for so many steps reads."""
    epochs = max(1, round(steps * BATCH_SIZE / len(train)))
    schedule = Schedule(epochs=epochs, batch_size=BATCH_SIZE, learning_rate=1e-3, seed=seed)
    network = fit_classifier((train.observations, train.labels), classes, schedule)
    pixels = PIXELS.to_model(test.observations.astype(np.float32), CLASSIFIER_RANGE)
    scores = np.asarray(network(pixels))
    return float(np.mean(scores.argmax(axis=-1) == test.labels))


def draw(examples: Examples, number: int, rng: np.random.Generator) -> Examples:
    """Draws some examples without replacement, all where there are fewer."""
    return examples.take(rng.permutation(len(examples))[:number])


def arms(
    seen: Examples, spare: Examples, generated: Examples, size: int, copies: int, seed: int
) -> dict[str, Examples]:
    """The training examples of every arm with so many real ones."""
    rng = np.random.default_rng(seed)
    real = draw(seen, size, rng)
    jittered = Examples(
        jitter(np.repeat(real.observations, copies, axis=0), rng),
        {"label": np.repeat(real.labels, copies)},
        [f"{row}" for row in range(copies * len(real))],
    )
    labelled = [Examples(e.observations, {"label": e.labels}, e.ids) for e in (real, generated)]
    return {
        "real": real,
        "real and recombined": Examples.concatenate(
            [labelled[0], draw(labelled[1], copies * size, rng)]
        ),
        "real and colours exchanged": Examples.concatenate([labelled[0], jittered]),
        "as many of the whole grid": draw(Examples.concatenate([seen, spare]), size, rng),
    }


def read(options: argparse.Namespace) -> tuple[Examples, Examples, Examples, Examples, int]:
    """Real letters that training saw, two halves of those it did not, and the recombinations."""
    data = DatasetDir.open(options.data)
    factors = data.manifest.factors
    hold_out = read_hold_out(read_description(options.model)["details"], factors, "the letters")
    real = data.read("train")
    kept = hold_out.keeps(real.factors)
    missing = real.take(np.flatnonzero(~kept))
    order = np.random.default_rng(0).permutation(len(missing))
    half = len(order) // 2
    generated = DatasetDir.open(options.generated).read("train")
    classes = len(factors["label"])
    return (
        real.take(kept),
        missing.take(order[:half]),
        missing.take(order[half:]),
        generated,
        classes,
    )


def main() -> None:
    """Measures every arm and prints JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--generated", type=Path, required=True)
    parser.add_argument("--sizes", nargs="+", type=int, default=[200, 600])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=5, help="variants a real letter")
    parser.add_argument("--steps", type=int, default=500)
    options = parser.parse_args()
    seen, test, spare, generated, classes = read(options)
    result: dict = {"examples": {"seen": len(seen), "test": len(test), "generated": len(generated)}}
    for size in options.sizes:
        found: dict[str, list[float]] = {}
        for seed in range(options.seeds):
            chosen = arms(seen, spare, generated, size, options.copies, seed)
            for name, train in chosen.items():
                score = accuracy(train, test, classes, options.steps, seed)
                found.setdefault(name, []).append(round(score, 3))
        result[f"{size} real letters"] = found
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
