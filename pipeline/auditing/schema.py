"""What an audit finds, as data: the schema of `audit.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat

from latentloom.pipeline.report.schema import SectionedReport

MOST_LISTED = 200
"""Most entries of a list of cells, groups or examples; totals count all."""


class Record(BaseModel):
    """An entry of a list in `audit.json`: frozen; rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tie(Record):
    """How much the label depends on a factor or on a property of the images, in split `train`.

    Args:
        factor: Name of the factor or of the property.
        kind: `factor`: given with the data; `measured`: measured from pixels at import; `property`:
            measured here.
        found: Whether the label is tied to it: the dependence is significant and strong.
        strength: In `[0, 1]`. Of a given factor, `cramers_v`; else `largest_correlation`.
        p_value: Of the permutation null, corrected for the number of entries (Holm).
        accuracy: Balanced accuracy of the label read from this alone, out of fold.
        chance: Balanced accuracy of a guess.
        cramers_v: Bias-corrected Cramer's V.
        largest_correlation: Largest correlation of a group of classes with a group of values.
        mutual_information: In nats.
        complete: Whether no example is off the tie.
        is_label: Whether each value comes with one class and each class with one value.
        classes: Classes that this alone tells from all others, if only some are.
    """

    factor: str
    kind: Literal["factor", "measured", "property"]
    found: bool
    strength: FiniteFloat
    p_value: FiniteFloat
    accuracy: FiniteFloat
    chance: FiniteFloat
    cramers_v: FiniteFloat
    largest_correlation: FiniteFloat
    mutual_information: FiniteFloat
    complete: bool
    is_label: bool
    classes: list[str]


class AuditedClass(Record):
    """The examples of a class.

    Args:
        name: Name of the class.
        counts: Number of examples in each split.
        effective_number: Effective number of its training examples.
        lacks: What it has too few examples for, one sentence each.
    """

    name: str
    counts: dict[str, int]
    effective_number: FiniteFloat
    lacks: list[str]


class Cell(Record):
    """One combination of values: `expected` examples if the two factors were independent."""

    values: dict[str, str]
    count: int
    expected: FiniteFloat


class CellGrid(Record):
    """The cells of a pair of factors in split `train`.

    Args:
        factors: The two factors.
        cells: Number of cells, of values that occur.
        num_empty: Number of cells without an example.
        num_rare: Number of cells with some examples, but far fewer than expected.
        empty: The first `MOST_LISTED` empty cells, the most expected first.
        rare: The same of the rare ones.
    """

    factors: tuple[str, str]
    cells: int
    num_empty: int
    num_rare: int
    empty: list[Cell]
    rare: list[Cell]


class CopiedExample(Record):
    """An example that has a copy."""

    example_id: str
    split: str
    label: str


class DuplicateGroup(Record):
    """Examples that are copies of one another.

    Args:
        kind: `exact`: equal in every value; `near`: images that are alike but for encoding, noise
            or light.
        size: Number of examples.
        between_splits: Whether they lie in several splits.
        conflicting: Whether they have several labels.
        examples: The examples, or the first `MOST_LISTED`.
    """

    kind: Literal["exact", "near"]
    size: int
    between_splits: bool
    conflicting: bool
    examples: list[CopiedExample]


class DuplicateTotals(Record):
    """Copies of one kind, all of them: groups, and examples more than one of each group.

    Args:
        groups: Number of groups.
        surplus: Examples that would go if each group kept one.
        leaked: Test and validation examples with a copy in split `train`, by split.
        conflicting: Groups with several labels.
    """

    groups: int
    surplus: int
    leaked: dict[str, int]
    conflicting: int


class LabelSuspect(Record):
    """An example whose label is probably wrong.

    Args:
        example_id: Its id.
        split: Its split.
        label: Its label.
        suggested: The class that both classifiers prefer.
        probability: Mean probability that they give its label.
    """

    example_id: str
    split: str
    label: str
    suggested: str
    probability: FiniteFloat


class ImageProperty(Record):
    """A property of the images of split `train`.

    Args:
        name: Name of the property.
        meaning: What it is.
        known: Whether it could be measured; a data set directory keeps neither the size of the
            source files nor their compression.
        varies: Whether it differs between images.
        differs: Whether it differs between classes more than by chance.
        between: Share of its variance that lies between the classes, in `[0, 1]`.
        means: Mean of each class, one value a number of the property.
    """

    name: str
    meaning: str
    known: bool
    varies: bool = False
    differs: bool = False
    between: FiniteFloat = 0.0
    means: dict[str, list[FiniteFloat]] = {}


class Finding(Record):
    """One thing that is wrong with the data.

    Args:
        key: Name for programs, such as `tie/ink`.
        title: Name for people.
        severity: The larger, the worse.
        what: What was found.
        sure: How sure that is.
        effect: What it does to a classifier.
        repair: What to do about it.
        commands: Command lines that do it.
    """

    key: str
    title: str
    severity: int
    what: str
    sure: str
    effect: str
    repair: str
    commands: list[str] = []


class AuditReport(SectionedReport):
    """Everything that an audit finds: the page and `audit.json`.

    Args:
        seed: Seed of the audit.
        findings: What is wrong, the worst first; empty if nothing is.
        ties: Every factor and every property, those with the strongest dependence first.
        classes: The classes.
        imbalance: Examples of the largest class over those of the smallest that has any, by split.
        cells: Every pair of factors.
        duplicates: Groups of copies, those between splits and with several labels first.
        duplicate_totals: All copies, by kind.
        label_suspects: Examples with a doubtful label, the most doubtful first.
        suspects_total: Their number.
        constant: Ids of the images of one colour, by split.
        properties: Properties of the images; empty for other observations.
        repair_sha256: SHA-256 of `repair.yaml`.
    """

    seed: int
    findings: list[Finding]
    ties: list[Tie]
    classes: list[AuditedClass]
    imbalance: dict[str, FiniteFloat]
    cells: list[CellGrid]
    duplicates: list[DuplicateGroup]
    duplicate_totals: dict[str, DuplicateTotals]
    label_suspects: list[LabelSuspect]
    suspects_total: int
    constant: dict[str, list[str]]
    properties: list[ImageProperty]
    repair_sha256: str
