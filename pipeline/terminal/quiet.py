"""Keeps libraries quiet: their logs, and what TensorFlow's C++ side writes to standard error."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from latentloom.pipeline.terminal.exit_codes import OWN_PACKAGE

WORKER_LOGS = "LATENTLOOM_WORKER_LOGS"
"""Variable by which worker processes of this machine are told what to log; others log it all."""


def prepare_process() -> None:
    """Sets what must precede the import of Keras and TensorFlow, and whose warnings are shown."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")  # more give sums in another order each run
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    verbose = bool(os.environ.get("LATENTLOOM_VERBOSE"))
    logging.getLogger(OWN_PACKAGE).setLevel(logging.INFO if verbose else logging.WARNING)
    if not verbose:  # what stops a run is said once, by us
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        os.environ[WORKER_LOGS] = "ERROR"


def start_tensorflow() -> None:
    """Imports TensorFlow and lets it look for devices; exceptions pass, chatter does not.

    The chatter comes before TensorFlow reads `TF_CPP_MIN_LOG_LEVEL`. Set `LATENTLOOM_VERBOSE` to
    see it. Where JAX trains, TensorFlow only reads files and leaves the GPU's memory alone.
    """
    verbose = os.environ.get("LATENTLOOM_VERBOSE")
    with nullcontext() if verbose else _standard_error_closed():
        import tensorflow as tf

        tf.config.list_physical_devices()
        if os.environ.get("KERAS_BACKEND") == "jax":
            tf.config.set_visible_devices([], "GPU")


def quieten_worker() -> None:
    """Logs in a worker what its variable says, if it is there."""
    if level := os.environ.get(WORKER_LOGS):
        logging.getLogger().setLevel(level)


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
