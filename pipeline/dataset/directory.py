"""The data set directory: TFRecord shards in the TFDS layout, with a manifest."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest, ShardEntry
from latentloom.pipeline.dataset.parsing import ParsedRecord, parse_row
from latentloom.pipeline.observations import KINDS, Kind
from latentloom.pipeline.storage.files import file_size
from latentloom.pipeline.storage.tfrecords import read_records

MISSING = "is missing"
METADATA_FILES = ("dataset_info.json", "features.json")


@dataclass(frozen=True)
class DatasetDir:
    """A data set directory, imported or generated. Get one with `DatasetDir.open`.

    Args:
        path: Path of the directory, local or in a bucket.
        manifest: Its manifest.
    """

    path: str
    manifest: Manifest

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> DatasetDir:
        """Opens a directory after checking that every file is there in its recorded size.

        Raises:
            FileNotFoundError: The manifest, a metadata file or a shard is missing.
            ValueError: A shard has another size than recorded, or the manifest is not valid.
        """
        path = os.fspath(path)
        dataset = cls(path, Manifest.read(os.path.join(path, MANIFEST_FILE)))
        if problems := dataset.missing_or_resized():
            file, reason = problems[0]
            kind = FileNotFoundError if reason == MISSING else ValueError
            raise kind(
                f"Data set '{path}' is damaged: '{file}' {reason}. Expected: every file that its "
                f"manifest lists, complete. Received: {len(problems)} bad files. "
                "Run `latentloom verify` for all of them, and write the data set again."
            )
        return dataset

    def missing_or_resized(self) -> list[tuple[str, str]]:
        """Files that are missing or of another size than recorded, each with its reason."""
        problems = []
        sizes = {shard.file: shard.num_bytes for shards in self.splits.values() for shard in shards}
        for file, size in {**dict.fromkeys(METADATA_FILES), **sizes}.items():
            found = file_size(os.path.join(self.path, file))
            if found is None:
                problems.append((file, MISSING))
            elif size is not None and found != size:
                problems.append((file, f"has {found} bytes instead of {size}"))
        return problems

    @property
    def kind(self) -> Kind:
        """The kind of observation."""
        return KINDS[self.manifest.observation]

    @property
    def splits(self) -> dict[str, list[ShardEntry]]:
        """The shards of each split."""
        return self.manifest.splits

    @property
    def scored_split(self) -> str:
        """Where a model is scored: the split `test`, or `validation`, a fold, if there is none."""
        return "test" if self.manifest.num_examples("test") else "validation"

    def shards(self, split: str) -> list[ShardEntry]:
        """The shards of a split, in order.

        Raises:
            ValueError: There is no such split.
        """
        if split not in self.splits:
            raise ValueError(
                f"Data set '{self.manifest.name}' has no such split. Expected: one of "
                f"{sorted(self.splits)}. Received: split='{split}'. Name one of these."
            )
        return self.splits[split]

    def shard_path(self, split: str, index: int) -> str:
        """Path of one shard."""
        return os.path.join(self.path, self.shards(split)[index].file)

    def iter_shard(
        self,
        split: str,
        index: int,
        batch_size: int = 1024,
        records: Container[int] | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a shard in batches; damaged or unfit records become dead letters.

        Args:
            split: Name of the split.
            index: Number of the shard, from 0.
            batch_size: Records per batch, good and bad.
            records: Numbers of the records wanted; all by default.
            start: The first record of a slice.
            stop: The record after its last; that of the shard by default.

        Yields:
            The good examples of a batch, and its dead letters.
        """
        entry = self.shards(split)[index]
        rows: list[ParsedRecord] = []
        dead: list[DeadLetter] = []
        path = self.shard_path(split, index)
        read = read_records(path, entry.records, start=start, stop=stop)
        for number, record in enumerate(read, start):
            if records is not None and number not in records:
                continue
            row = parse_row(
                number, record, self.manifest.factors, self.kind, self.manifest.image_shape
            )
            if isinstance(row, str):
                dead.append(DeadLetter(entry.file, number, row))
            else:
                rows.append(row)
            if len(rows) + len(dead) >= batch_size:
                yield self._batch(entry.file, rows, dead)
                rows, dead = [], []
        yield self._batch(entry.file, rows, dead)

    def read_shard(self, split: str, index: int) -> tuple[Examples, list[DeadLetter]]:
        """Reads a whole shard: its good examples and its dead letters."""
        parts = list(self.iter_shard(split, index))
        dead = [letter for _, letters in parts for letter in letters]
        return Examples.concatenate([examples for examples, _ in parts]), dead

    def read(self, split: str, limit: int | None = None) -> Examples:
        """Reads a split, or a sample of it, in the order of the shards.

        Args:
            split: Name of the split.
            limit: Size of the sample, keyed by the place of a record; everything by default.

        Raises:
            ValueError: A record is damaged, or there is no such split.
        """
        parts = [self._batch("", [], [])[0]]
        for index, records in enumerate(self._sampled_records(split, limit)):
            for examples, dead in self.iter_shard(split, index, records=records):
                if dead:
                    raise ValueError(
                        f"Data set '{self.path}' has a bad record: record {dead[0].record} of "
                        f"'{dead[0].shard}': {dead[0].reason}. Expected: intact records. Run "
                        "`latentloom verify` for all of them, and write the data set again."
                    )
                parts.append(examples)
        return Examples.concatenate(parts)

    def _sampled_records(self, split: str, limit: int | None) -> list[set[int] | None]:
        """The records of each shard that are in the sample; None for all."""
        sizes = [shard.records for shard in self.shards(split)]
        if limit is None or limit >= sum(sizes):
            return [None] * len(sizes)
        keys = identity_keys(0, f"limit {split}", [str(row) for row in range(sum(sizes))])
        rows = np.sort(np.argsort(keys, kind="stable")[:limit])
        ends = np.cumsum(sizes)
        return [
            set((rows[(rows >= end - size) & (rows < end)] - (end - size)).tolist())
            for size, end in zip(sizes, ends, strict=True)
        ]

    def _batch(
        self, file: str, rows: list[ParsedRecord], dead: list[DeadLetter]
    ) -> tuple[Examples, list[DeadLetter]]:
        """Decodes a batch; observations that cannot be decoded join the dead letters."""
        values = [row.value for row in rows]
        images, intact = self.kind.decode(values, self.manifest.image_shape)
        broken = [rows[place].record for place in np.flatnonzero(~intact)]
        dead = dead + [DeadLetter(file, record, self.kind.damaged) for record in broken]
        rows = [rows[place] for place in np.flatnonzero(intact)]
        names = list(self.manifest.factors)
        codes = np.array([row.codes for row in rows], np.int64).reshape(len(rows), len(names))
        factors = {name: codes[:, column] for column, name in enumerate(names)}
        return Examples(images, factors, [row.example_id for row in rows]), dead
