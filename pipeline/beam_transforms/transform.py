"""The base of the transforms: what goes in, and what becomes of examples that raise an error."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.pvalue import PCollection
from apache_beam.typehints import Dict, Union
from apache_beam.typehints.typehints import AnyTypeConstraint

from latentloom.pipeline.beam_transforms.batches import BatchDoFn, Failures

ELEMENT = Union[bytes, Dict[str, Any]]  # noqa: UP007, the type of Beam
"""What goes in: serialised `tf.train.Example`s, or dictionaries of NumPy values."""
Own = TypeVar("Own", bound="ExamplesTransform")


class ExamplesTransform(beam.PTransform):
    """A transform of examples whose errors can be collected as dead letters.

    Args:
        output: Type of what comes out.
    """

    def __init__(self, output: Any):
        super().__init__()
        self._failures, self._output = Failures(), output
        self.with_input_types(ELEMENT)

    def with_exception_handling(
        self: Own,
        main_tag: str = "good",
        dead_letter_tag: str = "bad",
        *,
        exc_class: Any = Exception,
        error_handler: Any = None,
    ) -> Own:
        """Sets examples that raise an error apart, as Beam's `ParDo` does.

        Args:
            main_tag: Tag of the good output.
            dead_letter_tag: Tag of the dead letters.
            exc_class: Class of the errors that make a dead letter, or a tuple of classes.
            error_handler: What takes the dead letters, of `beam.transforms.error_handling`;
                otherwise they are returned.

        Returns:
            A transform that gives two collections, `good, bad`. A dead letter is
            `(element, (type, repr, traceback))` of the element and its error.
        """
        handled = copy.copy(self)
        handled._failures = Failures(main_tag, dead_letter_tag, exc_class, error_handler)
        handled._resource_hints = dict(self.get_resource_hints())
        return handled

    def _apply(self, examples: PCollection, fn: BatchDoFn, **side_inputs: Any) -> Any:
        """Works on examples; returns what is good, or the pair of good and bad."""
        work, (main, bad, handles, handler) = beam.ParDo(fn, **side_inputs), self._failures
        if not handles:
            return examples | fn.__class__.__name__ >> work.with_output_types(self._output)
        hints = {bad: AnyTypeConstraint()}
        outputs = work.with_output_types(self._output, **hints).with_outputs(bad, main=main)
        found: Any = examples | fn.__class__.__name__ >> outputs
        if handler is None:
            return found
        handler.add_error_pcollection(found[bad])
        return found[main]
