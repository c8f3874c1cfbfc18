"""The examples that generated records were made from: the ids of their source."""

from __future__ import annotations

import os
from collections.abc import Sequence

from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest, ShardEntry
from latentloom.pipeline.storage.files import sha256_file
from latentloom.pipeline.verification.identities import Identities, stored_ids
from latentloom.pipeline.verification.problem import OTHER_HASH, Problem


class Source:
    """The data set that another one was generated from.

    Args:
        path: Its directory.

    Raises:
        FileNotFoundError: If it is no data set directory, or incomplete.
        ValueError: If its manifest is invalid.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.dataset = DatasetDir.open(path)
        self.ids = Identities()

    def check(self, generated: Manifest) -> list[Problem]:
        """Finds shards of the generation that the source lacks, or that have changed; reads ids.

        Args:
            generated: Manifest of the generated data set.
        """
        split = str(generation_settings(generated).get("split", "train"))
        shards = self.dataset.splits.get(split, [])
        used = generated.source.get("shards")
        used = [used] if not isinstance(used, list) else used
        known = [shard.sha256 for shard in shards]
        unknown = [sha for sha in used if sha not in known]
        if unknown:
            reason = f"was made from other data than '{self.dataset.path}', split '{split}'"
            return [Problem(MANIFEST_FILE, f"{reason}: it lacks {len(unknown)} of its shards")]
        return self._read(split, shards)

    def _read(self, split: str, shards: Sequence[ShardEntry]) -> list[Problem]:
        """Reads the ids of a split; finds shards that have changed."""
        problems = []
        for index, shard in enumerate(shards):
            path = self.dataset.shard_path(split, index)
            if sha256_file(path) != shard.sha256:
                problems.append(Problem(path, OTHER_HASH))
            self.ids.add(example_id for _, example_id in stored_ids(self.dataset, split, index))
        return problems


def generation_settings(manifest: Manifest) -> dict:
    """Returns the section `generate` of the configuration of a generated data set, or nothing."""
    settings = GeneratedDetails.read(manifest.details).config.get("generate")
    return settings if isinstance(settings, dict) else {}
