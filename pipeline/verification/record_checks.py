"""Checks every record of a data set directory in one pass over its shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentloom.augment import Coverage
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.provenance import (
    ANCHOR,
    DONORS,
    RECIPE,
    SEED,
    SEEN,
    Provenance,
    confidence_names,
    read_provenance,
)
from latentloom.pipeline.dataset.reading import ParsedRecord, parse_features, row_of
from latentloom.pipeline.storage.files import sha256_file
from latentloom.pipeline.verification.identities import Identities
from latentloom.pipeline.verification.origins import (
    Source,
    drawn_factors,
    generation_settings,
    settings_of,
)
from latentloom.pipeline.verification.problem import OTHER_HASH, Problem, RecordProblems
from latentloom.pipeline.verification.source_checks import check_origins
from latentloom.pipeline.verification.variant_checks import VariantChecks


class RecordChecks:
    """Checks the records of a data set, shard by shard.

    Args:
        dataset: The data set directory.
        provenance: What its generated records must say about their origin; None for imported ones.
        source: The data set that it was generated from, if at hand.

    Attributes:
        ids: The ids of all intact records so far.
        shards: Number of checked shards.
        records: Number of intact records in them.
    """

    def __init__(
        self,
        dataset: DatasetDir,
        provenance: ProvenanceRules | None = None,
        source: Source | None = None,
    ):
        self._dataset, self._provenance, self._source = dataset, provenance, source
        self._factors = list(dataset.manifest.factors)
        self._drawn = drawn_factors(dataset.manifest)
        self._origins: list[tuple[ParsedRecord, Provenance]] = []
        self.ids, self.shards, self.records = Identities(), 0, 0

    def check_shard(self, split: str, index: int) -> list[Problem]:
        """Returns the problems of a shard and of its records."""
        entry = self._dataset.shards(split)[index]
        self._found = RecordProblems(entry.file)
        counts = np.zeros(len(entry.label_counts), np.int64)
        if self._provenance:
            self._provenance.start_shard()
        for examples, dead in self._dataset.iter_shard(split, index, parse=self._parse):
            counts += np.bincount(examples.labels, minlength=len(counts))
            self.ids.add(examples.ids)
            self._check_batch()
            for letter in dead:
                self._found.add(letter.record, letter.reason)
        self.shards, self.records = self.shards + 1, self.records + int(counts.sum())
        problems = list(self._found.all())
        if sha256_file(self._dataset.shard_path(split, index)) != entry.sha256:
            problems.insert(0, Problem(entry.file, OTHER_HASH))
        if counts.sum() != entry.records:
            reason = f"has {counts.sum()} records instead of {entry.records}"
            problems.append(Problem(entry.file, reason))
        if counts.tolist() != entry.label_counts:
            problems.append(Problem(entry.file, "has other label counts than recorded"))
        return problems

    def _parse(self, number: int, record: Any, *form: Any) -> ParsedRecord | str:
        """Reads a record as `parse_row` does, and checks its provenance beside."""
        features = parse_features(record)
        if isinstance(features, str):
            return features
        if self._provenance is None:
            return row_of(number, features, *form)
        provenance = self._provenance.read(features)
        row = row_of(number, features, *form)
        if isinstance(row, str):
            return row
        if isinstance(provenance, str):
            self._found.add(number, provenance)
            return row
        if reason := self._provenance.check(row, provenance):
            self._found.add(number, reason)
        if self._source is not None:
            self._origins.append((row, provenance))
        return row

    def _check_batch(self) -> None:
        """Checks the keys of the last records, and their origins if the source is at hand."""
        if self._provenance:
            for number, reason in self._provenance.wrong_keys():
                self._found.add(number, reason)
        if self._source and self._origins:
            found = check_origins(self._source, self._factors, self._origins, self._drawn)
            for number, reason in found:
                self._found.add(number, reason)
        self._origins = []


@dataclass
class ProvenanceRules:
    """What a generated record must say about its origin, so that it fits the other files.

    Args:
        names: All features of a record.
        confidences: Its features with confidences.
        recipe: Recipe of the job, or None if it is not recorded.
        factors: Names of the factors of the data set, in order.
        seen: Cells of the input data; True if every variant is in one of them, False if unknown.
        variants: Follows numbers and keys; None if the settings of the job are not known.

    Attributes:
        made: Number of records of each cell so far.
    """

    names: frozenset[str]
    confidences: tuple[str, ...]
    recipe: str | None
    factors: tuple[str, ...]
    seen: Coverage | bool
    variants: VariantChecks | None = None

    def __post_init__(self) -> None:
        grid = self.seen.names if isinstance(self.seen, Coverage) else ()
        self._axes = [self.factors.index(factor) for factor in grid]
        self.made: Counter[tuple[int, ...]] = Counter()

    @classmethod
    def of(cls, dataset: DatasetDir, judged: list[str], seen: Coverage | bool) -> ProvenanceRules:
        """Returns the rules of a generated data set.

        Args:
            dataset: Its directory.
            judged: Factors that the judge confirms.
            seen: Cells of the input data, as for the class.
        """
        manifest, confidences = dataset.manifest, confidence_names(judged)
        names = {dataset.observation_kind.feature, *manifest.factors, "example_id", *confidences}
        recipe, settings = generation_settings(manifest).get("recipe"), settings_of(manifest)
        return cls(
            frozenset({*names, ANCHOR, DONORS, RECIPE, SEEN, SEED}),
            tuple(confidences),
            recipe,
            tuple(manifest.factors),
            seen,
            VariantChecks(settings, manifest) if settings else None,
        )

    def start_shard(self) -> None:
        """Begins a shard."""
        if self.variants:
            self.variants.start_shard()

    def wrong_keys(self) -> Iterator[tuple[int, str]]:
        """Yields number and problem of the last records whose key the job does not give."""
        return self.variants.wrong_keys() if self.variants else iter(())

    def check_rejected(self) -> list[Problem]:
        """Compares the numbers of all records with the rejected variants."""
        return self.variants.check_rejected() if self.variants else []

    def read(self, features: Mapping[str, Any]) -> Provenance | str:
        """Reads the provenance of a record; returns the reason as text if it is unusable."""
        if len(features) > len(self.names):  # with fewer, one of its own is missing
            return f"has the feature {min(set(features) - self.names)!r}, which is not its own"
        return read_provenance(features, self.confidences)

    def check(self, row: ParsedRecord, found: Provenance) -> str:
        """Returns how a record contradicts the other files or itself, or an empty text."""
        if self.recipe is not None and found.recipe != self.recipe:
            return f"has the recipe {found.recipe!r} instead of {self.recipe!r}"
        if not row.example_id.startswith(f"{found.anchor_id}/{found.recipe}/"):
            return f"has an id that is not of its anchor {found.anchor_id!r} and its recipe"
        if isinstance(self.seen, Coverage):
            cell = tuple(row.codes[axis] for axis in self._axes)
            self.made[cell] += 1
            seen = cell in self.seen.counts
        else:
            seen = self.seen or found.seen
        if found.seen != seen:
            return f"has {SEEN}={int(found.seen)}, the input says {int(seen)}"
        return self.variants.add(row, found) if self.variants else ""
