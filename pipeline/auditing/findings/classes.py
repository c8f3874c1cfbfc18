"""Findings on classes and cells: what there is too little of."""

from __future__ import annotations

from latentloom.pipeline.auditing.audited import REPAIR_FILE, Audited
from latentloom.pipeline.auditing.findings.severity import (
    ONE_CLASS,
    SPARSE_CELLS,
    TOO_FEW,
    UNEQUAL_CLASSES,
)
from latentloom.pipeline.auditing.findings.wording import MOST_NAMED, counted, listed
from latentloom.pipeline.auditing.measures.cells import LEAST_EXPECTED
from latentloom.pipeline.auditing.schema import CellGrid, Finding
from latentloom.pipeline.auditing.survey import TRAIN

COUNTED = "Certain: counted."


def find_few(audited: Audited) -> list[Finding]:
    """Returns what is wrong with the number of classes and of their examples."""
    present = [each for each in audited.classes if each.counts[TRAIN]]
    if len(present) < 2:
        return [_one_class([each.name for each in present])]
    few = [each for each in audited.classes if each.lacks]
    found = [_too_few([(each.name, each.lacks) for each in few])] if few else []
    return found + ([_unequal(audited)] if audited.missing.is_unequal else [])


def _one_class(names: list[str]) -> Finding:
    return Finding(
        key="classes/one",
        title="There is one class",
        severity=ONE_CLASS,
        what=f"All training examples are of class '{names[0]}'.",
        sure=COUNTED,
        effect="There is nothing to tell apart; `train` refuses such data.",
        repair="Collect examples of another class, or import with another --label.",
    )


def _too_few(few: list[tuple[str, list[str]]]) -> Finding:
    named = listed([f"'{name}': {', '.join(lacks)}" for name, lacks in few], "; ")
    return Finding(
        key="classes/few",
        title=f"{counted(len(few), 'class', 'es')} with too few examples",
        severity=TOO_FEW,
        what=f"{named}.",
        sure=COUNTED,
        effect=(
            "`train` refuses a class of fewer than two training examples, and an accuracy measured "
            "on fewer than five is chance."
        ),
        repair="Collect more examples of these classes, or import without them.",
    )


def _unequal(audited: Audited) -> Finding:
    counts = {each.name: each.counts[TRAIN] for each in audited.classes if each.counts[TRAIN]}
    least, most = (choose(counts, key=counts.__getitem__) for choose in (min, max))
    numbers = {each.name: each.effective_number for each in audited.classes}
    quotas = not audited.missing.recombined or not audited.survey.is_of_images
    how = "a quota of variants brings every class up to the largest"
    return Finding(
        key="classes/unequal",
        title=f"The largest class is {audited.missing.ratio:.1f} times as large as the smallest",
        severity=UNEQUAL_CLASSES,
        what=(
            f"'{most}' has {counts[most]:,} training examples, '{least}' {counts[least]:,}; their "
            f"effective numbers are {numbers[most]:,.0f} and {numbers[least]:,.0f}."
        ),
        sure=COUNTED,
        effect="A classifier prefers large classes; the mean accuracy hides what it does to small.",
        repair=f"In {REPAIR_FILE}, {how if quotas else 'cells of every class are filled equally'}.",
        commands=audited.commands,
    )


def find_sparse(audited: Audited) -> list[Finding]:
    """Returns the empty and rare cells of pairs of factors, unless a tie explains them."""
    tied = {tie.factor for tie in audited.ties if tie.found}
    sparse = [grid for grid in audited.cells if surprising(grid) and not tied & {*grid.factors}]
    if not sparse:
        return []
    worst = max(sparse, key=surprising)
    filled = set(audited.missing.sparse) & {name for grid in sparse for name in grid.factors}
    can_fill = bool(filled) and audited.survey.is_of_images
    cells = [*worst.empty, *worst.rare][:MOST_NAMED]
    named = "; ".join(
        " with ".join(f"'{value}'" for value in cell.values.values())
        + f" ({cell.count}, expected {cell.expected:.0f})"
        for cell in cells
    )
    fills = f"{REPAIR_FILE} fills the cells of the label with {', '.join(sorted(filled))}."
    return [
        Finding(
            key="cells/sparse",
            title=f"Combinations without examples: {' and '.join(worst.factors)}",
            severity=SPARSE_CELLS,
            what=(
                f"{len(sparse)} of {len(audited.cells)} pairs of factors have cells that are empty "
                f"or far rarer than if the factors were independent. In {' x '.join(worst.factors)}"
                f": {worst.num_empty:,} empty and {worst.num_rare:,} rare of {worst.cells:,}, such "
                f"as {named}."
            ),
            sure=COUNTED,
            effect="What a classifier does in these cells is unknown, and no test of it counts.",
            repair=fills if can_fill else "Collect examples of these combinations.",
            commands=audited.commands if can_fill else [],
        )
    ]


def surprising(grid: CellGrid) -> int:
    """Returns the number of rare cells, and of listed empty ones that are empty not by chance."""
    return grid.num_rare + sum(cell.expected >= LEAST_EXPECTED for cell in grid.empty)
