"""Measures probes of the class and the accuracy of model, judge and auditor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.augment import Latents
from latentloom.model_zoo.metrics.probes import PROBES, probe_accuracy
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import Measure, by_key
from latentloom.pipeline.terminal.progress import Advance

JUDGES = ("judge", "auditor")
PROBE_NAMES = {"linear": "Linear probe", "mlp": "MLP probe"}
LEAST_SKILL = 0.5
"""Least skill of a judge, 0 for guessing and 1 for no mistake; a judge below it is weak."""


def evaluate_probes(context: EvaluationContext) -> SectionResult:
    """Measures probes of the class and the accuracy of model, judge and auditor."""
    encoded, settings = context.encoded, context.config.evaluate
    return SectionResult(
        measure_split(context.codec, context.train, encoded.examples, encoded.name, settings)
    )


def measure_split(
    codec: Codec,
    train: Examples,
    test: Examples,
    split: str,
    settings: EvaluateConfig,
    advance: Advance = lambda done, total: None,
) -> list[Measure]:
    """Measures how well the blocks of the code predict the class, on held-out examples.

    Args:
        codec: The codec of a bundle.
        train: Examples to train probes on.
        test: Examples to score on.
        split: Name of the scored examples, `"test"` or `"validation"`.
        settings: How many examples to use.
        advance: Called with the number of readings done and of all.

    Returns:
        The accuracies of the model's own class, of judge and auditor, and of linear and MLP probes
        on sampled and on mean codes of every block.
    """
    chance, many = 1.0 / len(codec.bundle.class_names), codec.kind.many
    train = choose(train, settings.probe_examples, 0, "probe")
    test = choose(test, len(test), 0, "probe")
    mean = {"train": codec.encode(train.observations), "test": codec.encode(test.observations)}
    sampled = {
        "train": codec.sample_posterior(train.observations, 1),
        "test": codec.sample_posterior(test.observations, 2),
    }
    read = np.mean(codec.classify(mean["test"]) == test.labels)
    measures = [
        Measure(
            name="Class read from the code by the model",
            key="model/accuracy/label",
            value=float(read),
            chance=chance,
            meaning=f"Share of {split} {many} that the model itself classifies correctly.",
        )
    ]
    probes = [(kind, block) for kind in ("sampled", "mean") for block in codec.spec]
    total = 1 + len(JUDGES) + len(probes)
    for done, name in enumerate(JUDGES, 1):
        advance(done, total)
        measures += _reading(codec, test, split, name)
    for done, (kind, block) in enumerate(probes, 1 + len(JUDGES)):
        advance(done, total)
        codes = sampled if kind == "sampled" else mean
        measures += _probe(block.name, kind, codes, train, test, "label" in block.factors)
    advance(total, total)
    return measures


def _reading(codec: Codec, test: Examples, split: str, judge: str) -> list[Measure]:
    """Accuracy of the judge or the auditor on real observations, for each of its factors."""
    read, many = codec.judge_factors(test.observations, judge), codec.kind.many
    return [
        Measure(
            name=f"Accuracy of the {judge}" + ("" if factor == "label" else f": {factor}"),
            key=f"{judge}/accuracy/{factor}",
            value=float(np.mean(np.argmax(probabilities, axis=-1) == test.factors[factor])),
            chance=1.0 / probabilities.shape[1],
            meaning=f"Share of real {split} {many} that the {judge} classifies correctly.",
        )
        for factor, probabilities in read.items()
    ]


def find_weak_judges(numbers: Sequence[Measure]) -> list[str]:
    """One sentence for each factor for which judge or auditor is weak on real examples."""
    weak = []
    for number in weak_readings(numbers):
        judge, _, factor = number.key.partition("/accuracy/")
        weak.append(
            f"The {judge} classifies the {'class' if factor == 'label' else factor} correctly "
            f"in {number.value:.1%} of real examples, by chance {number.chance or 0.0:.1%}: "
            f"figures that depend on the {judge} mean little. Raise judge.epochs, or judge.steps "
            "where set, lower judge.batch_size, or train on more examples."
        )
    return weak


def weak_readings(numbers: Sequence[Measure]) -> list[Measure]:
    """The accuracies of judge and auditor on real examples that are weak, by factor."""
    return [
        number
        for key, number in by_key(numbers).items()
        if key.partition("/accuracy/")[0] in JUDGES and number.value is not None
        if number.value < (number.chance or 0.0) + LEAST_SKILL * (1 - (number.chance or 0.0))
    ]


def _probe(
    block: str,
    kind: str,
    codes: dict[str, Latents],
    train: Examples,
    test: Examples,
    carries_label: bool,
) -> list[Measure]:
    tells = "should predict the class" if carries_label else "should not predict the class"
    return [
        Measure(
            name=f"{PROBE_NAMES[probe]}: class from {kind} {block}",
            key=f"probe/{probe}/{kind}/{block}",
            value=probe_accuracy(
                probe, codes["train"][block], train.labels, codes["test"][block], test.labels
            ),
            chance=float(np.bincount(test.labels).max() / len(test)),
            better="higher" if carries_label else "lower",
            meaning=f"Accuracy of a fresh {probe} classifier on {kind} codes; {block} {tells}.",
        )
        for probe in PROBES
    ]
