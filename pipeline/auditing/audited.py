"""`Audited`: everything that an audit measured, from which findings and the page follow."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from latentloom.pipeline.auditing.measures.duplicates import Copies
from latentloom.pipeline.auditing.measures.label_suspects import Suspects
from latentloom.pipeline.auditing.missing import Missing
from latentloom.pipeline.auditing.schema import AuditedClass, CellGrid, ImageProperty, Tie
from latentloom.pipeline.auditing.survey import Survey
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import Manifest

REPAIR_FILE = "repair.yaml"


@dataclass(frozen=True)
class Audited:
    """Everything that an audit measured.

    Attributes:
        dataset: The data set.
        out: Directory of the audit, for command lines.
        survey: The survey.
        ties: Every factor and property.
        classes: The classes.
        imbalance: Largest class over the smallest, by split.
        cells: Every pair of factors.
        copies: Groups of copies.
        suspects: Doubtful labels.
        properties: Properties of the images.
        missing: What generation can fill.
    """

    dataset: DatasetDir
    out: str
    survey: Survey
    ties: list[Tie]
    classes: list[AuditedClass]
    imbalance: dict[str, float]
    cells: list[CellGrid]
    copies: Copies
    suspects: Suspects
    properties: list[ImageProperty]
    missing: Missing

    @property
    def manifest(self) -> Manifest:
        """The manifest of the data set."""
        return self.dataset.manifest

    @property
    def many(self) -> str:
        """Plural name of the observations, for people."""
        return self.dataset.observation_kind.many

    @property
    def commands(self) -> list[str]:
        """Command lines that train with the repair and generate."""
        data, out = shlex.quote(self.dataset.path), self.out.rstrip("/")
        config, bundle = (shlex.quote(f"{out}/{REPAIR_FILE}"), shlex.quote(f"{out}_bundle"))
        return [
            f"latentloom train {config} --data {data} --out {bundle}",
            f"latentloom generate {config} --data {data} --model {bundle} "
            f"--out {shlex.quote(f'{out}_repaired')}",
        ]
