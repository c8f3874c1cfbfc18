"""The manifest of a data set directory: its contents, shard by shard, and its origin."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from latentloom.model_zoo.scaling import Counts
from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.dataset.class_counts import add_up
from latentloom.pipeline.dataset.details import DETAILS
from latentloom.pipeline.dataset.entries import FileEntry, PlainName, ShardEntry
from latentloom.pipeline.dataset.label_counts_file import (
    LABEL_COUNTS_FILE,
    OF_SHARDS,
    belong_outside,
    pack,
    put_back,
)
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.observations.vocabulary import check_vocabulary
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import file_size, read_text
from latentloom.pipeline.storage.texts import flaw_of, printable

MANIFEST_FILE = "manifest.json"
SCHEMA_VERSION = 1
TOTALS = ("requested", "written", "rejected", "dead")
RESERVED_FEATURES = (
    *(kind.feature for kind in KINDS.values()),
    *("example_id", "anchor_id", "donor_ids", "recipe", "seen_combination"),
    *("judge_confidence", "seed"),
)
"""Features of a record that are not factors."""
CONFIDENCE = "judge_confidence"
"""Feature with the judge's probability of the class; for another factor, `<this>_<factor>`."""
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST_FIELD = 200
"""Largest number of letters of the name of a factor: names of TFDS files hold it."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PACKAGES = (
    *("latentloom", "apache-beam", "isal", "keras", "numpy", "pillow", "tensorflow"),
    *("tensorflow-datasets", "tensorflow-probability", "zlib-ng"),
)


class Manifest(BaseModel):
    """Describes a data set directory; read before any of its records.

    Args:
        kind: `"imported"` or `"generated"`.
        name: Name of the data set, lower case; the prefix of its files.
        version: Semantic version, as TFDS reads it.
        observation: Kind of observation, a key of `pipeline.observations.KINDS`.
        observation_shape: Event shape of an observation, `(height, width, channels)`,
            `(features,)` or `(words,)`; `image_shape` in the file.
        factors: Value names of each factor in the order of their codes; `"label"` first.
        vocabulary: Words of a bag of words, by number; empty for other observations.
        splits: The shards of each split, in order. Of many shards with many classes, the label
            counts lie in `LABEL_COUNTS_FILE` beside the manifest.
        files: All other files of the directory except the manifest, by name; empty in data sets of
            older versions.
        source: Origin of the examples, with the options of the import or generation.
        versions: Versions of the packages that wrote it.
        totals: `requested`, `written`, `rejected` and `dead` examples.
        details: How it was made: `ImportedDetails` or `GeneratedDetails` as plain data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    schema_version: int = SCHEMA_VERSION
    kind: Literal["imported", "generated"]
    name: str
    version: str = "1.0.0"
    observation: str = "image"
    observation_shape: tuple[int, ...] = Field(
        validation_alias=AliasChoices("image_shape", "observation_shape"),
        serialization_alias="image_shape",
    )
    factors: dict[str, list[str]]
    vocabulary: list[str] = []
    splits: dict[str, list[ShardEntry]]
    files: dict[PlainName, FileEntry] = {}
    source: dict[str, Any] = {}
    versions: dict[str, str] = {}
    totals: dict[str, int]
    details: dict[str, Any] = {}

    @field_validator("name")
    @classmethod
    def _valid_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"a name has lower-case letters, digits and '_', got '{name}'")
        return name

    @field_validator("factors")
    @classmethod
    def _valid_factors(cls, factors: dict[str, list[str]]) -> dict[str, list[str]]:
        check_factors(factors)
        return factors

    @model_validator(mode="after")
    def _observation_is_known(self) -> Manifest:
        if self.observation not in KINDS:
            raise ValueError(f"observation must be in {sorted(KINDS)}, got '{self.observation}'")
        if expected := KINDS[self.observation].check_shape(self.observation_shape):
            raise ValueError(f"image_shape must be {expected}, got {self.observation_shape}")
        words = self.observation_shape[0] if self.observation == Counts.kind else 0
        if len(self.vocabulary) != words:
            raise ValueError(f"vocabulary must have {words} words, got {len(self.vocabulary)}")
        check_vocabulary(self.vocabulary)
        return self

    @model_validator(mode="after")
    def _details_have_types(self) -> Manifest:
        DETAILS[self.kind].model_validate(self.details)
        return self

    @model_validator(mode="after")
    def _counts_add_up(self) -> Manifest:
        if sorted(self.totals) != sorted(TOTALS):
            raise ValueError(f"totals must have exactly {TOTALS}, got {sorted(self.totals)}")
        if self.totals["requested"] != sum(self.totals[key] for key in TOTALS[1:]):
            raise ValueError(f"requested must be written + rejected + dead, got {self.totals}")
        for shard in self.shards:
            if len(shard.label_counts) != len(self.class_names):
                raise ValueError(f"shard '{shard.file}' must count {len(self.class_names)} classes")
        return self

    @model_validator(mode="after")
    def _files_are_distinct(self) -> Manifest:
        names = Counter([MANIFEST_FILE, *self.files, *(shard.file for shard in self.shards)])
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"every file must be listed once, got '{twice[0]}' twice")
        return self

    @property
    def shards(self) -> list[ShardEntry]:
        """The shards of all splits, in order."""
        return [shard for shards in self.splits.values() for shard in shards]

    @property
    def class_names(self) -> list[str]:
        """The names of the classes, by code."""
        return self.factors["label"]

    @property
    def digest(self) -> str:
        """SHA-256 over the hashes of all shards; identifies the examples."""
        return hashlib.sha256("\n".join(s.sha256 for s in self.shards).encode()).hexdigest()

    def num_examples(self, split: str) -> int:
        """Returns the number of examples in a split; 0 for an unknown split."""
        return sum(shard.records for shard in self.splits.get(split, []))

    def label_counts(self, split: str) -> dict[str, int]:
        """Returns the number of examples of each class in a split."""
        shards = self.splits.get(split, [])
        counts = add_up((shard.label_counts for shard in shards), len(self.class_names))
        return dict(zip(self.class_names, counts.tolist(), strict=True))

    def files_of_counts(self) -> dict[str, bytes]:
        """Returns the file with the label counts of the shards, by name, unless they are few."""
        if not belong_outside(len(self.shards), len(self.class_names)):
            return {}
        return {LABEL_COUNTS_FILE: pack([shard.label_counts for shard in self.shards])}

    def write(
        self, path: str | os.PathLike[str], counts: Mapping[str, bytes] | None = None
    ) -> None:
        """Writes the manifest atomically, after its label counts beside it.

        Args:
            path: Path of the file.
            counts: `files_of_counts`, if at hand.
        """
        outside = self.files_of_counts() if counts is None else counts
        entries = {name: FileEntry.of(data) for name, data in outside.items()}
        files = {name: entry for name, entry in self.files.items() if name != LABEL_COUNTS_FILE}
        for name, data in outside.items():
            write_atomic(os.path.join(os.path.dirname(path), name), data)
        whole = self.model_copy(update={"files": files | entries})
        text = whole.model_dump_json(indent=2, exclude=OF_SHARDS if outside else None)
        write_atomic(path, text + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Manifest:
        """Reads a manifest file.

        Args:
            path: Path of the file.

        Raises:
            FileNotFoundError: If the file is missing.
            ValueError: If the file is not a manifest, or has a newer schema.
        """
        path = os.fspath(path)
        if file_size(path) is None:
            raise FileNotFoundError(
                f"There is no manifest '{path}'. Expected: a data set directory with "
                f"{MANIFEST_FILE}. Received: {os.path.dirname(path) or '.'}. Correct the path, or "
                "make one with `latentloom import`."
            )
        text = read_text(path)
        with told_of_file(
            path,
            "a manifest that `latentloom import` or `generate` wrote",
            "Write the data set again.",
        ):
            document = json.loads(text)
            newest = document["schema_version"]
            if newest <= SCHEMA_VERSION:
                if LABEL_COUNTS_FILE not in document.get("files", {}):
                    return cls.model_validate_json(text)
                put_back(document, os.path.dirname(path))
                return cls.model_validate(document)
        raise ValueError(
            f"Manifest '{path}' is of a newer format. Expected: schema_version up to "
            f"{SCHEMA_VERSION}. Received: schema_version={newest}. Upgrade latentloom."
        )


def check_factors(factors: dict[str, list[str]]) -> None:
    """Checks the names of factors and of their values.

    Raises:
        ValueError: If `label` is not first, or a name is reserved, empty, spaced or duplicate.
    """
    if next(iter(factors), None) != "label":
        raise ValueError(
            "The factors are in the wrong order. Expected: `label` first. "
            f"Received: factors={list(factors)}. Put it there."
        )
    for factor, values in factors.items():
        reserved = factor in RESERVED_FEATURES or factor.startswith(CONFIDENCE)
        if not _FIELD.fullmatch(factor) or reserved or len(factor) > _LONGEST_FIELD:
            raise ValueError(
                f"'{printable(factor)}' is an invalid name of a factor. Expected: letters, digits "
                f"and '_', at most {_LONGEST_FIELD}, and none of {RESERVED_FEATURES}. Received: "
                f"factor={factor!r}. Rename it."
            )
        bad = [v for v in values if not v or v != " ".join(v.split()) or flaw_of(v)]
        if not values or bad or len(set(values)) < len(values):
            raise ValueError(
                f"The values of factor '{factor}' are invalid. Expected: distinct names in UTF-8 "
                "without spaces at the ends, tabs, line ends or other control characters, and at "
                f"least one. Received: {bad[:1] or values[:5]}. Rename them."
            )


def library_versions(packages: tuple[str, ...] = _PACKAGES) -> dict[str, str]:
    """Returns the versions of Python and of packages; "not installed" for a missing package."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
