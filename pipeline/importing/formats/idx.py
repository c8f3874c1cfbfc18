"""The four idx files of MNIST and its relatives, gzipped or plain."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.arrays import encode_values
from latentloom.pipeline.importing.source import batch_size, path_name, position_ids
from latentloom.pipeline.storage.files import check_regular

_IMAGES, _LABELS = 2051, 2049  # magic numbers: uint8 in three dimensions, and in one
_INFLATES = 1032  # DEFLATE makes a byte from at least 1/1032 byte
_CHUNK = 1 << 20  # bytes read at a time, so that memory is taken for bytes that are there
_PREFIXES = {"train": "train", "test": "t10k"}


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _read(stream: IO[bytes], count: int, path: Path) -> bytes:
    """Reads exactly `count` bytes; raises `ValueError` if the file is damaged."""
    parts, missing = [], count
    try:
        while missing and (part := stream.read(min(missing, _CHUNK))):
            parts.append(part)
            missing -= len(part)
        problem = f"{count - missing} of {count} bytes"
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        problem = str(error)
    if missing:
        raise ValueError(_damaged(path, problem))
    return b"".join(parts)


def _damaged(path: Path, problem: str) -> str:
    return (
        f"'{path}' is truncated or damaged. Expected: the number of bytes in its header. "
        f"Received: {problem}. Download it again."
    )


def _header(stream: IO[bytes], path: Path, magic: int) -> tuple[int, ...]:
    """Reads the sizes in an idx header."""
    (found,) = struct.unpack(">I", _read(stream, 4, path))
    if found != magic:
        raise ValueError(
            f"'{path}' has the wrong magic number. Expected: magic number {magic}. "
            f"Received: {found}. Check that images and labels are not swapped."
        )
    rank = found & 0xFF
    sizes = struct.unpack(f">{rank}I", _read(stream, 4 * rank, path))
    most = os.path.getsize(path) * (_INFLATES if path.suffix == ".gz" else 1)
    if math.prod(sizes) > most:
        raise ValueError(_damaged(path, f"sizes {sizes} for at most {most} bytes"))
    return sizes


def _find(folder: Path, prefix: str, kind: str) -> Path | None:
    names = [f"{prefix}-{kind}{mark}idx{3 if kind == 'images' else 1}-ubyte" for mark in "-."]
    paths = [folder / f"{name}{suffix}" for name in names for suffix in (".gz", "")]
    for path in paths:
        check_regular(path)
    return next((path for path in paths if path.is_file()), None)


@dataclass(frozen=True)
class IdxSource:
    """Grey images with a class number each, in a folder of idx files.

    Args:
        images: Path of the images of each split.
        labels: int64 class codes of shape `(n,)` of each split; classes are the numbers that occur.
    """

    name: str
    description: str
    observation_shape: tuple[int, int, int]
    factors: dict[str, list[str]]
    images: dict[str, Path]
    labels: dict[str, np.ndarray]
    label_field: str = "label"
    observation: str = "image"

    @classmethod
    def open(cls, folder: str) -> IdxSource:
        """Reads the labels and the headers of the images, and checks that they agree.

        Raises:
            FileNotFoundError: If a file is missing.
            ValueError: If a file is damaged, or images and labels do not agree.
        """
        images, labels, shapes = {}, {}, {}
        for split, prefix in _PREFIXES.items():
            pair = [_find(Path(folder), prefix, kind) for kind in ("images", "labels")]
            if split == "test" and pair == [None, None]:
                continue
            if pair[0] is None or pair[1] is None:
                raise FileNotFoundError(
                    f"'{folder}' lacks idx files. Expected: {prefix}-images-idx3-ubyte and "
                    f"{prefix}-labels-idx1-ubyte, plain or .gz. Received: "
                    f"{[path and path.name for path in pair]}. Check the folder."
                )
            images[split] = pair[0]
            labels[split], shapes[split] = _check_pair(pair[0], pair[1])
        if len(set(shapes.values())) > 1:
            raise ValueError(
                f"The images of '{folder}' differ in size between the splits. Expected: one size. "
                f"Received: {shapes}. Keep files of one data set in a folder."
            )
        classes, codes = encode_values("label", np.concatenate(list(labels.values())))
        ends = np.cumsum([len(numbers) for numbers in labels.values()])[:-1]
        return cls(
            name=path_name(folder),
            description="Grey images with a class number each, from idx files.",
            observation_shape=(*shapes["train"], 1),
            factors={"label": classes},
            images=images,
            labels=dict(zip(labels, np.split(codes, ends), strict=True)),
        )

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        return {split: len(labels) for split, labels in self.labels.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; raises `ValueError` if a file is shorter than its header says."""
        path, labels = self.images[split], self.labels[split]
        with _open(path) as stream:
            _header(stream, path, _IMAGES)
            size = batch_size(self)
            for start in range(0, len(labels), size):
                part = labels[start : start + size]
                data = _read(stream, len(part) * math.prod(self.observation_shape), path)
                images = np.frombuffer(data, np.uint8).reshape(len(part), *self.observation_shape)
                ids = position_ids(range(start, start + len(part)))
                yield Examples(images, {"label": part}, ids), []


def _check_pair(images: Path, labels: Path) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns the labels and the size of the images, after comparing the counts."""
    with _open(images) as stream:
        count, height, width = _header(stream, images, _IMAGES)
    with _open(labels) as stream:
        (num_labels,) = _header(stream, labels, _LABELS)
        if count != num_labels or not count * height * width:
            raise ValueError(
                f"'{images.name}' and '{labels.name}' do not agree. Expected: at least one image, "
                f"and a label for each. Received: {count} images, {num_labels} labels, "
                f"{height}x{width} pixels. Use files of one data set."
            )
        codes = np.frombuffer(_read(stream, num_labels, labels), np.uint8)
    return codes, (height, width)
