"""A source whose observations are an array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.importing.source import Ignored, batch_size, position_ids
from latentloom.pipeline.importing.value_order import in_order

_EXACT = 2.0**53  # below it, a float64 holds every whole number


@dataclass(frozen=True)
class ArraySource:
    """Observations in an array, and factor codes in memory.

    Args:
        observations: Observations in stored form: uint8 array of shape `(n, height, width,
            channels)`, or for vectors float32 of shape `(n, features)`; or rows of it that are read
            when they are asked for.
        codes: int64 array of shape `(n,)` for each factor.
        rows: The rows of each split.
        observation: The kind of observation.
        ignored: What an import leaves out.
    """

    name: str
    description: str
    factors: dict[str, list[str]]
    observations: np.ndarray | StoredObservations
    codes: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    label_field: str = "label"
    observation: str = "image"
    ignored: list[Ignored] = field(default_factory=list)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Event shape of the observations."""
        return self.observations.shape[1:]

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        return {split: len(rows) for split, rows in self.rows.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; an id is the position within the split."""
        size = batch_size(self)
        for start in range(0, len(self.rows[split]), size):
            rows = self.rows[split][start : start + size]
            factors = {name: codes[rows] for name, codes in self.codes.items()}
            yield (
                Examples(
                    self.observations[rows], factors, position_ids(range(start, start + len(rows)))
                ),
                [],
            )


def encode_values(field: str, values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Numbers the distinct values of a field in ascending order, texts of numbers by their size.

    Args:
        field: Name of the field, for the error.
        values: Integers, whole numbers of a floating type, booleans or texts of shape `(n,)`.

    Returns:
        The value names, and an int64 code per value.

    Raises:
        TypeError: If the values have another type.
        ValueError: If a text is not Unicode.
    """
    if (
        values.dtype.kind == "f"
        and (values == np.rint(values)).all()
        and abs(values).max(initial=0) < 2**53
    ):
        values = values.astype(np.int64)
    if values.dtype.kind not in "biuSU":
        raise TypeError(
            f"Field '{field}' is unfit for a label or factor. Expected: integers or texts. "
            f"Received: dtype={values.dtype}. Save it as integers or texts, or leave it out."
        )
    distinct, codes = np.unique(values, return_inverse=True)
    is_text = distinct.dtype.kind in "SU"
    names = read_texts(field, distinct) if is_text else [str(n) for n in distinct.tolist()]
    if not is_text:
        return names, codes.astype(np.int64)
    ordered = in_order(names)
    places = {name: place for place, name in enumerate(ordered)}
    return ordered, np.array([places[name] for name in names], np.int64)[codes]


def read_texts(field: str, values: np.ndarray) -> list[str]:
    """Returns the texts of a field; bytes are read as UTF-8.

    Args:
        field: Name of the field, for the error.
        values: Texts or bytes of shape `(n,)`.

    Raises:
        ValueError: If a text is not Unicode.
    """
    try:
        texts = values.tolist()
        texts = [text.decode() if isinstance(text, bytes) else text for text in texts]
        "".join(texts).encode()  # a lone surrogate cannot be written
    except ValueError as error:
        raise ValueError(
            f"Field '{field}' has a text that is not Unicode. Expected: texts, or bytes in UTF-8. "
            f"Received: {error}. Save the texts again."
        ) from error
    return texts
