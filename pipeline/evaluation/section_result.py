"""The result of one section of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import FigureTable, Picture, Table


@dataclass(frozen=True)
class SectionResult:
    """Measures, pictures, sentences and tables; results add up with `+` in their order.

    Attributes:
        measures: Measured numbers; two sections never share a key.
        pictures: Pictures by name, with their captions.
        notes: What a reader should keep in mind, one paragraph each.
        tables: Tables of text, and tables of figures of unseen combinations.
        axes: Figures of axes by block, in the order of its axes, in nats.
        summary: Sentences for the top of the page of a generated data set.
    """

    measures: Sequence[Measure] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    notes: Sequence[str] = ()
    tables: Sequence[Table | FigureTable] = ()
    axes: Mapping[str, dict[str, list[float]]] = field(default_factory=dict)
    summary: Sequence[str] = ()

    def __add__(self, other: SectionResult) -> SectionResult:
        """Joins two results, this one first.

        Raises:
            ValueError: Both have a picture of the same name or a measure of the same key.
        """
        _check_apart("picture", self.pictures, other.pictures)
        _check_apart("measure", *([m.key for m in part.measures] for part in (self, other)))
        return SectionResult(
            measures=[*self.measures, *other.measures],
            pictures={**self.pictures, **other.pictures},
            notes=[*self.notes, *other.notes],
            tables=[*self.tables, *other.tables],
            axes={**self.axes, **other.axes},
            summary=[*self.summary, *other.summary],
        )


def _check_apart(what: str, own: Iterable[str], others: Iterable[str]) -> None:
    if shared := sorted({*own} & {*others} - {""}):
        raise ValueError(
            f"Two sections give the same {what}. Expected: names and keys of one section each. "
            f"Received: '{shared[0]}' twice. Rename one of them."
        )
