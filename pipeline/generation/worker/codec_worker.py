"""Base of the workers: one codec per process, with a fixed number of threads."""

from __future__ import annotations

import logging

import apache_beam as beam
import tensorflow as tf
from apache_beam.utils.shared import Shared

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.storage.files import local_folder
from latentloom.pipeline.terminal.quiet import quieten_worker

logger = logging.getLogger(__name__)


class CodecDoFn(beam.DoFn):
    """A DoFn with the input and the codec of a job, loaded once per process.

    Args:
        job: The job.
        shared: Handle by which the DoFns of one process share the codec.
    """

    def __init__(self, job: GenerationJob, shared: Shared):
        self.job, self.shared = job, shared

    def setup(self) -> None:
        """Loads the codec unless this process has it already, and opens the input."""
        quieten_worker()
        self.codec = self.shared.acquire(self._load, tag=self.job.bundle_digest)
        self.dataset = DatasetDir.open(self.job.data)

    def _load(self) -> Codec:
        limit_threads(self.job.settings.threads)
        with local_folder(self.job.model) as folder:
            bundle = load_bundle(folder)
        if bundle.digest != self.job.bundle_digest:
            raise ValueError(
                f"The bundle '{self.job.model}' changed under the run. "
                f"Expected: digest {self.job.bundle_digest}. Received: {bundle.digest}. "
                "Put the bundle back, or start a new run."
            )
        return Codec(bundle)


def limit_threads(threads: int) -> None:
    """Sets the number of TensorFlow threads of this process, unless TensorFlow already runs."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        running = tf.config.threading.get_intra_op_parallelism_threads()
        if running != threads:
            logger.info(
                "TensorFlow already runs with %d threads in this process, not with the %d of "
                "`generate.threads`.",
                running,
                threads,
            )
