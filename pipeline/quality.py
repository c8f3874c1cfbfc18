"""Measured quality of a bundle: how clean the split is, and what its variants are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import (
    Anchors,
    DonorBank,
    Latents,
    Verdicts,
    find_clashes,
    find_recipe,
    identity_keys,
    plan_variants,
    recombine,
)
from latentloom.model_zoo.metrics.calibration import calibration_error
from latentloom.model_zoo.metrics.diversity import relative_diversity
from latentloom.model_zoo.metrics.probes import PROBES, probe_accuracy
from latentloom.pipeline.codec import Codec
from latentloom.pipeline.examples import Examples
from latentloom.pipeline.measures import Measure
from latentloom.pipeline.sections import EvaluateConfig, GenerateConfig

PROBE_NAMES = {"linear": "Linear probe", "mlp": "MLP probe"}
LEAST_SKILL = 0.5
"""Below this share of the way from guessing to no mistake, a judge is called weak."""


def choose(examples: Examples, count: int, seed: int, use: str) -> Examples:
    """A sample of examples by the keyed hash of their ids, and in its order.

    The same rows in the same order however the examples are ordered, and so are all figures that
    are measured on them.
    """
    order = np.argsort(identity_keys(seed, use, examples.ids), kind="stable")
    return examples.take(order[:count])


def measure_split(
    codec: Codec, train: Examples, test: Examples, held_out: str, settings: EvaluateConfig
) -> list[Measure]:
    """Measures what the blocks of the code hold of the class, on examples not trained on.

    Args:
        codec: The codec of a bundle.
        train: Examples that probes are trained on.
        test: Examples that everything is scored on.
        held_out: Name of what `test` is, `"test"` or `"validation"`.
        settings: How many examples to use.

    Returns:
        The accuracies of the model's own reading of the class, of judge and auditor, and of linear
        and MLP probes on sampled and on mean codes of every block.
    """
    chance, many = 1.0 / len(codec.bundle.class_names), codec.kind.many
    train = choose(train, settings.probe_examples, 0, "probe")
    test = choose(test, len(test), 0, "probe")
    mean = {"train": codec.encode(train.images), "test": codec.encode(test.images)}
    sampled = {
        "train": codec.sample_posterior(train.images, 1),
        "test": codec.sample_posterior(test.images, 2),
    }
    read = np.mean(codec.classify(mean["test"]) == test.labels)
    measures = [
        Measure(
            name="Class read from the code by the model",
            value=float(read),
            chance=chance,
            meaning=f"Share of {held_out} {many} whose class the model's own mixture reads right.",
        )
    ]
    for name in ("judge", "auditor"):
        measures += _reading(codec, test, held_out, name)
    for kind, codes in (("sampled", sampled), ("mean", mean)):
        for block in codec.spec:
            measures += _probe(block.name, kind, codes, train, test, "label" in block.factors)
    return measures


def _reading(codec: Codec, test: Examples, held_out: str, judge: str) -> list[Measure]:
    """How well the judge or the auditor reads the class, and every other factor, of real images."""
    read, many = codec.judge_factors(test.images, judge), codec.kind.many
    return [
        Measure(
            name=f"Accuracy of the {judge}" + ("" if factor == "label" else f": {factor}"),
            value=float(np.mean(np.argmax(probabilities, axis=-1) == test.factors[factor])),
            chance=1.0 / probabilities.shape[1],
            meaning=f"Share of real {held_out} {many} that the {judge} classifies right.",
        )
        for factor, probabilities in read.items()
    ]


def find_weak_judges(numbers: Sequence[Measure]) -> list[str]:
    """One sentence for each factor that judge or auditor hardly read in real examples."""
    weak = []
    for number in numbers:
        if number.name.startswith("Accuracy of the ") and number.value is not None:
            chance = number.chance or 0.0
            if number.value < chance + LEAST_SKILL * (1 - chance):
                name, _, factor = number.name.removeprefix("Accuracy of the ").partition(": ")
                weak.append(
                    f"The {name} reads the {factor or 'class'} right in {number.value:.1%} of real "
                    f"examples, by chance {chance:.1%}: what rests on it means little. Raise "
                    "judge.epochs, lower judge.batch_size, or train on more examples."
                )
    return weak


def _probe(
    block: str,
    kind: str,
    codes: dict[str, Latents],
    train: Examples,
    test: Examples,
    carries_label: bool,
) -> list[Measure]:
    tells = "should tell the class" if carries_label else "should not tell the class"
    return [
        Measure(
            name=f"{PROBE_NAMES[probe]}: class from {kind} {block}",
            value=probe_accuracy(
                probe, codes["train"][block], train.labels, codes["test"][block], test.labels
            ),
            chance=float(np.bincount(test.labels).max() / len(test)),
            better="higher" if carries_label else "lower",
            meaning=f"Accuracy of a fresh {probe} classifier on {kind} codes; {block} {tells}.",
        )
        for probe in PROBES
    ]


@dataclass(frozen=True)
class Sample:
    """Some anchors with their variants before the gate, to look at and to measure.

    Attributes:
        anchors: The anchors, `a` of them.
        images: Their variants as they are stored, `(a, v, ...)`.
        verdicts: The gate's verdicts on them, rows in the order of anchors, then variants.
        audited: The class that the auditor reads, `(a * v,)`.
    """

    anchors: Examples
    images: np.ndarray
    verdicts: Verdicts
    audited: np.ndarray


def draw_sample(
    codec: Codec, examples: Examples, generate: GenerateConfig, evaluate: EvaluateConfig
) -> Sample:
    """Draws variants of some anchors as the pipeline would on its first attempt."""
    chosen = choose(examples, evaluate.anchors, generate.seed, "evaluate")
    latents = codec.encode(chosen.images)
    variants = np.full(len(chosen), evaluate.variants, np.int64)
    anchors = Anchors(chosen.ids, chosen.factors, variants)
    donors = None
    if find_recipe(generate.recipe).needs_donors:
        donors = donors_among(codec, examples, generate, codec.spec.carried(examples.factors))
    plan = plan_variants(
        generate.recipe,
        anchors,
        codec.spec,
        seed=generate.seed,
        donors=donors,
        options=generate.options,
        clashes=find_clashes(codec.bundle.factors, generate.differ),
    )
    codes = recombine(latents, donors.latents if donors else None, plan)
    images, probabilities = codec.render_factors(codes)
    gate = generate.gate.build(enabled=True)
    return Sample(
        anchors=chosen,
        images=images.reshape(len(chosen), evaluate.variants, *images.shape[1:]),
        verdicts=gate.judge_factors(probabilities, plan.factors),
        audited=np.argmax(codec.judge(images), axis=-1),
    )


def donors_among(
    codec: Codec, examples: Examples, generate: GenerateConfig, factors: Sequence[str]
) -> DonorBank:
    """The donor bank of some examples by some factors; only those in it are encoded."""
    bank = {"seed": generate.seed, "capacity": generate.donors_per_class}
    columns = {name: examples.factors[name] for name in factors}
    kept = set(DonorBank.build(examples.ids, columns, {}, **bank).ids.tolist())
    chosen = examples.take(np.array([example_id in kept for example_id in examples.ids], bool))
    columns = {name: chosen.factors[name] for name in factors}
    return DonorBank.build(chosen.ids, columns, codec.encode(chosen.images), **bank)


def measure_variants(sample: Sample, examples: Examples) -> list[Measure]:
    """Measures the class, the rejects and the diversity of a sample of variants.

    Args:
        sample: Variants before the gate, with the gate's verdicts.
        examples: Real examples to compare the diversity with.
    """
    variants = sample.images.shape[1]
    labels = np.repeat(sample.anchors.labels, variants)
    right, passed = sample.audited == labels, sample.verdicts.accepted
    chance = float(np.bincount(labels).max() / len(labels))
    return [
        Measure(
            name="Class kept, before the gate",
            value=float(np.mean(right)),
            chance=chance,
            meaning="Share of all variants in which the auditor reads the anchor's class.",
        ),
        Measure(
            name="Class kept, after the gate",
            value=float(np.mean(right[passed])) if passed.any() else None,
            chance=chance,
            meaning="The same among the variants that the gate accepts.",
        ),
        Measure(
            name="Rejected by the gate",
            value=float(1 - np.mean(passed)),
            better="lower",
            meaning="Share of candidates that the judge refuses on the first attempt.",
        ),
        Measure(
            name="Calibration error of the gate",
            value=calibration_error(sample.verdicts.confidence, right),
            chance=0.0,
            better="lower",
            meaning="Mean distance of the judge's probability of the anchor's class and the share "
            "of variants of such a probability in which the auditor reads it.",
        ),
        Measure(
            name="Diversity",
            value=relative_diversity(sample.images, examples.images, examples.labels),
            chance=0.0,
            meaning="Mean Euclidean distance among the variants of one anchor over that among real "
            "examples of one class; 0 for a model that ignores its style code.",
        ),
    ]
