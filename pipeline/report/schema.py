"""The data of a report, which the page and the JSON file show."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from latentloom.pipeline.dataset.manifest import TOTALS, ShardEntry
from latentloom.pipeline.report.measure import Measure


@dataclass(frozen=True)
class Picture:
    """A picture with its caption.

    Attributes:
        png: Bytes of a PNG file.
        caption: Sentences below the picture, or empty.
    """

    png: bytes
    caption: str = ""


class Table(BaseModel):
    """A table of text; the first column names the rows.

    Args:
        title: Title of the table.
        columns: Heads of all columns.
        rows: Cells of every row, at most one per column.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    columns: list[str]
    rows: list[list[str]]


class FigureTable(BaseModel):
    """A table of numbers, in the page and in the JSON file.

    Args:
        title: Title of the table.
        text: Explanation above the table.
        columns: Head and meaning of every column.
        rows: Numbers by row name and column head; None if not measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    text: str
    columns: dict[str, str]
    rows: dict[str, dict[str, int | FiniteFloat | None]]

    @model_validator(mode="after")
    def _rows_fill_the_columns(self) -> FigureTable:
        for name, row in self.rows.items():
            if list(row) != list(self.columns):
                raise ValueError(
                    f"Row '{name}' does not fit its table '{self.title}'. Expected: a number or "
                    f"None for each of {list(self.columns)}. Received: {list(row)}. Align them."
                )
        return self


class Report(BaseModel):
    """Everything that the page shows except the pixels of its pictures.

    Args:
        title: Title of the page.
        summary: Sentences at the top of the page, the one with the key numbers first.
        warnings: Sentences above the summary: what went wrong, and what to change.
        numbers: The measured numbers, in the order to show them.
        axes: Figures of axes by block, in nats, in the order of its axes; the page shows some as
            bars.
        tables: Tables to show before the numbers.
        unseen_combinations: Tables of figures of cells that were held out of training.
        class_names: The classes, in order.
        counts_before: Examples per class of the input data set.
        counts_after: Examples per class with the variants added.
        rejections: Number of rejected variants by class and reason.
        totals: `requested`, `written`, `rejected` and `dead` variants; empty if nothing was
            generated.
        captions: Sentences below pictures, by the name of the picture; `write_report` takes them
            from the pictures.
        measured_on: Data that the numbers were measured on, such as `{"split": "test"}`.
        config_yaml: The resolved configuration.
        versions: Versions of Python and of the packages that ran.
        bundle_digest: Digest of the model bundle, or None without a bundle.
        shards: The written shards, as in the manifest.
        notes: What a reader should keep in mind, one paragraph each.
        page_sha256: SHA-256 of the page, which tells ours from one that somebody else wrote;
            `write_report` sets it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    summary: list[str] = Field(min_length=1)
    warnings: list[str] = []
    numbers: list[Measure] = []
    axes: dict[str, dict[str, list[float]]] = {}
    tables: list[Table] = []
    unseen_combinations: list[FigureTable] = []
    class_names: list[str] = []
    counts_before: dict[str, int] = {}
    counts_after: dict[str, int] = {}
    rejections: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    captions: dict[str, str] = {}
    measured_on: dict[str, int | str] = {}
    config_yaml: str = ""
    versions: dict[str, str] = {}
    bundle_digest: str | None = None
    shards: list[ShardEntry] = []
    notes: list[str] = []
    page_sha256: str = ""

    @field_validator("totals")
    @classmethod
    def _totals_add_up(cls, totals: dict[str, int]) -> dict[str, int]:
        whole = not totals or sorted(totals) == sorted(TOTALS)
        if not whole or totals and totals["requested"] != sum(totals[key] for key in TOTALS[1:]):
            raise ValueError(
                "The totals of the report do not add up. Expected: requested = written + rejected "
                f"+ dead. Received: totals={totals}. Take them from the manifest."
            )
        return totals

    @model_validator(mode="after")
    def _classes_are_known(self) -> Report:
        for field in ("counts_before", "counts_after", "rejections"):
            if unknown := [name for name in getattr(self, field) if name not in self.class_names]:
                raise ValueError(
                    f"The report counts a class that it does not list. Expected: {field} only of "
                    f"classes in class_names. Received: {unknown[0]!r}. Add it to class_names."
                )
        return self

    @property
    def reasons(self) -> list[str]:
        """The reasons for which at least one variant was rejected, the most frequent first."""
        sums: dict[str, int] = {}
        for by_reason in self.rejections.values():
            for reason, number in by_reason.items():
                sums[reason] = sums.get(reason, 0) + number
        return sorted((reason for reason in sums if sums[reason]), key=lambda reason: -sums[reason])

    def rejections_by_reason(self) -> dict[str, list[int]]:
        """Number of rejected variants of each class, in class order, by reason."""
        return {
            reason: [self.rejections.get(name, {}).get(reason, 0) for name in self.class_names]
            for reason in self.reasons
        }


class PageSection(BaseModel):
    """A section of a page with its own pictures and tables.

    Args:
        title: Title of the section.
        text: Paragraphs.
        commands: Command lines to copy.
        pictures: Names of pictures of observations, below the paragraphs.
        charts: Names of charts, below the pictures.
        tables: Tables at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    text: list[str] = []
    commands: list[str] = []
    pictures: list[str] = []
    charts: list[str] = []
    tables: list[Table] = []


class SectionedReport(Report):
    """A report whose page has sections of its own, behind the summary.

    Args:
        sections: The sections, in order.
    """

    sections: list[PageSection]
