"""Turns any source of labelled observations into a data set directory."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import DeadLetter, LeftOut
from latentloom.pipeline.dataset.manifest import (
    MANIFEST_FILE,
    Manifest,
    ShardEntry,
    check_factors,
    library_versions,
)
from latentloom.pipeline.dataset.tfds_metadata import write_metadata
from latentloom.pipeline.dataset.writing import example_records, shard_entry, shard_file
from latentloom.pipeline.importing.measured import add_measured_factors
from latentloom.pipeline.importing.open_source import open_source, source_paths
from latentloom.pipeline.importing.source import Source, vocabulary_of
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import as_location, exists, is_folder, list_names
from latentloom.pipeline.storage.output_directories import check_apart, replaced_when_complete
from latentloom.pipeline.storage.tfrecords import ShardWriter

FAILURE_BUDGET = 0.01  # share of the examples that may be dead letters
LEFT_OUT = "left_out"
"""Detail of a manifest: for each reason, how many examples of each split were not written."""
_LISTED_LETTERS = 100
_SHARD_EXAMPLES = 8192

Progress = Callable[[int, int], None]


def import_dataset(
    source: str,
    out: str | os.PathLike[str],
    *,
    name: str | None = None,
    label: str | None = None,
    factors: Sequence[str] | None = None,
    image_size: int | None = None,
    max_examples: int | None = None,
    inks: int | None = None,
    measure: Sequence[str] | None = None,
    shards: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DatasetDir:
    """Imports labelled observations; `out` appears when it is complete, or not at all.

    Args:
        source: What to read, such as `builtin:fonts` or `folder:photos`; see
            `pipeline.importing.open_source.SPECS`.
        out: Directory to make.
        name: Name of the data set; by default one that the source suggests.
        label: Field that becomes the label.
        factors: Factors to keep beside the label; all by default.
        image_size: Side in pixels to which images are resized.
        max_examples: Size of the sample to take; everything by default.
        inks: Number of inks in which grey images are coloured; they become the factor `ink`.
        measure: Attributes to measure from the pixels of grey images, which are stored: some of
            `model_zoo.metrics.strokes.ATTRIBUTES`. Each becomes a factor of the values `low`,
            `middle` and `high`, the thirds of the training images; the manifest has the limits.
        shards: Files per split; by default one for each 8,192 examples. Shards may be empty.
        overwrite: Whether an existing data set directory may be replaced.
        progress: Called as `progress(done, total)` with numbers of examples.

    Raises:
        ValueError: An option or the data is not what it should be, `out` holds the source, or more
            than 1 % of the examples cannot be used.
        FileNotFoundError: The source is not there.
        FileExistsError: `out` exists and may not be replaced.
        OSError: `out` cannot be written.
    """
    out = as_location(out)
    for path in source_paths(source):
        check_apart(out, {"SOURCE": path})
    _check_out(out, overwrite)
    opened = open_source(
        source,
        label=label,
        factors=factors,
        image_size=image_size,
        max_examples=max_examples,
        inks=inks,
    )
    options = {"label": label, "factors": factors and list(factors), "image_size": image_size}
    options |= {"spec": source, "description": opened.description, "max_examples": max_examples}
    options |= {"inks": inks} if inks is not None else {}
    job = _Import(opened, _check_name(name, opened), options, shards, progress)
    if measure is not None:
        job.measure(measure)
    with replaced_when_complete(out, last=MANIFEST_FILE) as folder:
        job.run(folder)
    return DatasetDir.open(out)


def _check_out(out: str, overwrite: bool) -> None:
    is_dir = is_folder(out)
    if not exists(out) or (is_dir and not list_names(out)):
        return
    if not overwrite:
        raise FileExistsError(
            f"'{out}' exists already. Expected: a new or empty directory. Received: out='{out}'. "
            "Pass --overwrite to replace it, or choose another."
        )
    if not is_dir or not exists(os.path.join(out, MANIFEST_FILE)):
        raise FileExistsError(
            f"'{out}' is not a data set directory and will not be replaced. Expected: one with "
            f"{MANIFEST_FILE}. Received: out='{out}'. Choose another directory."
        )


def _check_name(name: str | None, source: Source) -> str:
    if name is None:
        return re.sub(r"^[^a-z]+|[^a-z0-9_]", "", source.name.lower()) or "dataset"
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(
            "The name of the data set cannot be used. Expected: lower-case letters, digits and "
            f"'_', a letter first. Received: name='{name}'. Choose such a name."
        )
    return name


@dataclass
class _Import:
    """One import under way: what to write, the dead letters and what is left out so far."""

    source: Source
    name: str
    options: dict
    shards: int | None
    progress: Progress | None
    dead: list[DeadLetter] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    done: int = 0
    details: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.shards is not None and self.shards < 1:
            raise ValueError(
                "A split needs a file. Expected: shards of at least 1. "
                f"Received: shards={self.shards}. Raise it."
            )
        check_factors(self.source.factors)
        kind = KINDS[self.source.observation]
        if expected := kind.check_shape(self.source.image_shape):
            raise ValueError(
                f"The {kind.many} of source '{self.source.name}' have a shape that cannot be "
                f"stored. Expected: {expected}. Received: image_shape={self.source.image_shape}. "
                "Convert them."
            )
        if not self.source.splits.get("train"):
            raise ValueError(
                f"Source '{self.source.name}' has nothing to train on. Expected: examples in the "
                f"split 'train'. Received: splits={self.source.splits}. Name its folder or split "
                "'train'."
            )
        self.total = sum(self.source.splits.values())

    def measure(self, names: Sequence[str]) -> None:
        """Adds factors that are measured from the images as they will be stored."""
        self.source, terciles = add_measured_factors(self.source, names)
        self.options |= {"measure": list(names)}
        self.details |= terciles.to_details()

    def run(self, folder: str) -> None:
        """Writes shards, metadata and manifest into `folder`."""
        splits = {split: self._write_split(folder, split) for split in self.source.splits}
        manifest = self._manifest(splits)
        write_metadata(folder, manifest)
        manifest.write(os.path.join(folder, MANIFEST_FILE))

    def _write_split(self, folder: str, split: str) -> list[ShardEntry]:
        count = self.shards or max(1, -(-self.source.splits[split] // _SHARD_EXAMPLES))
        files = [shard_file(self.name, split, index, count) for index in range(count)]
        counts = np.zeros((count, len(self.source.factors["label"])), np.int64)
        with contextlib.ExitStack() as stack:
            writers = [
                stack.enter_context(ShardWriter(os.path.join(folder, file))) for file in files
            ]
            for examples, dead in self.source.batches(split):
                ids = [f"{self.name}/{split}/{position}" for position in examples.ids]
                homes = (identity_keys(0, "shard", ids) % np.uint64(count)).astype(np.int64)
                records = example_records(KINDS[self.source.observation], examples, ids)
                for home, record in zip(homes, records, strict=True):
                    writers[home].write(record)
                np.add.at(counts, (homes, examples.labels), 1)
                self._account(len(examples), dead)
        return [
            shard_entry(writer, file, row.tolist())
            for file, writer, row in zip(files, writers, counts, strict=True)
        ]

    def _account(self, written: int, dead: list[DeadLetter]) -> None:
        """Keeps the counts, and stops an import whose failure budget is spent."""
        self.left_out += [letter for letter in dead if isinstance(letter, LeftOut)]
        self.dead += [letter for letter in dead if not isinstance(letter, LeftOut)]
        self.done += written + len(dead)
        if len(self.dead) > FAILURE_BUDGET * self.total:
            first = self.dead[0]
            raise ValueError(
                f"Too many examples of source '{self.source.name}' cannot be used, the first in "
                f"'{first.shard}' (number {first.record}): {first.reason}. Expected: at most "
                f"{FAILURE_BUDGET:.0%} of {self.total}. Received: {len(self.dead)} after "
                f"{self.done}. Repair or remove them."
            )
        if self.progress:
            self.progress(self.done, self.total)

    def _manifest(self, splits: dict[str, list[ShardEntry]]) -> Manifest:
        written = sum(shard.records for shards in splits.values() for shard in shards)
        if self.done != self.total:
            raise ValueError(
                f"Source '{self.source.name}' is incomplete. Expected: {self.total} examples. "
                f"Received: {self.done}. Check its files."
            )
        manifest = Manifest(
            kind="imported",
            name=self.name,
            observation=self.source.observation,
            image_shape=self.source.image_shape,
            factors=self.source.factors,
            vocabulary=vocabulary_of(self.source),
            splits=splits,
            source=self.options,
            versions=library_versions(),
            totals={
                "requested": self.total,
                "written": written,
                "rejected": len(self.left_out),
                "dead": len(self.dead),
            },
            details={"dead_letters": [asdict(letter) for letter in self.dead[:_LISTED_LETTERS]]}
            | ({LEFT_OUT: _by_reason(self.left_out)} if self.left_out else {})
            | self.details,
        )
        empty = [label for label, count in manifest.label_counts("train").items() if not count]
        if empty and self.options["max_examples"]:
            raise ValueError(
                f"The sample has no example of class '{empty[0]}'. Expected: some of each class. "
                f"Received: max_examples={self.options['max_examples']}. Raise --max-examples."
            )
        return manifest


def _by_reason(letters: Sequence[LeftOut]) -> dict[str, dict[str, int]]:
    """Letters by reason and file."""
    counts: dict[str, Counter] = {}
    for letter in letters:
        counts.setdefault(letter.reason, Counter())[letter.shard] += 1
    return {reason: dict(files) for reason, files in counts.items()}
