"""The data set directory: TFRecord shards in the TFDS layout, with a manifest."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.indexing import index_split
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest, ShardEntry
from latentloom.pipeline.dataset.reading import (
    Parse,
    ParsedRecord,
    decode_rows,
    no_examples,
    parse_row,
    sampled_records,
    stream_rows,
)
from latentloom.pipeline.observations import KINDS, Kind
from latentloom.pipeline.storage.files import file_size, is_remote

MISSING = "is missing"
METADATA_FILES = ("dataset_info.json", "features.json")
CONFIG_FILE, DEAD_LETTERS_FILE = "config.yaml", "dead_letters.jsonl"


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
        """Opens a directory; checks that every file exists with its recorded size.

        Raises:
            FileNotFoundError: If the manifest, a metadata file or a shard is missing.
            ValueError: If a shard has another size than recorded, or the manifest is invalid.
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

    def missing_or_resized(self, *, every_file: bool = False) -> list[tuple[str, str]]:
        """Returns files that are missing or have another size than recorded, with the reason.

        Args:
            every_file: Whether to look at all files of the manifest, not only at those that
                reading needs.
        """
        problems = []
        sizes = {shard.file: shard.num_bytes for shard in self.manifest.shards}
        if every_file:
            sizes |= {name: entry.num_bytes for name, entry in self.manifest.files.items()}
        for file, size in {**dict.fromkeys(METADATA_FILES), **sizes}.items():
            found = file_size(os.path.join(self.path, file))
            if found is None:
                problems.append((file, MISSING))
            elif size is not None and found != size:
                problems.append((file, f"has {found} bytes instead of {size}"))
        return problems

    @property
    def observation_kind(self) -> Kind:
        """The kind of observation."""
        return KINDS[self.manifest.observation]

    @property
    def splits(self) -> dict[str, list[ShardEntry]]:
        """The shards of each split."""
        return self.manifest.splits

    @property
    def scored_split(self) -> str:
        """The split that scores a model: `test`, or the fold `validation` if `test` is empty."""
        return "test" if self.manifest.num_examples("test") else "validation"

    def shards(self, split: str) -> list[ShardEntry]:
        """Returns the shards of a split, in order.

        Raises:
            ValueError: If the split is unknown.
        """
        if split not in self.splits:
            raise ValueError(
                f"Data set '{self.manifest.name}' has no such split. Expected: one of "
                f"{sorted(self.splits)}. Received: split='{split}'. Name one of these."
            )
        return self.splits[split]

    def shard_index(self, split: str, file: str) -> int:
        """Returns the number of the shard of a split that has a file name."""
        return [shard.file for shard in self.shards(split)].index(file)

    def shard_path(self, split: str, index: int) -> str:
        """Returns the path of one shard."""
        return os.path.join(self.path, self.shards(split)[index].file)

    def iter_shard(
        self,
        split: str,
        index: int,
        batch_size: int | None = None,
        records: Container[int] | None = None,
        start: int = 0,
        stop: int | None = None,
        parse: Parse = parse_row,
    ) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a shard in batches; damaged or unfit records become dead letters.

        Takes the arguments of `iter_rows`.

        Yields:
            The good examples of a batch, and its dead letters.
        """
        file = self.shards(split)[index].file
        for rows, dead in self.iter_rows(split, index, batch_size, records, start, stop, parse):
            yield decode_rows(self.manifest, file, rows, dead)

    def iter_rows(
        self,
        split: str,
        index: int,
        batch_size: int | None = None,
        records: Container[int] | None = None,
        start: int = 0,
        stop: int | None = None,
        parse: Parse = parse_row,
    ) -> Iterator[tuple[list[ParsedRecord], list[DeadLetter]]]:
        """Streams a shard in batches of rows that are not decoded yet.

        Args:
            split: Name of the split.
            index: Number of the shard, from 0.
            batch_size: Records per batch, good and bad; by default as many as `Kind.batch_size`.
            records: Numbers of the records to read; all by default.
            start: The first record of a slice.
            stop: The record after the slice; the end of the shard by default.
            parse: Reads one record, as `parse_row` does.

        Yields:
            The rows of a batch, and its dead letters.
        """
        return stream_rows(
            self.shard_path(split, index),
            self.shards(split)[index],
            self.manifest,
            batch_size=batch_size,
            records=records,
            start=start,
            stop=stop,
            parse=parse,
        )

    def read_shard(self, split: str, index: int) -> tuple[Examples, list[DeadLetter]]:
        """Reads a whole shard; returns its good examples and its dead letters."""
        parts = list(self.iter_shard(split, index))
        dead = [letter for _, letters in parts for letter in letters]
        return Examples.concatenate([examples for examples, _ in parts]), dead

    def read(self, split: str, limit: int | None = None) -> Examples:
        """Reads a split, or a sample of it, in the order of the shards.

        Images of a local data set stay in their shards: `observations` reads the rows that it is
        asked for.

        Args:
            split: Name of the split.
            limit: Size of the sample, keyed by the position of a record; everything by default.

        Raises:
            ValueError: If a record is damaged, or the split is unknown.
        """
        sizes = [shard.records for shard in self.shards(split)]
        return self.read_records(split, sampled_records(split, sizes, limit))

    def read_validation(self) -> Examples | None:
        """Reads the split `validation`; None if the data have none, so that a share of `train` is.

        Raises:
            ValueError: If a record is damaged.
        """
        return self.read("validation") if self.manifest.num_examples("validation") else None

    def read_records(self, split: str, records: Sequence[set[int] | None]) -> Examples:
        """Like `read`, some records of each shard by their numbers; None for all of a shard."""
        shards = self.shards(split)
        if self.observation_kind.stays_in_shards and not is_remote(self.path):
            paths = [os.path.join(self.path, shard.file) for shard in shards]
            found = index_split(paths, shards, self.manifest, records)
            return found if isinstance(found, Examples) else self._refuse(found)
        parts = [no_examples(self.manifest)]
        for index, chosen in enumerate(records):
            for examples, dead in self.iter_shard(split, index, records=chosen):
                parts.append(self._refuse(dead[0]) if dead else examples)
        return Examples.concatenate(parts)

    def _refuse(self, dead: DeadLetter) -> NoReturn:
        raise ValueError(
            f"Data set '{self.path}' has a bad record. Expected: intact records. Received: record "
            f"{dead.record} of '{dead.shard}': {dead.reason}. Run `latentloom verify` for all of "
            "them, and write the data set again."
        )
