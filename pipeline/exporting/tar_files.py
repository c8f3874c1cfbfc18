"""Tar files as WebDataset reads them: a PNG, its class and its facts for each example."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.exporting.rows import Row, as_json, rows
from latentloom.pipeline.exporting.sinks import Files, sink


def write_webdataset(dataset: DatasetDir, folder: str, done: Callable[[int], None]) -> Files:
    """Writes one tar file a shard, with owners and times of zero.

    An example is `KEY.png`, `KEY.cls` with the code of the class as text, and `KEY.json` with the
    names of label and factors, id and provenance.

    Args:
        dataset: The data set, of images.
        folder: Where to write.
        done: Called with the number of records after each.

    Returns:
        The files.
    """
    files = Files()
    for split, shards in dataset.splits.items():
        for index in range(len(shards)):
            name = f"{dataset.manifest.name}-{split}-{index:06d}.tar"
            with (
                sink(folder, name, files) as file,
                tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as tar,
            ):
                for row in rows(dataset, split, index):
                    for member, content in _members(row, dataset):
                        _add(tar, member, content)
                    done(1)
    return files


def _members(row: Row, dataset: DatasetDir) -> Iterator[tuple[str, bytes]]:
    facts = {**row.named(dataset), **row.provenance}
    yield f"{row.key}.png", bytes(row.observation)
    yield f"{row.key}.cls", str(row.codes["label"]).encode()
    yield f"{row.key}.json", as_json(facts).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
