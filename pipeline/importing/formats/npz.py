"""A NumPy archive with `images` or `observations`, `label`, factors and, optionally, `split`.

`pipeline.importing.formats.documents` reads archives of sparse rows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader, map_arrays, read_headers
from latentloom.pipeline.importing.arrays import ArraySource, encode_values
from latentloom.pipeline.importing.formats.documents import (
    DocumentSource,
    check_document_headers,
    document_sizes,
    is_of_documents,
    names_of_documents,
    open_documents,
)
from latentloom.pipeline.importing.formats.npz_splits import (
    check_split,
    rows_of_splits,
    unused_arrays,
)
from latentloom.pipeline.importing.source import path_name
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import check_regular

_OBSERVED = ("images", "observations")
_LONGEST_TEXT = 1 << 14  # bytes
_LOOKED_THROUGH = 1 << 28  # bytes


def open_npz(
    file: str, label: str | None = None, splits: SplitRule | None = None
) -> ArraySource | DocumentSource:
    """Opens an archive of images, of vectors called `observations`, or of counts in sparse rows.

    They must fit into memory, except images stored without compression (`np.savez`), which are
    mapped. Every one-dimensional array of the same length is a factor; others are `ignored`.

    Args:
        file: Path of the archive.
        label: Name of the array of classes if there is no `label`.
        splits: Tells splits by their names; by their words alone by default.

    Raises:
        FileNotFoundError: If the file is missing.
        TypeError: If an array has the wrong type.
        ValueError: If the file is not an archive, or its arrays do not fit each other.
    """
    headers, rule = _read_headers(Path(file)), splits or SplitRule()
    unused = unused_arrays(headers, _used(headers))
    if is_of_documents(headers):
        check_document_headers(file, headers)
        return open_documents(file, _read(file, headers), rule, unused)
    _check_kind(file, headers)
    is_images = "images" in headers
    observed = _OBSERVED[0 if is_images else 1]
    (_check_image_header if is_images else _check_vector_header)(file, headers[observed])
    size = headers[observed].shape[0]
    classes = label if label is not None and "label" not in headers else "label"
    _check_labels(file, headers, size, classes)
    check_split(file, headers, size)
    columns = _read(file, headers)
    values = columns.pop(observed)
    images = values[..., None] if values.ndim == 3 else values
    images = images if is_images else _check_vectors(file, values)
    rows, left_out = rows_of_splits(file, columns.pop("split", None), size, rule)
    columns = {"label": columns.pop(classes), **columns}
    encoded = {name: encode_values(name, values) for name, values in columns.items()}
    return ArraySource(
        name=path_name(file),
        description=f"{'Images' if is_images else 'Vectors'} from a NumPy archive; each array as "
        "long as they are is a factor.",
        factors={name: names for name, (names, _) in encoded.items()},
        observations=images,
        codes={name: codes for name, (_, codes) in encoded.items()},
        rows=rows,
        label_field=classes,
        observation="image" if is_images else "vector",
        ignored=[*left_out, *unused],
    )


def _read_headers(file: Path) -> dict[str, ArrayHeader]:
    check_regular(file)
    if not file.is_file():
        raise FileNotFoundError(
            f"The archive '{file}' is missing. Expected: an npz file. Received: SOURCE=npz:{file}. "
            "Check the path."
        )
    return read_headers(file, file)


def _used(headers: Mapping[str, ArrayHeader]) -> list[str]:
    """Returns the names of the observations, and of all arrays with a value for each of them."""
    if is_of_documents(headers):
        observed, sizes = names_of_documents(headers), document_sizes(headers)
    else:
        observed = [name for name in _OBSERVED if name in headers]
        sizes = {size for name in observed for size in headers[name].shape[:1]}
    shapes = {(size,) for size in sizes}
    known = (*observed, "split")
    return [name for name in headers if name in known or headers[name].shape in shapes]


def _check_kind(file: str, headers: Mapping[str, ArrayHeader]) -> None:
    """Rejects an archive with neither images nor vectors, or with both."""
    found = [name for name in _OBSERVED if name in headers]
    if len(found) != 1:
        problem = "both images and vectors" if found else "no images"
        fix = (
            "Keep the ones that are meant and leave one out"
            if found
            else "Add it, or rename the array that holds them"
        )
        raise ValueError(
            f"'{file}' has {problem}. Expected: an array `images` of shape (n, "
            "height, width) or (n, height, width, channels), or else an array `observations` of "
            "shape (n, features), or else `data`, `indices`, `indptr` and `vocab` of counts. "
            f"Received: {_shapes(headers)}. {fix}."
        )


def _check_labels(file: str, headers: Mapping[str, ArrayHeader], size: int, name: str) -> None:
    """Rejects an archive without a label for each observation."""
    if name in headers and headers[name].shape == (size,):
        return
    fix = "Save one class for each observation."
    problem = f" that fit: `{name}` has the shape {headers[name].shape}" if name in headers else ""
    if not problem:
        fitting = [n for n, h in headers.items() if h.shape == (size,) and n not in ("split", name)]
        holds = f"If one of {', '.join(fitting)} holds the classes, pass --label with its name."
        fix = holds if fitting else "Add it."
    raise ValueError(
        f"'{file}' has no labels{problem}. Expected: an array `{name}` of shape ({size},). "
        f"Received: {_shapes(headers)}. {fix}"
    )


def _check_image_header(file: str, images: ArrayHeader) -> None:
    if images.dtype != np.uint8:
        problem = _where_not_finite(file, images)
        raise TypeError(
            f"The images of '{file}' are not 8-bit. Expected: uint8 in 0..255. "
            f"Received: images.dtype={images.dtype}{problem}. "
            f"{'Repair, scale' if problem else 'Scale'}, round and cast them first."
        )
    if images.ndim not in (3, 4) or not images.num_bytes:
        raise ValueError(
            f"The images of '{file}' have the wrong shape. Expected: (n, height, width) or "
            f"(n, height, width, channels). Received: images.shape={images.shape}. Reshape them."
        )
    _check_shape(file, "image", (*images.shape[1:3], *(images.shape[3:] or (1,))))


def _where_not_finite(file: str, images: ArrayHeader) -> str:
    """Returns which image of the wrong type has NaN, if any and if they are quickly read."""
    if images.dtype.kind != "f" or images.num_bytes > _LOOKED_THROUGH:
        return ""
    finite = np.isfinite(map_arrays(Path(file), file, ["images"])["images"])
    if finite.all():
        return ""
    return f" with NaN or infinity, first in images[{np.argwhere(~finite)[0][0]}]"


def _check_vector_header(file: str, vectors: ArrayHeader) -> None:
    if vectors.dtype.kind != "f":
        raise TypeError(
            f"The vectors of '{file}' have the wrong type. Expected: a floating type. "
            f"Received: observations.dtype={vectors.dtype}. Cast them to float32."
        )
    if vectors.ndim != 2 or not vectors.num_bytes:
        raise ValueError(
            f"The vectors of '{file}' have the wrong shape. Expected: (n, features). "
            f"Received: observations.shape={vectors.shape}. Reshape them."
        )
    _check_shape(file, "vector", vectors.shape[1:])


def _check_shape(file: str, kind: str, shape: tuple[int, ...]) -> None:
    if expected := KINDS[kind].check_shape(shape):
        raise ValueError(
            f"The {KINDS[kind].many} of '{file}' have an unsupported shape. "
            f"Expected: {expected}. Received: observation_shape={shape}. Convert them."
        )


def _read(file: str, headers: Mapping[str, ArrayHeader]) -> dict[str, np.ndarray]:
    """Reads the arrays that an import uses, if their texts are names and memory can hold them."""
    names = _used(headers)
    for name in names:
        array = headers[name]
        if array.dtype.kind in "SU" and array.dtype.itemsize > _LONGEST_TEXT:
            raise ValueError(
                f"Array '{name}' of '{file}' has texts that are too long. Expected: at most "
                f"{_LONGEST_TEXT:,} bytes each. Received: {name}.dtype={array.dtype}. Shorten them."
            )
    needed = sum(headers[name].num_bytes for name in names if headers[name].is_packed)
    if needed > (memory := os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")):
        raise ValueError(
            f"The arrays of '{file}' do not fit into memory. Expected: at most {memory:,} bytes "
            f"on this machine. Received: {needed:,} bytes. Import TFRecord files or a folder."
        )
    return map_arrays(Path(file), file, names)


def _check_vectors(file: str, vectors: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # rejected below
        vectors = vectors.astype(np.float32)
    if bad := int(np.sum(~np.isfinite(vectors).all(axis=1))):
        raise ValueError(
            f"The vectors of '{file}' are not all finite in float32. Expected: no NaN, no infinity "
            f"and none beyond 3.4e38. Received: {bad} such rows. Remove or rescale them."
        )
    return vectors


def _shapes(headers: Mapping[str, ArrayHeader]) -> str:
    return ", ".join(f"{name}{list(array.shape)}" for name, array in headers.items()) or "nothing"
