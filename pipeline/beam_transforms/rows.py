"""AugmentRows: `Augment` for rows with a field `record`, as Beam YAML reads TFRecord files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection, PValue, Row
from apache_beam.typehints.row_type import RowTypeConstraint

from latentloom.augment.options import Option
from latentloom.pipeline.beam_transforms.augment import Augment
from latentloom.pipeline.beam_transforms.donor_bank import DonorBank

_RECORD = RowTypeConstraint.from_fields([("record", bytes)])
_LETTER = RowTypeConstraint.from_fields([("element", bytes), ("msg", str), ("stack", str)])


class AugmentRows(beam.PTransform):
    """Turns rows of serialised examples into rows of their variants, for Beam YAML.

    The input is a collection, or two by name: `input`, and `donors` with the examples that donors
    are taken from. Rows in and out have one field, `record`.

    Args:
        bundle: Directory of a trained bundle, as for `Augment`.
        recipe: Name of the recipe.
        options: Options of the recipe.
        variants: Variants of each example.
        gate: Settings of the gate; False for off.
        seed: Another seed, other variants.
        detail: Share of an example's own detail that goes into its variants.
        donors_per_class: Donors of each class, and of each value of another factor.
        error_handling: `{"output": name}`, as everywhere in Beam YAML: rows `element`, `msg` and
            `stack` of bad examples go to an output of this name.

    Raises:
        ValueError: As `Augment`, when the pipeline is built; or if `error_handling` names nothing.
    """

    def __init__(
        self,
        bundle: str,
        recipe: str = "class_preserving",
        *,
        options: Mapping[str, Option] | None = None,
        variants: int = 1,
        gate: Mapping[str, Any] | bool = True,
        seed: int = 0,
        detail: float = 0.0,
        donors_per_class: int = 64,
        error_handling: Mapping[str, str] | None = None,
    ):
        super().__init__()
        if error_handling is not None and set(error_handling) != {"output"}:
            raise ValueError(
                "The error handling is wrong. Expected: {output: NAME}. Received: error_handling="
                f"{dict(error_handling)}. Name the output of bad examples."
            )
        self._shared = {"bundle": bundle, "recipe": recipe, "options": options, "seed": seed}
        self._own = {"variants": variants, "gate": gate, "detail": detail}
        self._capacity, self._errors = donors_per_class, error_handling

    def expand(self, input_or_inputs: PCollection | Mapping[str, PCollection]) -> Any:
        """Connects rows to rows."""
        named = input_or_inputs
        if not isinstance(named, Mapping):
            named = {"input": named}
        donors = None
        if "donors" in named:
            bank = DonorBank(**self._shared, donors_per_class=self._capacity)
            donors = _records(named["donors"], "Donor") | bank
        transform = Augment(**self._shared, **self._own, donors=donors)
        records = _records(named["input"], "Example")
        if self._errors is None:
            return _rows(records | transform)
        found: Any = records | transform.with_exception_handling()
        good, bad = found
        letters = bad | "DeadLetters" >> beam.Map(_letter).with_output_types(_LETTER)
        return {"good": _rows(good), self._errors["output"]: letters}


def _records(rows: PCollection, name: str) -> PValue:
    return rows | f"{name}Records" >> beam.Map(_record).with_output_types(bytes)


def _rows(records: PValue) -> PValue:
    return records | "Rows" >> beam.Map(_row).with_output_types(_RECORD)


def _record(row: Any) -> bytes:
    return row.record


def _row(record: bytes) -> Row:
    return Row(record=record)


def _letter(letter: tuple[bytes, tuple[type, str, list[str]]]) -> Row:
    element, (_, told, trace) = letter
    return Row(element=element, msg=told, stack="".join(trace))
