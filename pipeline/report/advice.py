"""Bad news of a generation, and what to change: from its measured figures alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from latentloom.augment import find_recipe
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.rejections import CLASS, FACTOR, NUMBERS, REALISM, by_gate

FEW = 1 / 3
"""Share of the variants below which there are few."""
MOST_NAMED = 5
"""Most classes that a sentence names."""


@dataclass(frozen=True)
class Outcome:
    """The figures of a generation, from which bad news and advice follow.

    Attributes:
        settings: Section `generate` of the configuration.
        requested: Variants asked for.
        written: Variants written, by class.
        rejections: Candidates that the gate rejected in all attempts, by class and reason.
        dead: Variants without a readable anchor.
        passed: Share of the first attempts that the gate accepts; None if not measured.
        weak_judge: Accuracy on real examples of a judge or an auditor that is weak; None if none is
            weak or nothing is known.
        unlearnt: Share of the variance that reconstructions explain, if it is below its threshold;
            else None.
        has_detail: Whether the observations have a detail to put back.
    """

    settings: GenerateConfig
    requested: int
    written: Mapping[str, int]
    rejections: Mapping[str, Mapping[str, int]]
    dead: int = 0
    passed: float | None = None
    weak_judge: float | None = None
    unlearnt: Measure | None = None
    has_detail: bool = True

    @property
    def accepted(self) -> int:
        """Variants written, of all classes."""
        return sum(self.written.values())

    @property
    def candidates(self) -> dict[str, int]:
        """Candidates drawn in all attempts, by class; classes without any are left out."""
        drawn = {
            name: self.written.get(name, 0) + sum(self.rejections.get(name, {}).values())
            for name in {**self.written, **self.rejections}
        }
        return {name: number for name, number in drawn.items() if number}

    @property
    def missing(self) -> list[str]:
        """Classes that variants were drawn of and none was accepted."""
        return [name for name in self.candidates if not self.written.get(name)]

    @property
    def has_few(self) -> bool:
        """Whether few of the variants asked for were written, or few first attempts pass."""
        if self.accepted < FEW * self.requested:
            return True
        return self.settings.gate.enabled and self.passed is not None and self.passed < FEW

    @property
    def reasons(self) -> Counter[str]:
        """Rejections by reason: of the missing classes if there are enough variants else."""
        found: Counter[str] = Counter()
        for name in self.rejections if self.has_few else self.missing:
            found.update(self.rejections.get(name, {}))
        return found

    @property
    def main(self) -> str:
        """What most rejections are for, such as `CLASS`; empty without rejections."""
        return next((gate for gate, _ in by_gate(self.reasons).most_common(1)), "")


def bad_news(outcome: Outcome) -> list[str]:
    """Sentences that say what went wrong, by name, and then what to change; none if nothing did."""
    news = [*_few(outcome), *_missing(outcome)]
    return [*news, *advise(outcome)] if news else []


def advise(outcome: Outcome) -> list[str]:
    """What to change: one sentence for each condition of `ADVICE` that holds."""
    return [sentence(outcome) for holds, sentence in ADVICE if holds(outcome)]


def _few(outcome: Outcome) -> list[str]:
    if not outcome.has_few:
        return []
    share = outcome.accepted / max(outcome.requested, 1)
    told = f"{outcome.accepted:,} of {outcome.requested:,} asked for were written ({share:.1%})"
    if outcome.passed is not None and outcome.settings.gate.enabled:
        gates = "both gates" if outcome.settings.gate.realism else "the gate"
        told += f", and {outcome.passed:.1%} of the first attempts pass {gates}"
    fewest = sorted(set(outcome.candidates) - set(outcome.missing), key=_share_in(outcome))
    fewest = [name for name in fewest if _share_in(outcome)(name) < FEW]
    classes = f" Fewest of {_named(outcome, fewest)}." if fewest else ""
    return [f"Few variants pass: {told}.{classes}"]


def _missing(outcome: Outcome) -> list[str]:
    if not outcome.missing:
        return []
    classes = f"{len(outcome.missing):,} of {len(outcome.candidates):,} classes"
    return [f"No variant passes of {classes}: {_named(outcome, outcome.missing)}."]


def _share_in(outcome: Outcome) -> Callable[[str], float]:
    candidates = outcome.candidates
    return lambda name: outcome.written.get(name, 0) / candidates[name]


def _named(outcome: Outcome, names: Sequence[str]) -> str:
    """Some classes, with how many of their candidates were accepted."""
    candidates = outcome.candidates
    some = ", ".join(
        f"{name} ({outcome.written.get(name, 0):,} of {candidates[name]:,} candidates)"
        for name in names[:MOST_NAMED]
    )
    more = len(names) - MOST_NAMED
    return f"{some} and {more:,} more" if more > 0 else some


def _is_unsure(outcome: Outcome) -> bool:
    """Whether candidates have their class and the judge is not sure enough of it."""
    return outcome.reasons["low_confidence"] >= outcome.reasons["wrong_class"]


def _can_get_detail(outcome: Outcome) -> bool:
    return outcome.has_detail and outcome.settings.detail < 1 and not _fills_cells(outcome)


def _fills_cells(outcome: Outcome) -> bool:
    return find_recipe(outcome.settings.recipe).fills_cells


def _stay_closer(outcome: Outcome) -> str:
    """The setting that keeps variants closer to their anchors."""
    if outcome.settings.recipe == "interpolate_zu":
        return "lower `generate.options.high`"
    return "set `generate.recipe=interpolate_zu`"


def _learn(unlearnt: Measure | None) -> str:
    if unlearnt is None or unlearnt.value is None or unlearnt.threshold is None:
        return ""
    return (
        f"The model has not learnt. {unlearnt.name}: {unlearnt.value:.0%}, expected "
        f"{unlearnt.threshold:.0%} or more. Raise `train.steps` and train again."
    )


def _get_detail(outcome: Outcome) -> str:
    recipe = outcome.settings.recipe
    with_recipe = "" if recipe == "interpolate_zu" else " with `generate.recipe=interpolate_zu`"
    return (
        f"Most rejections are for realism, and generate.detail is {outcome.settings.detail:g}: set "
        f"`generate.detail=1`{with_recipe}."
    )


ADVICE: tuple[tuple[Callable[[Outcome], bool], Callable[[Outcome], str]], ...] = (
    (lambda o: o.unlearnt is not None, lambda o: _learn(o.unlearnt)),
    (
        lambda o: o.main == CLASS and o.weak_judge is not None,
        lambda o: (
            "Most rejections are for the class, and judge or auditor classifies only "
            f"{o.weak_judge:.0%} of real examples correctly: take more real examples, raise "
            "`judge.steps`, or lower `generate.gate.min_confidence` "
            f"({o.settings.gate.min_confidence:g})."
        ),
    ),
    (
        lambda o: o.main == CLASS and o.weak_judge is None and _is_unsure(o),
        lambda o: (
            "Most rejections are for a low confidence of the judge: lower "
            f"`generate.gate.min_confidence` ({o.settings.gate.min_confidence:g})."
        ),
    ),
    (
        lambda o: o.main == CLASS and o.weak_judge is None and not _is_unsure(o),
        lambda o: (
            "Most rejected variants have lost their class: raise `train.steps` and train "
            f"again, or stay closer to the anchors: {_stay_closer(o)}."
        ),
    ),
    (lambda o: o.main == REALISM and _can_get_detail(o), _get_detail),
    (
        lambda o: o.main == REALISM and _fills_cells(o),
        lambda o: (
            "Most rejections are for realism, and combinations that a class never had are "
            "far from its real examples: set `generate.gate.realism=false`, or lower "
            f"`generate.gate.false_refusals` ({o.settings.gate.false_refusals:g})."
        ),
    ),
    (
        lambda o: o.main == REALISM and not _can_get_detail(o) and not _fills_cells(o),
        lambda o: (
            "Most rejections are for realism: raise `train.steps` and train again, "
            f"{_stay_closer(o)}, or lower `generate.gate.false_refusals` "
            f"({o.settings.gate.false_refusals:g})."
        ),
    ),
    (
        lambda o: o.main == FACTOR,
        lambda o: (
            "Most rejections are for another factor than the class: raise `judge.steps`, or "
            "name the factor in `generate.gate.ignored`."
        ),
    ),
    (
        lambda o: o.main == NUMBERS,
        lambda o: "Most candidates are not finite: lower `train.learning_rate` and train again.",
    ),
    (
        lambda o: o.dead > FEW * o.requested,
        lambda o: (
            f"{o.dead:,} variants have no readable anchor: run `latentloom verify` on the input."
        ),
    ),
)
"""What to change: pairs of a condition and the sentence that is said where it holds."""
