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
        job = self.job
        self.codec = shared_codec(
            self.shared, job.model, job.bundle_digest, threads=job.settings.threads
        )
        self.dataset = DatasetDir.open(job.data)


def shared_codec(shared: Shared, model: str, digest: str, *, threads: int) -> Codec:
    """Returns the codec of a bundle, loaded unless this process has it already.

    Args:
        shared: Handle by which the workers of one process share the codec.
        model: Bundle directory.
        digest: Its digest.
        threads: Number of TensorFlow threads of this process, if TensorFlow does not run yet.

    Raises:
        ValueError: The bundle has another digest.
    """

    def load() -> Codec:
        limit_threads(threads)
        with local_folder(model) as folder:
            bundle = load_bundle(folder)
        if bundle.digest != digest:
            raise ValueError(
                f"The bundle '{model}' changed under the run. Expected: digest {digest}. "
                f"Received: {bundle.digest}. Put the bundle back, or start a new run."
            )
        return Codec(bundle)

    return shared.acquire(load, tag=digest)


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
