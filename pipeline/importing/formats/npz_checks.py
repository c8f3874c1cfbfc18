"""Checks types and shapes of the arrays of an archive before they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader, read_arrays
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.importing.formats.npz_layout import OBSERVED, is_label
from latentloom.pipeline.importing.formats.npz_splits import check_split
from latentloom.pipeline.importing.opacity import check_opacity, without_opacity
from latentloom.pipeline.observations import BATCH_BYTES, KINDS

_LOOKED_THROUGH = 1 << 28  # bytes
_CHANNELS = range(1, 5)


def check_one_shape(file: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Rejects splits whose observations differ in shape."""
    if len(set(shapes.values())) > 1:
        raise ValueError(
            f"The splits of '{file}' differ in the shape of their observations. Expected: one "
            f"shape. Received: {shapes}. Reshape them."
        )


def check_part(
    file: str,
    fields: Mapping[str, ArrayHeader],
    classes: str,
    takes_all_types: bool,
    channels_first: bool,
    has_ground: bool,
) -> None:
    """Checks types and shapes of the arrays of a part, by field; see `open_npz`."""
    _check_kind(file, fields)
    if "images" in fields:
        _check_image_type(file, fields["images"], takes_all_types)
        shape = _image_shape(file, fields["images"].shape, channels_first)
        check_opacity(file, shape[2], fields["images"].dtype, has_ground=has_ground)
        _check_shape(file, "image", (*shape[:2], without_opacity(shape[2])))
    else:
        _check_vector_header(file, fields["observations"])
    size = fields["images" if "images" in fields else "observations"].shape[0]
    _check_labels(file, fields, size, classes)
    check_split(file, fields, size)


def _check_kind(file: str, headers: Mapping[str, ArrayHeader]) -> None:
    """Rejects an archive with neither images nor vectors, or with both."""
    found = [name for name in OBSERVED if name in headers]
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
            "shape (n, features), or else `data`, `indices`, `indptr` and `vocab` of counts; or "
            "such arrays by split, as `train_images`. "
            f"Received: {_shapes(headers)}. {fix}."
        )


def _check_labels(file: str, headers: Mapping[str, ArrayHeader], size: int, name: str) -> None:
    """Rejects an archive without a label for each observation."""
    if name in headers and is_label(headers[name], size):
        return
    fix = "Save one class for each observation."
    problem = f" that fit: `{name}` has the shape {headers[name].shape}" if name in headers else ""
    if not problem:
        fitting = [n for n, h in headers.items() if h.shape in ((size,), (size, 1))]
        fitting = [n for n in fitting if n not in ("split", name, *OBSERVED)]
        holds = f"If one of {', '.join(fitting)} holds the classes, pass --label with its name."
        fix = holds if fitting else "Add it."
    raise ValueError(
        f"'{file}' has no labels{problem}. Expected: an array `{name}` of shape ({size},), or "
        f"one-hot. Received: {_shapes(headers)}. {fix}"
    )


def _check_image_type(file: str, images: ArrayHeader, takes_all_types: bool) -> None:
    if images.dtype in (np.uint8, np.bool_) or (takes_all_types and images.dtype.kind in "iuf"):
        return
    problem = _where_not_finite(file, images)
    raise TypeError(
        f"The images of '{file}' are not 8-bit. Expected: uint8 in 0..255, or other numbers with a "
        f"range. Received: images.dtype={images.dtype}{problem}. "
        f"{'Repair, scale' if problem else 'Scale'}, round and cast them first, or pass --range "
        "LOW,HIGH with the values of black and white, or --range file."
    )


def _image_shape(file: str, shape: tuple[int, ...], channels_first: bool) -> tuple[int, int, int]:
    """Returns height, width and channels of images, from the shape of their array."""
    axes = (4,) if channels_first else (3, 4)
    if len(shape) not in axes or not all(shape):
        expected = "(n, channels, height, width)" if channels_first else "(n, height, width)"
        raise ValueError(
            f"The images of '{file}' have the wrong shape. Expected: {expected} or "
            f"(n, height, width, channels). Received: images.shape={shape}. Reshape them."
        )
    if channels_first:
        if shape[1] not in _CHANNELS and shape[3] in _CHANNELS:
            raise ValueError(
                f"The images of '{file}' have their channels last. Expected: (n, channels, height, "
                f"width). Received: images.shape={shape}. Drop --channels-first."
            )
        shape = (shape[0], *shape[2:], shape[1])
    elif len(shape) == 4 and shape[1] in _CHANNELS and shape[3] not in _CHANNELS:
        raise ValueError(
            f"The images of '{file}' seem to have their channels first. Expected: (n, height, "
            f"width, channels) with 1 or 3 channels. Received: images.shape={shape}. Pass "
            "--channels-first."
        )
    return shape[1], shape[2], shape[3] if len(shape) == 4 else 1


def _where_not_finite(file: str, images: ArrayHeader) -> str:
    """Returns which image of the wrong type has NaN, if any and if they are quickly read."""
    if images.dtype.kind != "f" or images.num_bytes > _LOOKED_THROUGH:
        return ""
    finite = np.isfinite(read_arrays(Path(file), file, ["images"])["images"])
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


def check_finite(file: str, vectors: StoredObservations | np.ndarray) -> None:
    """Rejects vectors, float32 `(n, features)`, with NaN or infinity."""
    rows = BATCH_BYTES // max(1, vectors.shape[1] * vectors.dtype.itemsize) + 1
    blocks = (vectors[start : start + rows] for start in range(0, len(vectors), rows))
    if bad := sum(int(np.sum(~np.isfinite(block).all(axis=1))) for block in blocks):
        raise ValueError(
            f"The vectors of '{file}' are not all finite in float32. Expected: no NaN, no infinity "
            f"and none beyond 3.4e38. Received: {bad} such rows. Remove or rescale them."
        )


def _shapes(headers: Mapping[str, ArrayHeader]) -> str:
    return ", ".join(f"{name}{list(array.shape)}" for name, array in headers.items()) or "nothing"
