"""The sections of an audit's page that hold all figures, found wanting or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from latentloom.pipeline.auditing.audited import REPAIR_FILE, Audited
from latentloom.pipeline.auditing.schema import MOST_LISTED, DuplicateTotals
from latentloom.pipeline.report.schema import PageSection, Table


def figure_sections(
    audited: Audited, totals: Mapping[str, DuplicateTotals], maps: Sequence[str], repair: str
) -> list[PageSection]:
    """Returns the sections that follow the findings.

    Args:
        audited: What was measured.
        totals: All copies, by kind.
        maps: Names of the heat maps of cells.
        repair: Text of the repair.
    """
    sections = [
        PageSection(
            title="Dependence of the label",
            text=[
                "Every factor and every property of the images, in split train. Strength is "
                "Cramer's V of a given factor, and else the largest correlation of a group of "
                "classes with a group of values; accuracy is that of the label read from it alone."
            ],
            tables=[_ties(audited)],
        ),
        PageSection(title="Classes", charts=["classes"], tables=[_classes(audited)]),
    ]
    if maps:
        text = ["A cross marks a cell without a training example."]
        sections.append(PageSection(title="Cells", text=text, charts=list(maps)))
    if audited.properties:
        sections.append(PageSection(title="Properties of images", tables=[_properties(audited)]))
    sections.append(PageSection(title="Copies and labels", tables=[_copies(audited, totals)]))
    what = f"{REPAIR_FILE}, for `train` and `generate`:"
    sections.append(
        PageSection(title="Repair", text=[what], commands=[*audited.commands, "", repair])
    )
    return sections


def _ties(audited: Audited) -> Table:
    rows = [
        [
            tie.factor,
            tie.kind,
            "yes" if tie.found else "no",
            f"{tie.strength:.2f}",
            f"{tie.p_value:.2g}",
            f"{tie.accuracy:.2f}",
            f"{tie.chance:.2f}",
            f"{tie.mutual_information:.2f}",
        ]
        for tie in audited.ties
    ]
    columns = ["factor", "kind", "tie", "strength", "p", "accuracy", "chance", "nats"]
    return Table(title="Factors and properties", columns=columns, rows=rows)


def _classes(audited: Audited) -> Table:
    splits = list(audited.manifest.splits)
    rows = [
        [
            each.name,
            *(f"{each.counts[split]:,}" for split in splits),
            f"{each.effective_number:,.0f}",
            "; ".join(each.lacks),
        ]
        for each in sorted(audited.classes, key=lambda each: not each.lacks)[:MOST_LISTED]
    ]
    columns = ["class", *splits, "effective number", "too few"]
    ratios = ", ".join(f"{ratio:.3g} in {split}" for split, ratio in audited.imbalance.items())
    return Table(title=f"Largest over smallest: {ratios}", columns=columns, rows=rows)


def _properties(audited: Audited) -> Table:
    rows = [
        [
            each.name.replace("_", " "),
            each.meaning,
            ("yes" if each.differs else "no") if each.known else "not known",
            f"{each.between:.2f}" if each.known else "",
        ]
        for each in audited.properties
    ]
    columns = ["property", "what it is", "differs between classes", "share between classes"]
    return Table(title="In split train", columns=columns, rows=rows)


def _copies(audited: Audited, totals: Mapping[str, DuplicateTotals]) -> Table:
    rows = [
        [
            f"{kind} copies",
            f"{total.groups:,} groups, {total.surplus:,} more than one of each",
            ", ".join(f"{count:,} in {split}" for split, count in total.leaked.items() if count),
            f"{total.conflicting:,}",
        ]
        for kind, total in totals.items()
    ]
    columns = ["", "found", "with a copy in train", "groups with several labels"]
    rows.append(["doubtful labels", f"{len(audited.suspects.rows):,}", "", ""])
    return Table(title="In all splits", columns=columns, rows=rows)
