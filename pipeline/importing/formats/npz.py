"""A NumPy archive with `images` or `observations`, `label`, factors and, optionally, `split`.

`pipeline.importing.formats.documents` reads archives of sparse rows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader, read_arrays, read_headers
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.importing.arrays import ArraySource, encode_values
from latentloom.pipeline.importing.formats.document_arrays import (
    check_document_headers,
    document_sizes,
    is_of_documents,
    names_of_documents,
)
from latentloom.pipeline.importing.formats.documents import DocumentSource, open_documents
from latentloom.pipeline.importing.formats.npz_checks import check_one_shape, check_part
from latentloom.pipeline.importing.formats.npz_layout import (
    OBSERVED,
    SplitArrays,
    class_numbers,
    field_of,
    layout_of,
    split_parts,
)
from latentloom.pipeline.importing.formats.npz_rows import open_observations
from latentloom.pipeline.importing.formats.npz_splits import (
    check_no_splits,
    rows_of_splits,
    unused_arrays,
)
from latentloom.pipeline.importing.source import Ignored, path_name
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.storage.files import check_regular

_LONGEST_TEXT = 1 << 14  # bytes
_SINGLE = b"\x93NUMPY"  # begins the output of `np.save`


def open_npz(
    file: str,
    label: str | None = None,
    splits: SplitRule | None = None,
    *,
    takes_all_types: bool = False,
    channels_first: bool = False,
    has_ground: bool = False,
    factors: Sequence[str] | None = None,
) -> ArraySource | SplitArrays | DocumentSource:
    """Opens an archive of images, of vectors called `observations`, or of counts in sparse rows.

    Images and vectors are read in blocks, unless they are stored by columns, as Fortran does; other
    arrays must fit into memory. Every one-dimensional array of the same length is a factor; others
    are `ignored`. Arrays may stand by split, such as `train_images`; see `npz_layout`.

    Args:
        file: Path of the archive.
        label: Name of the array of classes if there is no `label`.
        splits: Tells splits by their names; by their words alone by default.
        takes_all_types: Whether images may have other numbers than 8-bit levels.
        channels_first: Whether images are `(n, channels, height, width)`.
        has_ground: Whether a second or fourth channel is the opacity, since a ground is given.
        factors: Names of factors that are asked for; by default all are taken.

    Raises:
        FileNotFoundError: If the file is missing.
        TypeError: If an array has the wrong type.
        ValueError: If the file is not an archive, or its arrays do not fit each other.
    """
    headers, rule = _read_headers(Path(file)), splits or SplitRule()
    if is_of_documents(headers):
        return _open_documents(file, headers, rule)
    parts = layout_of(file, headers, rule)
    layout, left_out = split_parts(file, parts, headers, rule)
    classes = field_of(label, layout)
    for fields in layout.values():
        part = {field: headers[name] for field, name in fields.items()}
        check_part(file, part, classes, takes_all_types, channels_first, has_ground)
    used = {split: _used_of_part(headers, fields, classes) for split, fields in layout.items()}
    shared = set.intersection(*map(set, used.values()))
    names = [n for fields in used.values() for field, n in fields.items() if field in shared]
    observed = {split: _observed(fields) for split, fields in layout.items()}
    streamed = [name for _, name in observed.values() if not headers[name].in_columns]
    arrays = _read(file, headers, [name for name in names if name not in streamed])
    values = {
        split: open_observations(
            file,
            name,
            headers[name],
            arrays.get(name),
            field,
            channels_first=channels_first,
            all_used="split" not in layout[split],
        )
        for split, (field, name) in observed.items()
    }
    columns = {
        split: {f: arrays[n] for f, n in fields.items() if n in arrays and f not in OBSERVED}
        for split, fields in layout.items()
    }
    told = [name for each in left_out for name in parts[each.first].values()]
    ignored = [*left_out, *unused_arrays(headers, [*names, *told])]
    source = _source(file, values, columns, classes, rule, ignored)
    if "" in layout and "split" not in layout[""]:
        check_no_splits(file, source.factors, factors or ())
    return source


def _open_documents(
    file: str, headers: Mapping[str, ArrayHeader], rule: SplitRule
) -> DocumentSource:
    check_document_headers(file, headers)
    names = _used(headers)
    unused = unused_arrays(headers, names)
    return open_documents(file, _read(file, headers, names), rule, unused)


def _source(
    file: str,
    values: Mapping[str, StoredObservations | np.ndarray],
    columns: Mapping[str, dict[str, np.ndarray]],
    classes: str,
    rule: SplitRule,
    ignored: Sequence[Ignored],
) -> ArraySource | SplitArrays:
    """Returns a source for the parts of an archive; a value has one code in all of them."""
    splits = {split: part.pop("split", None) for split, part in columns.items()}
    encoded = _encode(file, columns, classes)
    is_images = next(iter(values.values())).ndim == 4
    check_one_shape(file, {split: observed.shape[1:] for split, observed in values.items()})
    parts = {}
    for place, (split, observed) in enumerate(values.items()):
        size, left_out = len(observed), []
        rows = {split: np.arange(size)}
        if not split:
            rows, left_out = rows_of_splits(file, splits[split], size, rule)
        parts[split] = ArraySource(
            name=path_name(file),
            description=f"{'Images' if is_images else 'Vectors'} from a NumPy archive; each array "
            "as long as they are is a factor.",
            factors={name: names for name, (names, _) in encoded.items()},
            observations=observed,
            codes={name: codes[place] for name, (_, codes) in encoded.items()},
            rows=rows,
            label_field=classes,
            observation="image" if is_images else "vector",
            ignored=[*left_out, *ignored],
        )
    return parts[""] if "" in parts else SplitArrays(parts)


def _encode(
    file: str, columns: Mapping[str, dict[str, np.ndarray]], classes: str
) -> dict[str, tuple[list[str], list[np.ndarray]]]:
    """Returns the value names of each factor, `label` first, and its codes in each part."""
    names = list(next(iter(columns.values())))
    found = {}
    for name in sorted(names, key=lambda name: name != classes):
        parts = [part[name] for part in columns.values()]
        if name == classes:
            parts = [class_numbers(file, name, part) for part in parts]
        parts = [part.reshape(-1) for part in parts]  # (n, 1) is (n,)
        values, codes = encode_values(name, np.concatenate(parts))
        cuts = np.cumsum([len(part) for part in parts])[:-1]
        found["label" if name == classes else name] = values, np.split(codes, cuts)
    return found


def _read_headers(file: Path) -> dict[str, ArrayHeader]:
    check_regular(file)
    if not file.is_file():
        raise FileNotFoundError(
            f"The archive '{file}' is missing. Expected: an npz file. Received: SOURCE=npz:{file}. "
            "Check the path."
        )
    with file.open("rb") as stream:
        if stream.read(len(_SINGLE)) == _SINGLE:
            raise ValueError(
                f"'{file}' holds a single array. Expected: an output of `np.savez` with images and "
                "labels. Received: an output of `np.save`. Write both into one archive by "
                "np.savez(FILE, images=..., label=...)."
            )
    return read_headers(file, file)


def _used(headers: Mapping[str, ArrayHeader]) -> list[str]:
    """Returns the names of the arrays of documents, and of all with a value for each of them."""
    observed = names_of_documents(headers)
    shapes = {(size,) for size in document_sizes(headers)}
    return [name for name in headers if name in observed or headers[name].shape in shapes]


def _observed(fields: Mapping[str, str]) -> tuple[str, str]:
    """Returns field and name of the array of the observations of a part."""
    (found,) = ((field, name) for field, name in fields.items() if field in OBSERVED)
    return found


def _used_of_part(
    headers: Mapping[str, ArrayHeader], fields: Mapping[str, str], classes: str
) -> dict[str, str]:
    """Returns the arrays of the observations of a part, and all with a value for each, by field."""
    observed, name = _observed(fields)
    size = headers[name].shape[0]
    used = (observed, classes, "split")
    shapes = ((size,), (size, 1))
    return {f: n for f, n in fields.items() if f in used or headers[n].shape in shapes}


def _read(
    file: str, headers: Mapping[str, ArrayHeader], names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Reads the arrays that an import uses, if their texts are names and memory can hold them."""
    for name in names:
        array = headers[name]
        if array.dtype.kind in "SU" and array.dtype.itemsize > _LONGEST_TEXT:
            raise ValueError(
                f"Array '{name}' of '{file}' has texts that are too long. Expected: at most "
                f"{_LONGEST_TEXT:,} bytes each. Received: {name}.dtype={array.dtype}. Shorten them."
            )
    needed = sum(headers[name].num_bytes for name in names)
    if needed > (memory := os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")):
        raise ValueError(
            f"The arrays of '{file}' do not fit into memory. Expected: at most {memory:,} bytes "
            f"on this machine. Received: {needed:,} bytes. Import TFRecord files or a folder."
        )
    return read_arrays(Path(file), file, names)
