"""The base of the transforms' workers: gathers examples into batches, sets bad ones apart."""

from __future__ import annotations

import sys
import traceback
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue

from latentloom.pipeline.beam_transforms.reading import Example, read_example
from latentloom.pipeline.beam_transforms.variant_job import VariantJob
from latentloom.pipeline.generation.generate import check_backend
from latentloom.pipeline.generation.worker.chunks import CHUNK
from latentloom.pipeline.generation.worker.codec_worker import shared_codec
from latentloom.pipeline.generation.worker.render_shard import NAMESPACE

_HANDLES: dict[str, Shared] = {}
"""By the digest of a bundle, the handle that all transforms of this process share its codec by."""


class Failures(NamedTuple):
    """What becomes of examples that raise an error.

    Attributes:
        main_tag: Tag of the good output.
        dead_letter_tag: Tag of the dead letters.
        exc_class: Classes of the errors that make a dead letter; empty to raise every error.
        error_handler: Beam's error handler that takes the dead letters; None to return them.
    """

    main_tag: str = "good"
    dead_letter_tag: str = "bad"
    exc_class: Any = ()
    error_handler: Any = None


class Held(NamedTuple):
    """An example that waits for its batch, with the element that it was read from."""

    element: Any
    example: Example
    timestamp: Any


class BatchDoFn(beam.DoFn):
    """Works on examples in batches within a bundle of elements, each window for itself.

    Args:
        job: What examples must fit.
        batch_size: Most examples of a batch.
        failures: The tag of dead letters, and the errors that make one.
    """

    def __init__(self, job: VariantJob, batch_size: int, failures: Failures):
        self.job, self.batch_size, self.failures = job, batch_size, failures

    @abstractmethod
    def work(self, window: Any, held: Sequence[Held]) -> Iterator[Any]:
        """Works on a batch of examples with different ids; yields windowed values."""

    def setup(self) -> None:
        """Loads the codec unless this process has it already."""
        check_backend()
        job, handle = self.job, _HANDLES.setdefault(self.job.bundle_digest, Shared())
        self.codec = shared_codec(
            handle, job.model, job.bundle_digest, threads=job.settings.threads
        )
        size, shape = job.kind.batch_size, job.observation_shape
        at_once = size(shape, CHUNK) // job.settings.variants_per_example
        self._most = max(1, min(size(shape, self.batch_size), at_once))

    def start_bundle(self) -> None:
        """Begins with empty batches."""
        self._batches: dict[Any, dict[str, Held]] = {}

    def process(
        self,
        element: Any,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
        donors: Any = None,
    ) -> Iterator[Any]:
        """Takes an element; works on all batches as soon as they hold enough examples."""
        self.begin(window, donors)
        try:
            example = read_example(element, self.job)
        except self.failures.exc_class as error:
            yield self.dead_letter(window, element, timestamp, error)
            return
        held = Held(element, example, timestamp)
        batch = self._batches.setdefault(window, {})
        if example.example_id in batch:  # examples of one id are worked on one after the other
            yield from self._work_on(window)
            batch = self._batches.setdefault(window, {})
        batch[example.example_id] = held
        if sum(map(len, self._batches.values())) >= self._most:
            yield from self._work_on(*self._batches)

    def finish_bundle(self) -> Iterator[Any]:
        """Works on what is left."""
        yield from self._work_on(*self._batches)

    def begin(self, window: Any, donors: Any) -> None:
        """Learns the donors of a window, before the first of its examples is read."""

    def dead_letter(self, window: Any, element: Any, timestamp: Any, error: Exception) -> Any:
        """Returns a dead letter in Beam's form: the element, and the error that it raised."""
        self.count("dead_letters")
        told = (type(error), repr(error), traceback.format_exception(*sys.exc_info()))
        letter = WindowedValue((element, told), timestamp, (window,))
        return TaggedOutput(self.failures.dead_letter_tag, letter)

    def count(self, name: str, number: int = 1) -> None:
        """Adds to a counter of Beam."""
        Metrics.counter(NAMESPACE, name).inc(number)

    def _work_on(self, *windows: Any) -> Iterator[Any]:
        for window in windows:
            yield from self._work(window, list(self._batches.pop(window).values()))

    def _work(self, window: Any, held: Sequence[Held]) -> Iterator[Any]:
        """Works on a batch; halves it if it raises an error, until it is one example."""
        if not self.failures.exc_class:
            yield from self.work(window, held)
            return
        try:
            made = list(self.work(window, held))
        except self.failures.exc_class as error:
            if len(held) == 1:
                (bad,) = held
                yield self.dead_letter(window, bad.element, bad.timestamp, error)
                return
            middle = len(held) // 2
            yield from self._work(window, held[:middle])
            yield from self._work(window, held[middle:])
            return
        yield from made
