"""Checks that the variants of a job are numbered and keyed as the job does it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latentloom.augment import derive, find_recipe, identity_keys
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.dataset.provenance import Provenance
from latentloom.pipeline.dataset.reading import ParsedRecord
from latentloom.pipeline.verification.problem import Problem

_DIGITS = 9  # of a number that fits every column
_SHOWN = 20  # characters of a number that is none


class VariantChecks:
    """Makes the keys of the variants anew, and follows their numbers from anchor to anchor.

    A job writes the variants of an anchor one after the other, in the order of their numbers; a
    number that is left out is that of a rejected variant.

    Args:
        settings: Settings of the job.
        manifest: Manifest of what it wrote.
    """

    def __init__(self, settings: GenerateConfig, manifest: Manifest):
        recipe = find_recipe(settings.recipe)
        self._settings, self._totals = settings, manifest.totals
        self._attempts = 1 if recipe.keeps_all else settings.gate.attempts
        self._keeps_factors = not recipe.needs_donors
        each = settings.sampling_strategy is None and not recipe.fills_cells
        self._most = settings.variants_per_example if each else self._totals["requested"]
        self._anchors: list[str] = []
        self._added: list[tuple[int, int, int, int]] = []
        self._last: tuple[str, int, list[int]] = "", -1, []
        self._left_out = 0

    def start_shard(self) -> None:
        """Begins a shard: the variants of an anchor are in one."""
        self._last = "", -1, []

    def add(self, row: ParsedRecord, found: Provenance) -> str:
        """Adds a record; returns what is wrong with its number or its factors, or an empty text."""
        text = row.example_id[len(found.anchor_id) + len(found.recipe) + 2 :]
        variant = int(text) if text.isdecimal() and len(text) <= _DIGITS else -1
        if text != f"{variant:04d}" or not 0 <= variant < self._most:
            return f"has the variant {text[:_SHOWN]!r}, the job makes 0000 to {self._most - 1:04d}"
        anchor, last, codes = self._last
        if anchor != found.anchor_id or not self._anchors:
            self._anchors.append(found.anchor_id)
        if anchor != found.anchor_id:
            last = -1
        elif variant <= last:
            return f"has the variant {variant} of its anchor after the variant {last}"
        elif row.codes[0] != codes[0] or (self._keeps_factors and row.codes != codes):
            return "has another label or factor than the variant of its anchor before it"
        self._left_out += variant - last - 1
        self._last = found.anchor_id, variant, row.codes
        self._added.append((row.record, len(self._anchors) - 1, variant, found.seed))
        return ""

    def wrong_keys(self) -> Iterator[tuple[int, str]]:
        """Yields number and problem of the records since the last call with a key of no attempt."""
        if not self._added:
            return
        added, settings = np.array(self._added, np.int64), self._settings
        records, places, variants, stored = added.T
        of_anchors = identity_keys(settings.seed, settings.recipe, self._anchors)
        self._added, self._anchors = [], []
        keys = derive(of_anchors[places], variants)
        wrong = np.arange(len(keys))
        for attempt in range(self._attempts):
            wrong = wrong[derive(keys[wrong], attempt).view(np.int64) != stored[wrong]]
        for place in wrong.tolist():
            reason = f"has the seed {stored[place]}, which the job does not give to its id"
            yield int(records[place]), reason

    def check_rejected(self) -> list[Problem]:
        """Compares the numbers that were left out with the rejected variants, after all shards."""
        rejected = self._totals["rejected"]
        if self._left_out <= rejected:
            return []
        reason = f"states {rejected} rejected variants, the ids of its records leave out"
        return [Problem(MANIFEST_FILE, f"{reason} {self._left_out}")]
