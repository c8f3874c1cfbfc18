"""An import before its first example is read: its source with all options, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentloom.pipeline.dataset.manifest import check_factors
from latentloom.pipeline.dataset.names import check_name, check_splits
from latentloom.pipeline.importing.measured import add_measured_factors
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.importing.outcome import ImportOutcome, Progress
from latentloom.pipeline.importing.source import Source, bins_of, ignored_of
from latentloom.pipeline.observations import KINDS


@dataclass(frozen=True)
class OpenedImport:
    """An import before its first example is read.

    Args:
        name: Name of the data set.
        source: The source with all options applied.
        origin: What the manifest says of the source.
        details: Details of the manifest that are known before.
        outcome: Counts the examples.
    """

    name: str
    source: Source
    origin: dict[str, Any]
    details: dict[str, Any]
    outcome: ImportOutcome

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.source.factors["label"])

    def all_details(self) -> dict[str, Any]:
        """The details of the manifest, once all examples are read."""
        return self.outcome.details() | self.details | _told_of(self.source)


def open_import(
    spec: str,
    *,
    name: str | None = None,
    measure: Sequence[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> OpenedImport:
    """Opens a source with all options of an import, and checks that a data set can hold it.

    Args:
        spec: Source to read, one of `specs.SPECS`.
        name: As for `import_dataset`, as are the others.
        measure: Attributes to measure from the pixels.
        progress: Called as `progress(done, total)` with numbers of examples.
        **options: Options of `open_source`.

    Raises:
        ValueError: If an option or the data is invalid.
        FileNotFoundError: If the source is missing.
    """
    options = _given(options)
    opened = open_source(spec, **options)
    name = _check_name(name, opened)
    _check(opened)
    origin = {"spec": spec, "description": opened.description, **options}
    details = {}
    if measure is not None:
        opened, terciles = add_measured_factors(opened, measure)
        origin |= {"measure": list(measure)}
        details = terciles.to_details()
    total, classes = sum(opened.splits.values()), opened.factors["label"]
    outcome = ImportOutcome(opened.name, opened.observation, total, classes, progress)
    return OpenedImport(name, opened, origin, details, outcome)


_ALWAYS = ("label", "factors", "image_size", "max_examples")
"""Options that stand in every manifest; others where they are given."""


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options that are given, as a manifest keeps them."""
    listed = {
        name: value if value is None or isinstance(value, str | int | float) else list(value)
        for name, value in options.items()
    }
    return {name: listed.get(name) for name in _ALWAYS} | {
        name: value
        for name, value in listed.items()
        if name not in _ALWAYS and value is not None and value is not False and value != []
    }


def _told_of(source: Source) -> dict[str, Any]:
    """Returns what a source tells of itself, as details of a manifest."""
    ignored = ignored_of(source)
    told = {
        "ignored": {each.reason: each.count for each in ignored},
        "first_ignored": {each.reason: each.first for each in ignored},
        "bins": bins_of(source),
    }
    return {detail: found for detail, found in told.items() if found}


def _check_name(name: str | None, source: Source) -> str:
    if name is None:
        name = re.sub(r"^[^a-z]+|[^a-z0-9_]", "", source.name.lower()) or "dataset"
    check_name(name)
    return name


def _check(source: Source) -> None:
    """Rejects a source that a data set cannot hold."""
    check_factors(source.factors)
    check_splits(source.splits)
    kind = KINDS[source.observation]
    if expected := kind.check_shape(source.observation_shape):
        raise ValueError(
            f"The {kind.many} of source '{source.name}' have an unsupported shape. "
            f"Expected: {expected}. Received: observation_shape={source.observation_shape}. "
            "Convert them."
        )
    if not source.splits.get("train"):
        raise ValueError(
            f"Source '{source.name}' has no training examples. Expected: examples in the "
            f"split 'train'. Received: splits={source.splits}. Name its folder or split "
            "'train', or pass --split NAME=train."
        )
