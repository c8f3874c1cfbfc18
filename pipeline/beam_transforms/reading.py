"""Reads the elements of a collection as examples, and decodes their observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from latentloom.pipeline.beam_transforms.variant_job import VariantJob
from latentloom.pipeline.dataset.reading import parse_row
from latentloom.pipeline.observations.stored import as_stored


class Example(NamedTuple):
    """One example, whose observation may still be encoded.

    Attributes:
        example_id: Its id.
        codes: The index of its value of each factor.
        value: Its observation: encoded as in a record, or an array as stored.
        is_decoded: Whether `value` is an array as stored.
    """

    example_id: str
    codes: list[int]
    value: Any
    is_decoded: bool


def read_example(element: bytes | Mapping[str, Any], job: VariantJob) -> Example:
    """Reads an element: a serialised `tf.train.Example`, or a dictionary of NumPy values.

    Args:
        element: The element.
        job: What examples must fit.

    Raises:
        TypeError: It is neither, or its observation has a wrong dtype.
        ValueError: It lacks a feature, or a feature does not fit the bundle.
    """
    if isinstance(element, bytes):
        row = parse_row(0, element, job.factors, job.kind, job.observation_shape)
        if isinstance(row, str):
            raise bad_example(row, job)
        return Example(row.example_id, row.codes, row.value, is_decoded=False)
    if isinstance(element, Mapping):
        codes = [_code(element, name, len(values), job) for name, values in job.factors.items()]
        return Example(_id(element, job), codes, _observation(element, job), is_decoded=True)
    raise TypeError(
        "An element is no example. Expected: a serialised tf.train.Example as bytes, or a "
        f"dictionary of NumPy values. Received: {type(element).__name__}. Convert it first."
    )


def bad_example(reason: str, job: VariantJob) -> ValueError:
    """Returns the error for an element that is no example for the bundle."""
    one, shape = job.kind.one, job.observation_shape
    return ValueError(
        f"An example does not fit the bundle '{job.model}'. Expected: example_id, "
        f"{', '.join(job.factors)}, and '{job.kind.feature}' with one {one} of shape {shape}. "
        f"Received: {reason}. Correct it, or collect such examples with "
        "`.with_exception_handling()`."
    )


def decode_examples(examples: Sequence[Example], job: VariantJob) -> np.ndarray:
    """Decodes the observations of examples.

    Returns:
        The observations as stored, `(n, ...)`.

    Raises:
        ValueError: If one is damaged; names the first.
    """
    is_decoded = np.array([example.is_decoded for example in examples], bool)
    shape = job.observation_shape
    encoded = [example.value for example in examples if not example.is_decoded]
    found, whole = job.kind.decode(encoded, shape)
    if not whole.all():
        bad = examples[int(np.flatnonzero(~is_decoded)[np.argmin(whole)])].example_id
        raise bad_example(f"'{job.kind.feature}' of '{bad}': {job.kind.damaged}", job)
    if not is_decoded.any():
        return found
    observations = np.empty((len(examples), *shape), job.kind.scaling.dtype)
    observations[~is_decoded] = found
    observations[is_decoded] = [example.value for example in examples if example.is_decoded]
    return observations


def factor_columns(examples: Sequence[Example], job: VariantJob) -> dict[str, np.ndarray]:
    """The value indices of examples by factor, int64 of shape `(n,)` each."""
    codes = np.array([example.codes for example in examples], np.int64)
    codes = codes.reshape(len(examples), len(job.factors))
    return {name: codes[:, column] for column, name in enumerate(job.factors)}


def _id(element: Mapping[str, Any], job: VariantJob) -> str:
    example_id = element.get("example_id")
    if isinstance(example_id, bytes):
        return example_id.decode(errors="replace")
    if not isinstance(example_id, str):
        raise bad_example("'example_id' is missing or not one string", job)
    return str(example_id)


def _code(element: Mapping[str, Any], name: str, size: int, job: VariantJob) -> int:
    code = np.asarray(element.get(name))
    if code.ndim or code.dtype.kind not in "iu":
        raise bad_example(f"'{name}' is missing or not one integer", job)
    if not 0 <= code < size:
        raise bad_example(f"'{name}' is {code}, outside 0..{size - 1}", job)
    return int(code)


def _observation(element: Mapping[str, Any], job: VariantJob) -> np.ndarray:
    name = job.kind.feature
    if name not in element:
        raise bad_example(f"'{name}' is missing", job)
    value = np.asarray(element[name])
    if value.shape != job.observation_shape:
        raise bad_example(f"'{name}' has shape {value.shape}", job)
    return as_stored(value[None], job.kind.scaling.dtype, job.observation_shape)[0]
