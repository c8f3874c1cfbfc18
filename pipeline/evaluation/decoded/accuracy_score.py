"""Measures what accepted variants teach a classifier: neither judge nor auditor has a say.

Reference:
    Ravuri & Vinyals, Classification Accuracy Score for Conditional Generative Models, NeurIPS 2019,
    https://arxiv.org/abs/1905.10887. Deviates: a small classifier, few steps, and beside it one
    trained on as many real examples.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from latentloom.model_zoo.training.classifier import fit_classifier, logits_of
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import (
    choose,
    classes_in_turn,
    most_in_memory,
    rank_in_class,
    sample,
)
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.measure import FEWEST, Measure
from latentloom.pipeline.report.schema import Table
from latentloom.pipeline.terminal.progress import Advance

KEY = "variants/accuracy_score"
USE = "accuracy score"
BATCH_SIZE = 32
HIGH = 1.1
"""Ratio above which the classifier of real examples has not learnt enough to compare with."""
MOST_NAMED = 5
MOST_ROWS = 20
"""Most classes in the table: those that lose most."""


def measure_accuracy_score(
    codec: Codec,
    variants: Examples,
    real: Examples,
    test: Examples,
    settings: EvaluateConfig,
    seed: int,
    advance: Advance = lambda *_: None,
) -> SectionResult:
    """Trains a classifier on variants alone and one on real examples; scores both on real ones.

    Both see the same number of examples of each class, in as many steps.

    Args:
        codec: The codec of the bundle, which names the classes and the kind.
        variants: Accepted variants, as written.
        real: Real examples of the split that they were made from.
        test: Real examples that neither sees.
        settings: Numbers of steps, 0 for off, and of examples.
        seed: Integer, seed of the draws and of both trainings.
        advance: Called with the steps done and all steps.

    Returns:
        Three figures, a table by class and a sentence; only the sentence where a class that is
        scored has no variant or no real example, or too few can be scored.
    """
    if not settings.accuracy_steps:
        return SectionResult()
    names = codec.bundle.class_names
    if missing := _missing(variants.labels, real.labels, test.labels, names):
        return SectionResult(
            summary=[f"What the variants teach a classifier was not measured: {missing}."]
        )
    most = min(settings.accuracy_examples, most_in_memory(real.observations))
    numbers = shared_numbers(variants.labels, real.labels, len(names), most)
    test = sample(test, settings.accuracy_examples, seed, USE)
    schedule = Schedule(1, batch_size=BATCH_SIZE, seed=seed, steps=settings.accuracy_steps)
    right = [
        _teach(codec, draw(examples, numbers, seed), test, schedule, _Steps(advance, done))
        for done, examples in enumerate((variants, real))
    ]
    table = _by_class(right, test.labels, names, codec.kind.many)
    scored = _scored(right, int(numbers.sum()), test, codec.kind.many, settings.accuracy_steps)
    return scored + SectionResult(tables=[table])


def shared_numbers(
    variants: np.ndarray, real: np.ndarray, num_classes: int, most: int
) -> np.ndarray:
    """Numbers of examples of each class that both have, together at most `most`.

    Args:
        variants: Classes of the variants, integers.
        real: Classes of the real examples.
        num_classes: Number of classes.
        most: Largest sum; large classes are cut first.

    Returns:
        int64 of shape `(num_classes,)`.
    """
    counts = [np.bincount(labels, minlength=num_classes) for labels in (variants, real)]
    labels = np.repeat(np.arange(num_classes), np.minimum(*counts))
    return np.bincount(labels[classes_in_turn(labels, most)], minlength=num_classes)


def draw(examples: Examples, numbers: np.ndarray, seed: int) -> Examples:
    """Samples a number of examples of each class, by their ids, into memory."""
    mixed = choose(examples, len(examples), seed, USE)
    ranks = rank_in_class(np.arange(len(mixed)), mixed.labels)
    return mixed.take(ranks < numbers[mixed.labels]).loaded()


class _Steps(keras.callbacks.Callback):
    """Shows the steps of one of the two trainings, after those of `before` others."""

    def __init__(self, advance: Advance, before: int):
        super().__init__()
        self.advance, self.before, self._epoch = advance, before, 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Shows the step."""
        steps, epochs = ((self.params or {})[name] for name in ("steps", "epochs"))
        done = (self.before * epochs + self._epoch) * steps + batch + 1
        self.advance(done, 2 * epochs * steps)


