"""The page of a study: accuracies of all arms and their differences to rivals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import library_versions
from latentloom.pipeline.report.charts.study_chart import study_chart
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.page import write_report
from latentloom.pipeline.report.schema import Picture, Report, Table
from latentloom.pipeline.study.arms import MORE_REAL, REAL, REPEATED, UNTIED
from latentloom.pipeline.study.comparisons import Estimate, estimate, paired_difference
from latentloom.pipeline.study.pool_pictures import draw_pools
from latentloom.pipeline.study.run_study import Results
from latentloom.pipeline.study.scores import Scores, by_size, gap_closed, readings_of, rival_of

RIVALS = (REAL, REPEATED, "classical", "colours", UNTIED)
"""Arms that every other arm is compared with, if they were run."""
CAPTION = "Accuracy on the test split: mean and standard deviation over seeds, each a small dot."
NOTES = (
    "All arms train the same classifier for the same steps and are scored on the same test "
    "examples. Differences are paired by seed, that is by the same real examples.",
    "Intervals are Student's at 95 %, without correction for multiple comparisons: on average one "
    "in twenty misses the true value.",
)


def report_study(config: Config, dataset: DatasetDir, results: Results, out: Path) -> Report:
    """Writes `study.html` and `study.json`.

    Args:
        config: The configuration of the study.
        dataset: The data set.
        results: The results of the study.
        out: Directory of the study.

    Returns:
        The report.
    """
    found = by_size(results)
    pictures = {"accuracy": Picture(_chart(found), CAPTION), **draw_pools(config, dataset, out)}
    report = Report(
        title=f"Study on {dataset.manifest.name}",
        summary=[_sentence(size, scores) for size, scores in found.items()],
        numbers=[m for size, scores in found.items() for m in _measures(size, scores)]
        + _reading_measures(results),
        tables=[_table(found)],
        measured_on={
            "data_set": dataset.manifest.name,
            "data_digest": dataset.manifest.digest,
            "split": "test",
            "seeds": len(config.study.seeds),
        },
        config_yaml=config.to_yaml(),
        versions=library_versions(),
        notes=[*NOTES, *_generators(out)],
    )
    return write_report(out, report, pictures, "study")


def _generators(out: Path) -> list[str]:
    """A note with the paths of the reports of the generated examples, if there are any."""
    pages = sorted(out.glob("generators/*/*/report.html"))
    if not pages:
        return []
    return [
        f"{len(pages)} reports show the generated examples beside their anchors, what the gate "
        f"rejected and the nearest real examples, such as {pages[0].relative_to(out)}."
    ]


def _chart(found: Mapping[int, Scores]) -> bytes:
    rows = {
        name: [
            [value for score in scores if score.name == name for value in scores[score].values()]
            for scores in found.values()
        ]
        for name in _names(found)
    }
    return study_chart([size_title(size) for size in found], rows, "accuracy")


def _names(found: Mapping[int, Scores]) -> list[str]:
    """Every arm with its ratio, in the order of the runs."""
    return list({score.name: None for scores in found.values() for score in scores})


def size_title(size: int) -> str:
    """The number of real examples as text."""
    return f"{size:,} a class" if size else "all examples"


def _size_key(size: int) -> str:
    return str(size) if size else "all"


def _table(found: Mapping[int, Scores]) -> Table:
    """A table with one row per arm and one column per size."""
    rows = []
    for name in _names(found):
        cells = [
            _mean_and_spread(estimate(list(seeds.values())))
            for scores in found.values()
            for score, seeds in scores.items()
            if score.name == name
        ]
        rows.append([name, *cells])
    return Table(
        title="Accuracy on the test split",
        columns=["Arm", *(size_title(size) for size in found)],
        rows=rows,
    )


def _mean_and_spread(found: Estimate) -> str:
    spread = "" if found.spread is None else f" ± {found.spread:.3f}"
    return f"{found.mean:.3f}{spread}"


def _measures(size: int, scores: Scores) -> list[Measure]:
    measures = []
    for score, seeds in scores.items():
        found = estimate(list(seeds.values()))
        measures.append(
            Measure(
                name=f"{size_title(size)}: {score.name}",
                key=f"accuracy/{_size_key(size)}/{score.name}",
                value=found.mean,
                spread=found.spread,
                meaning="Accuracy on the test split, mean over seeds.",
            )
        )
        for rival in RIVALS:
            if other := rival_of(score, rival, scores):
                more = paired_difference(seeds, scores[other])
                measures.append(
                    Measure(
                        name=f"{size_title(size)}: {score.name} less {other.name}",
                        key=f"difference/{_size_key(size)}/{score.name}/{other.name}",
                        value=more.mean,
                        spread=more.spread,
                        meaning=f"Paired difference; {interval(more)}.",
                    )
                )
        if closed := gap_closed(score, scores):
            measures.append(
                Measure(
                    name=f"{size_title(size)}: gap closed by {score.name}",
                    key=f"gap_closed/{_size_key(size)}/{score.name}",
                    value=closed.mean,
                    spread=closed.spread,
                    chance=0.0,
                    meaning="Gain in accuracy over tied real examples, as a share of the gain of "
                    f"equally many untied ones; {interval(closed)}.",
                )
            )
    return measures


def _reading_measures(results: Results) -> list[Measure]:
    return [
        Measure(
            name=f"{size_title(size)}: {pool} read as intended",
            key=f"read/{_size_key(size)}/{pool}",
            value=found.mean,
            spread=found.spread,
            meaning="Share of generated examples off the ties of which an auditor, trained on the "
            "whole training split, classifies the label and every tied factor as planned; "
            f"{interval(found)}.",
        )
        for (size, pool), found in readings_of(results).items()
    ]


def interval(found: Estimate) -> str:
    """The confidence interval as text."""
    if found.half_width is None:
        return "one seed, no interval"
    low, high = found.mean - found.half_width, found.mean + found.half_width
    return f"95 % interval {low:+.3f} to {high:+.3f}, {found.seeds} seeds"


def _sentence(size: int, scores: Scores) -> str:
    means = {score: estimate(list(seeds.values())).mean for score, seeds in scores.items()}
    fair = {s: mean for s, mean in means.items() if s.arm.pool != MORE_REAL and not s.arm.untied}
    best = max(fair, key=lambda score: fair[score])
    text = f"With {size_title(size)}, {best.name} is best with {means[best]:.1%}"
    real = [mean for score, mean in means.items() if score.name == REAL]
    return f"{text}; real alone has {real[0]:.1%}." if real else f"{text}."
