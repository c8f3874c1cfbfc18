"""`coverage.json` of a generated data set: examples of each cell before and after generation."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from latentloom.augment import Coverage
from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.storage.files import Location, exists, read_text

COVERAGE_FILE = "coverage.json"


def change_document(before: Coverage, made: Sequence[Sequence[tuple[Sequence[int], int]]]) -> str:
    """Returns the text of the file.

    Args:
        before: The cells of the input data.
        made: For each shard, the cells that were written and their numbers of variants.
    """
    parts = [Coverage(before.names, {tuple(c): n for c, n in cells}) for cells in made]
    return json.dumps({"before": before.to_dict(), "after": before.merge(*parts).to_dict()})


def read_change(out: Location) -> tuple[Coverage, Coverage] | None:
    """Reads the coverage before and after generation; None if the file is missing."""
    path = os.path.join(out, COVERAGE_FILE)
    if not exists(path):
        return None
    text = read_text(path)
    with told_of_file(path, "the cells that `generate` counted", "Generate the data set again."):
        document = json.loads(text)
        return Coverage.from_dict(document["before"]), Coverage.from_dict(document["after"])