def _teach(
    codec: Codec, taught: Examples, test: Examples, schedule: Schedule, steps: _Steps
) -> np.ndarray:
    """Whether a classifier trained on some examples classifies each test example correctly."""
    scaling = codec.bundle.scaling
    classifier = fit_classifier(
        (taught.observations, taught.labels),
        len(codec.bundle.class_names),
        schedule,
        callbacks=[steps],
        scaling=scaling,
    )
    return logits_of(classifier, test.observations, scaling).argmax(axis=1) == test.labels


def _missing(variants: np.ndarray, real: np.ndarray, test: np.ndarray, names: Sequence[str]) -> str:
    """What is missing for the figures; empty if nothing is."""
    if not len(test):
        return "there is no test split apart from the one that the variants were made from"
    scored = np.unique(test)
    if len(scored) < 2:
        return "the test split has one class"
    for what, labels in (("variant", variants), ("real example", real)):
        if len(lacking := np.setdiff1d(scored, labels)):
            some = ", ".join(names[int(label)] for label in lacking[:MOST_NAMED])
            more = len(lacking) - MOST_NAMED
            return f"no {what} of {some}" + (f" and {more:,} more" if more > 0 else "")
    if len(test) < FEWEST:
        return f"the test split has {len(test):,} examples, and at least {FEWEST} are needed"
    return ""


def _scored(
    right: Sequence[np.ndarray], taught: int, test: Examples, many: str, steps: int
) -> SectionResult:
    """The three figures and their sentences."""
    made, real = (float(np.mean(answers)) for answers in right)
    answers: dict[str, np.ndarray] = dict(zip(("made", "real"), right, strict=True))
    chance = float(np.bincount(test.labels).max() / len(test))
    on = f"{len(test):,} real test {many}"
    ratio = made / real if real else None
    told = "" if ratio is None else f", a ratio of {ratio:.2f}"
    sentence = (
        f"A classifier trained on {taught:,} accepted variants alone classifies {made:.1%} of {on} "
        f"correctly, one trained on as many real {many} {real:.1%}{told}."
    )
    shares = {
        "made": ("accepted variants alone", f"{taught:,} accepted variants, as written"),
        "real": (f"as many real {many}", f"{taught:,} real {many}, as many of each class"),
    }
    figures = [
        Measure.of_share(
            answers[key],
            test.labels,
            fewest=FEWEST,
            name=f"Accuracy of a classifier trained on {what}",
            key=f"{KEY}/{key}",
            chance=chance,
            meaning=f"Share of {on} that a fresh classifier, trained on {on_what}, classifies "
            "correctly. Neither judge nor auditor has a say.",
        )
        for key, (what, on_what) in shares.items()
    ]
    score = Measure(
        name="Accuracy score of accepted variants",
        key=f"{KEY}/ratio",
        value=ratio,
        n=len(test),
        meaning="The first of these two accuracies over the second: 1 if variants teach as much as "
        "as many real ones.",
    )
    sentences = [sentence, _too_few(many, steps)] if ratio and ratio > HIGH else [sentence]
    return SectionResult([*figures, score], summary=sentences)


def _too_few(many: str, steps: int) -> str:
    return (
        f"A ratio above 1 does not say that variants are better: real {many} differ more, and "
        f"{steps:,} steps do not teach them all. Raise `evaluate.accuracy_steps`."
    )


def _by_class(
    right: Sequence[np.ndarray], labels: np.ndarray, names: Sequence[str], many: str
) -> Table:
    """The accuracies of both classifiers by class, the largest losses first."""
    scored = np.unique(labels)
    of_class = [labels == label for label in scored]
    made, real = (np.array([answers[members].mean() for members in of_class]) for answers in right)
    worst = np.argsort(made - real, kind="stable")[:MOST_ROWS].tolist()
    some = f", {MOST_ROWS} of {len(scored):,} classes" if len(scored) > MOST_ROWS else ""
    return Table(
        title=f"What variants teach a classifier{some}",
        columns=["Class", f"Real test {many}", "Trained on variants", f"Trained on real {many}"],
        rows=[
            [
                names[int(scored[row])],
                f"{np.sum(of_class[row]):,}",
                f"{made[row]:.1%}",
                f"{real[row]:.1%}",
            ]
            for row in worst
        ],
    )
