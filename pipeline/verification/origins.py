"""The examples that generated records were made from: ids and factors of their source."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from latentloom.augment import Coverage, HoldOut, find_recipe, variants_per_class
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.storage.files import sha256_file
from latentloom.pipeline.verification.identities import keys_of, stored_codes
from latentloom.pipeline.verification.problem import OTHER_HASH, Problem


class Source:
    """The data set that another one was generated from.

    Args:
        path: Its directory.

    Attributes:
        factors: Names of the factors that are known of each example, in order.
        is_read: Whether `check` has read ids and factors, and found the shards unchanged.

    Raises:
        FileNotFoundError: If it is no data set directory, or incomplete.
        ValueError: If its manifest is invalid.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.dataset = DatasetDir.open(path)
        self.factors = list(self.dataset.manifest.factors)
        self.is_read = False
        self._keys = np.zeros(0, np.int64)
        self._codes = np.zeros((0, len(self.factors)), np.int32)
        self._held_out = np.zeros(0, bool)

    def check(self, generated: Manifest) -> list[Problem]:
        """Finds what the generation says of the source that is not so; reads ids and factors.

        Args:
            generated: Manifest of the generated data set.
        """
        settings = generation_settings(generated)
        split = str(settings.get("split", "train"))
        if unlike := list(self._unlike(generated, split, settings)):
            where = f"was made from other data than '{self.dataset.path}', split '{split}'"
            return [Problem(MANIFEST_FILE, f"{where}: {unlike[0]}")]
        if problems := self._read(split):
            return problems
        try:
            self._leave_out(HoldOut.from_dict(GeneratedDetails.read(generated.details).hold_out))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            reason = f"holds out cells that '{self.dataset.path}' does not have: {error}"
            return [Problem(MANIFEST_FILE, reason)]
        self.is_read = True
        return [Problem(MANIFEST_FILE, reason) for reason in self._count(generated)]

    def codes_of(self, ids: Sequence[str]) -> dict[str, list[int] | None]:
        """Returns the value indices of examples; None for those that the source does not have."""
        return {
            example_id: None if row < 0 else self._codes[row].tolist()
            for example_id, row in zip(ids, self._rows_of(ids), strict=True)
        }

    def held_out(self, ids: Sequence[str]) -> list[str]:
        """Returns the ids of examples in cells that were held out of the generation."""
        if not self._held_out.any():
            return []
        rows = self._rows_of(ids)
        places = np.flatnonzero((rows >= 0) & self._held_out[rows])
        return [ids[place] for place in places.tolist()]

    def agrees(self, change: tuple[Coverage, Coverage] | None) -> bool:
        """Returns whether coverage, if any was counted, began with the cells of the source."""
        if change is None:
            return True
        columns = {name: column[~self._held_out] for name, column in self._columns().items()}
        return Coverage(change[0].names).count(columns).counts == change[0].counts

    def _unlike(
        self, generated: Manifest, split: str, settings: Mapping[str, object]
    ) -> Iterator[str]:
        """Yields how the source differs from what the generation says of it."""
        manifest = self.dataset.manifest
        used, known = generated.source.get("shards"), self.dataset.splits.get(split, [])
        used = [used] if not isinstance(used, list) else used
        there = {shard.sha256 for shard in known}
        if unknown := [sha for sha in used if sha not in there]:
            yield f"it lacks {len(unknown)} of its shards"
        size = settings.get("slice_records")
        if isinstance(size, int) and size > 0:
            shards = sorted(known, key=lambda shard: shard.file)
            slices = [s.sha256 for s in shards for _ in range(max(-(-s.records // size), 1))]
            if used != slices:
                yield "it has other shards, or in another order"
        if generated.source.get("data", manifest.name) != manifest.name:
            yield f"its name is '{manifest.name}'"
        for factor, values in generated.factors.items():
            if manifest.factors.get(factor) != values:
                yield f"it has other values of '{factor}'"

    def _read(self, split: str) -> list[Problem]:
        """Reads ids and factors of a split; finds shards that have changed."""
        problems, keys, codes = [], [], []
        for index, shard in enumerate(self.dataset.splits.get(split, [])):
            path = self.dataset.shard_path(split, index)
            if sha256_file(path) != shard.sha256:
                problems.append(Problem(path, OTHER_HASH))
            for ids, values in stored_codes(self.dataset, split, index, self.factors):
                keys.append(keys_of(ids))
                codes.append(np.array(values, np.int32).reshape(len(ids), len(self.factors)))
        if keys:
            found = np.concatenate(keys)
            order = np.argsort(found)
            self._keys, self._codes = found[order], np.concatenate(codes)[order]
        self._held_out = np.zeros(len(self._keys), bool)
        return problems

    def _leave_out(self, hold_out: HoldOut) -> None:
        if hold_out and len(self._codes):
            self._held_out = ~hold_out.keeps(self._columns())

    def _count(self, generated: Manifest) -> Iterator[str]:
        """Compares the requested variants with those that the settings ask for."""
        details = GeneratedDetails.read(generated.details)
        settings = settings_of(generated)
        if settings is None or find_recipe(settings.recipe).fills_cells:
            return
        if details.unreadable_records or len(self._keys) == 0:
            return
        counts = Counter(self._codes[~self._held_out, 0].tolist())
        names = self.dataset.manifest.class_names
        by_class = {name: counts[code] for code, name in enumerate(names)}
        try:
            asked = variants_per_class(
                settings.sampling_strategy, by_class, settings.variants_per_example
            )
        except ValueError as error:
            yield f"has settings that do not fit its source: {error}"
            return
        if sum(asked.values()) != generated.totals["requested"]:
            yield (
                f"states {generated.totals['requested']} requested variants, its settings ask "
                f"for {sum(asked.values())} of '{self.dataset.path}'"
            )

    def _columns(self) -> dict[str, np.ndarray]:
        codes = self._codes.astype(np.int64)
        return {name: codes[:, axis] for axis, name in enumerate(self.factors)}

    def _rows_of(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the row of each id, or -1."""
        if not len(self._keys):
            return np.full(len(ids), -1)
        keys = keys_of(ids)
        rows = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[rows] == keys, rows, -1)


def generation_settings(manifest: Manifest) -> dict:
    """Returns the section `generate` of the configuration of a generated data set, or nothing."""
    settings = GeneratedDetails.read(manifest.details).config.get("generate")
    return settings if isinstance(settings, dict) else {}


def settings_of(manifest: Manifest) -> GenerateConfig | None:
    """Returns the settings of a generated data set, or None if they are not of this version."""
    settings = generation_settings(manifest)
    try:
        config = GenerateConfig.model_validate(settings)
        find_recipe(config.recipe).resolve(config.options)
    except ValueError:
        return None
    return config if settings else None


def drawn_factors(manifest: Manifest) -> list[str]:
    """Returns the factors of which a generated data set may have values from no example."""
    settings = settings_of(manifest)
    if settings is None:
        return []
    recipe = find_recipe(settings.recipe)
    return [name for name in manifest.factors if recipe.may_draw(name, settings.options)]
