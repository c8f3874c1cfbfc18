"""Measures probes of the class and the accuracy of model, judge and auditor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment import Latents
from latentloom.model_zoo.metrics.probes import PROBES, probe_hits
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.latents.judge_accuracy import (
    ENOUGH,
    JUDGES,
    POOLED,
    measure_judges,
)
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import FEWEST, Measure, by_key
from latentloom.pipeline.terminal.progress import Advance

MODEL = "model/accuracy/label"
PROBE_NAMES = {"linear": "Linear probe", "mlp": "MLP probe"}
LEAST_SKILL = 0.5
"""Least skill of a judge, 0 for guessing and 1 for no mistake; a judge below it is weak."""


def evaluate_probes(context: EvaluationContext) -> SectionResult:
    """Measures probes of the class and the accuracy of model, judge and auditor."""
    encoded, settings = context.encoded, context.config.evaluate
    scored = (encoded.examples, encoded.name)
    return SectionResult(
        measure_split(context.codec, context.train, *scored, settings, halves=context.folds.halves)
    )


def measure_split(
    codec: Codec,
    train: Examples,
    test: Examples,
    split: str,
    settings: EvaluateConfig,
    advance: Advance = lambda done, total: None,
    *,
    halves: Mapping[str, Examples] | None = None,
) -> list[Measure]:
    """Measures how well the blocks of the code predict the class, on held-out examples.

    Args:
        codec: The codec of a bundle.
        train: Examples to train probes on.
        test: Examples to score on.
        split: Name of the scored examples, `"test"` or `"validation"`.
        settings: How many examples to use.
        advance: Called with the number of readings done and of all.
        halves: Examples that each judge was not trained on, see `measure_judges`; both judges are
            measured on `test` by default.

    Returns:
        The accuracies of the model's own class, of judge and auditor, and of linear and MLP probes
        on sampled and on mean codes of every block.
    """
    many = codec.kind.many
    train = choose(train, settings.probe_examples, 0, "probe")
    test = choose(test, len(test), 0, "probe")
    mean = {"train": codec.encode(train.observations), "test": codec.encode(test.observations)}
    sampled = {
        "train": codec.sample_posterior(train.observations, 1),
        "test": codec.sample_posterior(test.observations, 2),
    }
    measures = [
        Measure.of_share(
            codec.classify(mean["test"]) == test.labels,
            test.labels,
            fewest=FEWEST,
            name="Class read from the code by the model",
            key=MODEL,
            chance=1.0 / len(codec.bundle.class_names),
            meaning=f"Share of {split} {many} that the model itself classifies correctly.",
        )
    ]
    probes = [(kind, block) for kind in ("sampled", "mean") for block in codec.spec]
    total = 1 + len(JUDGES) + len(probes)
    advance(1, total)
    measures += measure_judges(codec, test, split, halves or {}, settings.probe_examples)
    for done, (kind, block) in enumerate(probes, 1 + len(JUDGES)):
        advance(done, total)
        codes = sampled if kind == "sampled" else mean
        measures += _probe(block.name, kind, codes, train, test, "label" in block.factors)
    advance(total, total)
    return measures


def find_doubts(numbers: Sequence[Measure]) -> list[str]:
    """Sentences on figures that mean little: of too few examples, or by weak judges."""
    return [*find_few_examples(numbers), *find_weak_judges(numbers)]


def find_few_examples(numbers: Sequence[Measure]) -> list[str]:
    """One sentence if the figures of the model are of too few held-out examples."""
    found = by_key(numbers).get(MODEL)
    if found is None or found.n is None or found.n >= ENOUGH:
        return []
    told = "not measured" if found.n < FEWEST else "rough: mind their intervals"
    return [
        f"Few examples were held out from the training of the model ({found.n:,}, classes: "
        f"{found.classes or 0:,}), so its accuracies on real examples are {told}. Import a test "
        f"split of {ENOUGH} examples or more, or without one raise data.validation_share."
    ]


def find_weak_judges(numbers: Sequence[Measure]) -> list[str]:
    """One sentence for each factor for which judge or auditor is weak on real examples."""
    weak = []
    for number in weak_readings(numbers):
        judge, _, factor = number.key.partition("/accuracy/")
        count = "" if number.n is None else f"{number.n:,} "
        who = "judge or auditor" if judge == POOLED else judge
        weak.append(
            f"The {who} classifies the {'class' if factor == 'label' else factor} correctly "
            f"in {number.value:.1%} of {count}real examples, by chance {number.chance or 0.0:.1%}: "
            f"figures that depend on the {who} mean little. Raise judge.epochs, or judge.steps "
            "where set, lower judge.batch_size, or train on more examples."
        )
    return weak


def weak_readings(numbers: Sequence[Measure]) -> list[Measure]:
    """The weak accuracies of judge and auditor on real examples, by factor.

    The pooled accuracy counts where neither of them was shown enough examples.
    """
    of_each = [number for number in numbers if _reader(number) in JUDGES]
    pooled = [number for number in numbers if _reader(number) == POOLED]
    known = of_each if any(number.value is not None for number in of_each) else pooled
    return [number for number in known if number.value is not None and _is_weak(number)]


def _reader(number: Measure) -> str:
    """Who reached an accuracy; the key itself of any other figure."""
    return number.key.partition("/accuracy/")[0]


def _is_weak(number: Measure) -> bool:
    chance = number.chance or 0.0
    return (number.value or 0.0) < chance + LEAST_SKILL * (1 - chance)


def _probe(
    block: str,
    kind: str,
    codes: dict[str, Latents],
    train: Examples,
    test: Examples,
    carries_label: bool,
) -> list[Measure]:
    tells = "should predict the class" if carries_label else "should not predict the class"
    seen = (codes["train"][block], train.labels, codes["test"][block], test.labels)
    return [
        Measure.of_share(
            probe_hits(probe, *seen),
            test.labels,
            fewest=FEWEST,
            name=f"{PROBE_NAMES[probe]}: class from {kind} {block}",
            key=f"probe/{probe}/{kind}/{block}",
            chance=float(np.bincount(test.labels).max() / len(test)) if len(test) else None,
            better="higher" if carries_label else "lower",
            meaning=f"Accuracy of a fresh {probe} classifier on {kind} codes; {block} {tells}.",
        )
        for probe in PROBES
    ]
