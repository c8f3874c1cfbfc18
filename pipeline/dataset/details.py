"""The `details` of bundles and data sets, with types: how each was made.

On disk and in memory `details` is a plain mapping; `read` gives the typed view of it. Every key is
optional, so older bundles and data sets stay readable; unknown keys are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from latentloom.model_zoo.untrusted_files import describe_error
from latentloom.pipeline.dataset.entries import FileEntry

HISTORY_FILE, CURVES_FILE = "history.csv", "curves.png"
"""Files of a bundle's directory: the figures of each epoch, and their chart."""


class DataIdentity(BaseModel):
    """Identifies a data set: its name, and the digest of its examples."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str


class _Details(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    owner: ClassVar[str]

    @classmethod
    def read(cls, details: Mapping[str, Any]) -> Self:
        """Reads details.

        Raises:
            ValueError: If a value has the wrong type.
        """
        try:
            return cls.model_validate(dict(details))
        except ValidationError as error:
            raise ValueError(
                f"The details of the {cls.owner} are invalid. Expected: details from latentloom. "
                f"Received: {describe_error(error)}. Make the {cls.owner} again."
            ) from error


class BundleDetails(_Details):
    """Details of a bundle that `train` wrote.

    Args:
        data: The data set that it was trained on.
        backend: Keras backend that trained it.
        config: The whole configuration.
        versions: Versions of the packages that trained it.
        hold_out: Cells held out of its training, as from `HoldOut.to_dict`.
        figures: Measures of its blocks and judges, in the form of a report.
        files: The files beside the weights: the configuration, `HISTORY_FILE` and `CURVES_FILE`;
            empty in bundles of older versions.
    """

    owner: ClassVar[str] = "bundle"

    data: DataIdentity | None = None
    backend: str | None = None
    config: dict[str, Any] = {}
    versions: dict[str, str] = {}
    hold_out: dict[str, Any] = {}
    figures: list[dict[str, Any]] = []
    files: dict[Literal["config.yaml", "history.csv", "curves.png"], FileEntry] = {}


class ImageChange(BaseModel):
    """What an import changed in images: in how many, by how much at most, and the first."""

    model_config = ConfigDict(frozen=True)

    count: int
    most: float
    first: str


class ImportedDetails(_Details):
    """Details of an imported data set.

    Args:
        dead_letters: The first unusable examples, `{"shard", "record", "reason"}`.
        left_out: Examples left out on purpose, `{reason: {split: count}}`.
        dead_by_class: Unusable examples of each class, `{class: {"count", "first", "reason"}}`,
            the class "" if it is unknown.
        ignored: Number of files, arrays or splits that are no examples, by the reason.
        first_ignored: Name of the first of them, by the reason.
        terciles: Limits between the thirds of each measured factor, in its unit.
        bins: Limits of the bins of each factor of numbers, in its unit.
        changes: What became of images on the way, by the kind of change.
    """

    owner: ClassVar[str] = "imported data set"

    dead_letters: list[dict[str, Any]] = []
    left_out: dict[str, dict[str, int]] = {}
    dead_by_class: dict[str, dict[str, Any]] = {}
    ignored: dict[str, int] = {}
    first_ignored: dict[str, str] = {}
    terciles: dict[str, tuple[float, float]] = {}
    bins: dict[str, list[float]] = {}
    changes: dict[str, ImageChange] = {}


class GeneratedDetails(_Details):
    """Details of a generated data set.

    Args:
        job: Digest of the generation job.
        bundle_digest: Digest of the bundle.
        trained_on: The data set that the model was trained on, if known.
        config: The whole configuration.
        candidates: Number of variants drawn, over all attempts.
        rejections: Candidates that the gate rejected, `{class: {reason: count}}`.
        unreadable_records: Number of unreadable input records.
        hold_out: Held-out cells, excluded from generation, as from `HoldOut.to_dict`.
    """

    owner: ClassVar[str] = "generated data set"

    job: str = ""
    bundle_digest: str = ""
    trained_on: DataIdentity | None = None
    config: dict[str, Any] = {}
    candidates: int = 0
    rejections: dict[str, dict[str, int]] = {}
    unreadable_records: int = 0
    hold_out: dict[str, Any] = {}


DETAILS = {"imported": ImportedDetails, "generated": GeneratedDetails}
"""Details of a data set, by the kind of its manifest."""
