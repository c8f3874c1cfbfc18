"""Bad news of a generation, and what to change: from its measured figures alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latentloom.augment import find_recipe
from latentloom.pipeline.report.outcome import FEW, Outcome
from latentloom.pipeline.report.rejections import CLASS, FACTOR, NUMBERS, REALISM

MOST_NAMED = 5
"""Most classes that a sentence names."""


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
    missing, candidates = set(outcome.missing), outcome.candidates
    shares = {n: outcome.written[n] / drawn for n, drawn in candidates.items() if n not in missing}
    fewest = sorted((name for name in shares if shares[name] < FEW), key=shares.__getitem__)
    classes = f" Fewest of {_named(outcome, fewest)}." if fewest else ""
    return [f"Few variants pass: {told}.{classes}"]


def _missing(outcome: Outcome) -> list[str]:
    if not outcome.missing:
        return []
    classes = f"{len(outcome.missing):,} of {len(outcome.candidates):,} classes"
    return [f"No variant passes of {classes}: {_named(outcome, outcome.missing)}."]


def _named(outcome: Outcome, names: Sequence[str]) -> str:
    """Some classes, with how many of their candidates were accepted."""
    candidates = outcome.candidates
    some = ", ".join(
        f"{name} ({outcome.written.get(name, 0):,} of {candidates[name]:,} candidates)"
        for name in names[:MOST_NAMED]
    )
    more = len(names) - MOST_NAMED
    return f"{some} and {more:,} more" if more > 0 else some


def _lost_its_class(outcome: Outcome) -> bool:
    """Whether most of what the judge rejects for its class has another one."""
    return outcome.reasons["wrong_class"] > outcome.reasons["low_confidence"]


def _fills_cells(outcome: Outcome) -> bool:
    return find_recipe(outcome.settings.recipe).fills_cells


def _lacks_detail(outcome: Outcome) -> bool:
    return outcome.has_detail and outcome.settings.detail < 1 and not _fills_cells(outcome)


def _learn(outcome: Outcome) -> str:
    share = outcome.unlearnt
    told = f" {share.name}: {share.value:.0%}, expected {share.threshold:.0%}." if share else ""
    return f"The model has not learnt.{told} Raise `train.steps` and train again."


def _teach_the_judge(outcome: Outcome) -> str:
    return (
        f"The judge rejects {outcome.rejected} for their class, but judge or auditor classifies "
        f"only {outcome.weak_judge:.0%} of real examples correctly: take more real examples, raise "
        f"`judge.steps`, or lower {_confidence(outcome)}."
    )


def _keep_the_class(outcome: Outcome) -> str:
    return (
        f"The judge rejects {outcome.rejected} for their class, most as of another one: raise "
        f"`train.steps` and train again, or {_stay_closer(outcome)}."
    )


def _ask_for_less(outcome: Outcome) -> str:
    return (
        f"The judge rejects {outcome.rejected} for their class, most for too low a confidence: "
        f"lower {_confidence(outcome)}."
    )


def _put_detail_back(outcome: Outcome) -> str:
    is_close = _interpolates(outcome) or _steps(outcome) < 1
    recipe = "" if is_close else " with `generate.recipe=interpolate_zu`"
    return (
        f"The gate for realism rejects {outcome.rejected}, and generate.detail is "
        f"{outcome.settings.detail:g}: set `generate.detail=1`{recipe}."
    )


def _leave_realism_off(outcome: Outcome) -> str:
    return (
        f"The gate for realism rejects {outcome.rejected}, and combinations that a class never had "
        "are far from its real examples: set `generate.gate.realism=false`, or lower "
        f"{_false_refusals(outcome)}."
    )


def _be_more_real(outcome: Outcome) -> str:
    return (
        f"The gate for realism rejects {outcome.rejected}: raise `train.steps` and train again, "
        f"{_stay_closer(outcome)}, or lower {_false_refusals(outcome)}."
    )


def _read_the_factor(outcome: Outcome) -> str:
    return (
        f"The judge rejects {outcome.rejected} for another factor than the class: raise "
        "`judge.steps`, or name the factor in `generate.gate.ignored`."
    )


def _interpolates(outcome: Outcome) -> bool:
    return outcome.settings.recipe == "interpolate_zu"


def _steps(outcome: Outcome) -> float:
    """How far codes move to a draw from their prior."""
    return float(outcome.settings.options.get("step", 1))


def _stay_closer(outcome: Outcome) -> str:
    """The setting that keeps variants closer to their anchors."""
    setting = "set `generate.recipe=interpolate_zu`"
    if _interpolates(outcome):
        setting = "lower `generate.options.high`"
    elif _steps(outcome) < 1:
        setting = f"lower `generate.options.step` ({_steps(outcome):g})"
    return f"{setting} to stay closer to the anchors"


def _confidence(outcome: Outcome) -> str:
    return f"`generate.gate.min_confidence` ({outcome.settings.gate.min_confidence:g})"


def _false_refusals(outcome: Outcome) -> str:
    return f"`generate.gate.false_refusals` ({outcome.settings.gate.false_refusals:g})"


ADVICE: tuple[tuple[Callable[[Outcome], bool], Callable[[Outcome], str]], ...] = (
    (lambda o: o.unlearnt is not None, _learn),
    (lambda o: o.main == CLASS and o.weak_judge is not None, _teach_the_judge),
    (lambda o: o.main == CLASS and o.weak_judge is None and _lost_its_class(o), _keep_the_class),
    (lambda o: o.main == CLASS and o.weak_judge is None and not _lost_its_class(o), _ask_for_less),
    (lambda o: o.main == REALISM and _lacks_detail(o), _put_detail_back),
    (lambda o: o.main == REALISM and _fills_cells(o), _leave_realism_off),
    (
        lambda o: o.main == REALISM and not _lacks_detail(o) and not _fills_cells(o),
        _be_more_real,
    ),
    (lambda o: o.main == FACTOR, _read_the_factor),
    (
        lambda o: o.main == NUMBERS,
        lambda o: f"{o.rejected} are not finite: lower `train.learning_rate` and train again.",
    ),
    (
        lambda o: o.dead > FEW * o.requested,
        lambda o: (
            f"{o.dead:,} variants have no readable anchor: run `latentloom verify` on the input."
        ),
    ),
)
"""What to change: pairs of a condition and the sentence that is said where it holds."""
