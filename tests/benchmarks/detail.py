"""What the anchor's own detail, put back, gives: recipes by shares of `generate.detail`.

Draws first attempts as `generate` does and prints a row of Markdown for each recipe and share:
class kept before the gates, over the accuracy of the auditor on real test images; shares accepted
by the gate for the class, by the gate for realism and by both; precision and recall of the accepted
variants in the auditor's features, against the test images; gradient energy over that of the test
images; diversity. Then the images a CPU-second of `generate`, gate off, four variants an example,
without and with detail in turn, medians; the first pair, which compiles, does not count.

    python tests/benchmarks/detail.py --data DIR --model BUNDLE [--shares 0 0.5 1] [--anchors 200]
        [--variants 5] [--repeats 3] [--set generate.gate.realism=true]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.model_zoo.metrics.detail import measure_detail
from latentloom.model_zoo.metrics.diversity import relative_diversity
from latentloom.model_zoo.metrics.fidelity import neighbourhood_figures
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.decoded.fidelity import ENOUGH
from latentloom.pipeline.evaluation.decoded.variants import VariantSample, draw_sample
from latentloom.pipeline.evaluation.evaluate import stored_config
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.generation.worker.codec_worker import limit_threads

RECIPES: tuple[tuple[str, dict[str, float]], ...] = (
    ("class_preserving", {}),
    ("class_preserving", {"step": 0.8}),
    ("class_preserving", {"step": 0.5}),
    ("sample_class", {}),
    ("swap_zu", {"same_class": 1}),
    ("interpolate_zu", {"low": 0.25, "high": 1.0}),
    ("interpolate_class", {}),
    ("reconstruct", {}),
)
HEADINGS = (
    *("recipe", "detail", "class kept", "gate: class", "gate: realism", "both"),
    *("precision", "recall", "gradient energy", "diversity"),
)


def row(
    codec: Codec, drawn: VariantSample, real: Examples, test: Examples, accuracy: float
) -> list[float]:
    """The figures of a sample of variants.

    Args:
        codec: The codec of the bundle.
        drawn: Variants before the gates.
        real: Training images, for the diversity.
        test: Test images, for everything else.
        accuracy: Accuracy of the auditor on the test images.
    """
    images, labels = drawn.flat, drawn.labels
    verdicts, nothing = drawn.verdicts, np.full(len(images), np.nan)
    shares = [
        np.mean(nothing if of is None else of) for of in (verdicts.of_class, verdicts.realistic)
    ]
    near = {"precision": np.nan, "recall": np.nan}
    anchors = drawn.anchor[verdicts.accepted]
    if len(np.unique(anchors)) >= ENOUGH:
        accepted = codec.features(images[verdicts.accepted])
        near = neighbourhood_figures(codec.features(test.observations), accepted, groups=anchors)
    return [
        float(np.mean(drawn.audited == labels) / accuracy),
        *map(float, shares),
        float(np.mean(verdicts.accepted)),
        near["precision"],
        near["recall"],
        gradient_energy(images) / gradient_energy(test.observations),
        relative_diversity(drawn.observations, np.asarray(real.observations), real.labels),
    ]


def gradient_energy(images: np.ndarray) -> float:
    """Mean over images of the mean squared difference of neighbouring pixels."""
    return float(np.mean(np.exp(measure_detail(images)["gradient"])))


def print_table(config: Config, data: DatasetDir, codec: Codec, args: argparse.Namespace) -> None:
    """Prints a row for each recipe and share."""
    real, test = data.read(config.generate.split), data.read(data.scored_split).loaded()
    accuracy = np.mean(codec.judge(test.observations).argmax(axis=1) == test.labels)
    print(f"auditor on {len(test)} real test images: {accuracy:.3f}")
    evaluate = EvaluateConfig(anchors=args.anchors, variants=args.variants)
    print("|", " | ".join(HEADINGS), "|\n|" + "---|" * len(HEADINGS))
    for recipe, options in RECIPES:
        name = " ".join([recipe, *(f"{key}={value:g}" for key, value in options.items())])
        for share in args.shares:
            changes = {"recipe": recipe, "options": options, "detail": share}
            drawn = draw_sample(codec, real, config.generate.changed(changes), evaluate)
            found = row(codec, drawn, real, test, float(accuracy))
            figures = ["-" if np.isnan(figure) else f"{figure:.2f}" for figure in found]
            print("|", " | ".join([name, f"{share:g}", *figures]), "|", flush=True)


def measure_speed(config: Config, args: argparse.Namespace) -> dict[float, list[float]]:
    """Images a CPU-second without and with detail, in turn."""
    changes = {
        **{"recipe": "class_preserving", "options": {"step": 0.8}},
        **{"variants_per_example": 4, "gate": {"enabled": False}},
    }
    rates: dict[float, list[float]] = {0.0: [], 1.0: []}
    for _ in range(args.repeats + 1):
        for share, found in rates.items():
            settings = config.generate.changed(changes | {"detail": share})
            with tempfile.TemporaryDirectory() as out:
                begun = time.process_time()
                made = generate(
                    config.model_copy(update={"generate": settings}), args.data, args.model, out
                )
                found.append(made.manifest.totals["written"] / (time.process_time() - begun))
    return {share: found[1:] for share, found in rates.items()}


def main() -> None:
    """Prints the table and the speeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.5, 1.0])
    parser.add_argument("--anchors", type=int, default=200)
    parser.add_argument("--variants", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    args = parser.parse_args()
    config = stored_config(read_description(args.model), args.overrides)
    limit_threads(1)
    print_table(config, DatasetDir.open(args.data), Codec(load_bundle(args.model)), args)
    if args.repeats:
        for share, rates in measure_speed(config, args).items():
            print(f"detail {share:g}: {statistics.median(rates):.0f} images a CPU-second {rates}")


if __name__ == "__main__":
    main()
