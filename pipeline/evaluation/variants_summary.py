"""The first sentences of the report of a generated data set, and the figures behind bad news."""

from __future__ import annotations

from collections.abc import Sequence

from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.evaluation.decoded.explained import LEAST_EXPLAINED
from latentloom.pipeline.evaluation.latents.class_probes import weak_readings
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.report.measure import Measure, by_key
from latentloom.pipeline.report.outcome import Outcome


def outcome_of(config: Config, generated: Manifest, numbers: Sequence[Measure]) -> Outcome:
    """The figures of a generation, from which bad news follow."""
    found = by_key(numbers)
    unlearnt = [found[key] for key in LEAST_EXPLAINED if key in found and not found[key].is_met]
    rejected = found["variants/rejected"].value
    return Outcome(
        settings=config.generate,
        requested=generated.totals["requested"],
        written=generated.label_counts(config.generate.split),
        rejections=GeneratedDetails.read(generated.details).rejections,
        dead=generated.totals["dead"],
        passed=None if rejected is None else 1 - rejected,
        weak_judge=min((n.value or 0.0 for n in weak_readings(numbers)), default=None),
        unlearnt=next(iter(unlearnt), None),
        has_detail=KINDS[generated.observation].has_detail,
    )


def summarise(generated: Manifest, numbers: Sequence[Measure]) -> list[str]:
    """The first sentences of the page."""
    totals, found = generated.totals, by_key(numbers)
    opening = (
        f"{totals['written']:,} of {totals['requested']:,} variants were written; "
        f"{totals['rejected']:,} were given up and {totals['dead']:,} had no readable anchor."
    )
    before, after = (found[f"variants/kept/label/{when}"] for when in ("before", "after"))
    kept = f"An independent auditor classifies {before.percent} of all candidates"
    if after.value is not None:
        kept += f", and {after.percent} of those that pass the gate,"
    kept += f" as the anchor's class: {before.n or 0:,} first attempts of {before.anchors or 0:,} "
    return [*_passed(numbers), opening, kept + "anchors were measured."]


def _passed(numbers: Sequence[Measure]) -> list[str]:
    """What passes both gates, if there is one for realism."""
    found = by_key(numbers)
    if "variants/passed/both" not in found:
        return []
    both, of_class, realistic = (
        found[f"variants/passed/{gate}"].percent for gate in ("both", "class", "realism")
    )
    return [
        f"{both} of the first attempts pass both gates: {of_class} have the class, and {realistic} "
        "are as realistic as real examples."
    ]
