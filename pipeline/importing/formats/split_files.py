"""The splits of the files of one data set, by the names of the files or of their folders."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.importing.split_names import NONE, SPLITS, TRAIN, SplitRule
from latentloom.pipeline.storage.texts import printable

_SHARD = re.compile(r"(.*)-(\d{1,9})-of-(\d{1,9})(.*)")


def split_files(
    where: str, paths: Sequence[str], rule: SplitRule
) -> tuple[dict[str, list[str]], list[Ignored]]:
    """Returns the files of each split, and what `--split` leaves out.

    The name of a file tells its split, or that of a folder in which not all files lie. If none of
    them does, all files are for training.
    """
    missing = _missing_shards(paths)
    shared = os.path.commonpath([os.path.dirname(path) for path in paths])
    names = {path: _telling_part(os.path.relpath(path, shared), rule) for path in paths}
    distinct = list(dict.fromkeys(names.values()))
    if not rule.chosen and not any(map(rule.tell, distinct)):
        return {rule.otherwise or TRAIN: list(paths)}, missing
    rule.check_patterns(distinct, where)
    told = rule.assign(distinct, where, files=True)
    files = {split: [p for p in paths if told[names[p]] == split] for split in (*SPLITS, NONE)}
    left_out = files.pop(NONE)
    files = {split: found for split, found in files.items() if found or split == TRAIN}
    reason = "files that --split leaves out"
    ignored = [Ignored(reason, len(left_out), os.path.basename(left_out[0]))] if left_out else []
    return files, [*ignored, *missing]


def _missing_shards(paths: Sequence[str]) -> list[Ignored]:
    """Returns the shards that the names of others count, such as `-00001-of-00002`, by group."""
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for path in paths:
        if found := _SHARD.fullmatch(path):
            name, number, count, end = found.groups()
            groups.setdefault((name, count), {})[int(number)] = end
    ignored = []
    for (name, count), ends in groups.items():
        if (lost := int(count) - len(ends)) > 0:
            first = next(number for number in range(int(count)) if number not in ends)
            name = printable(os.path.basename(name))
            shard = f"{name}-{first:0{len(count)}d}-of-{count}"
            ignored.append(Ignored(f"shards of '{name}' are missing", lost, shard))
    return ignored


def _telling_part(path: str, rule: SplitRule) -> str:
    """Returns the part of a path that tells a split: the last one; without any, the file's name."""
    parts = path.split("/")[::-1]
    return next((part for part in parts if rule.tell(part)), parts[0])
