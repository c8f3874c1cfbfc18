"""The files of a study's directory, for those who may replace it."""

from __future__ import annotations

import os
from collections.abc import Collection

from latentloom.pipeline.dataset.own_files import DATA_SET
from latentloom.pipeline.report.page import report_files
from latentloom.pipeline.storage.files import walk
from latentloom.pipeline.storage.locks import LOCK_FILE, left_in
from latentloom.pipeline.storage.output_directories import STAGING
from latentloom.pipeline.storage.ownership import OutputKind, has_keys, read_object
from latentloom.pipeline.training.own_files import BUNDLE

STUDY_FILE = "study_run.json"
RESULTS, GENERATORS = "results", "generators"
PAGE = "study"
_UNFINISHED = (LOCK_FILE, f"{STAGING}/*")
_OWN = (STUDY_FILE, f"{RESULTS}/*_[0-9]*_*.json")


def _listed(path: str) -> Collection[str] | None:
    """Patterns of a study: its own files, and the data sets and bundles of its generators."""
    if not has_keys(read_object(os.path.join(path, STUDY_FILE)), ["digest"]):
        return None
    depth = f"{GENERATORS}/*/*".count("/") + 1
    folders = {"/".join(name.split("/")[:depth]) for name in walk(path) if name.count("/") >= depth}
    found = {*_OWN, *(report_files(path, PAGE) or ())}
    for folder in folders:
        kind = BUNDLE if folder.endswith("/bundle") else DATA_SET
        inside = os.path.join(path, folder)
        patterns = kind.owned_patterns(inside, left_in(inside))
        found |= {f"{folder}/{pattern}" for pattern in (*(patterns or ()), *_UNFINISHED)}
    return found


STUDY = OutputKind(name="study", listed=_listed, patterns=_OWN)
"""What `study` writes."""
