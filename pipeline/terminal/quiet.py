"""Keeps libraries quiet: their logs, and TensorFlow's C++ messages on standard error."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext

from latentloom.pipeline.terminal.exit_codes import OWN_PACKAGE
from latentloom.pipeline.terminal.standard_error import silenced

WORKER_LOGS = "LATENTLOOM_WORKER_LOGS"
"""Environment variable with the log level of worker processes; without it, they log everything."""


def prepare_libraries() -> None:
    """Sets environment variables before Keras and TensorFlow are imported; set ones stay."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")  # more threads change the order of sums


def prepare_process() -> None:
    """Prepares the process of the command: environment variables and log levels."""
    prepare_libraries()
    os.environ.setdefault("MPLBACKEND", "Agg")
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    verbose = bool(os.environ.get("LATENTLOOM_VERBOSE"))
    logging.getLogger(OWN_PACKAGE).setLevel(logging.INFO if verbose else logging.WARNING)
    if not verbose:  # latentloom reports an error once
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        os.environ[WORKER_LOGS] = "ERROR"


def start_tensorflow() -> None:
    """Imports TensorFlow and lists devices; hides its messages, but not its exceptions.

    TensorFlow writes these messages before it reads `TF_CPP_MIN_LOG_LEVEL`. Set
    `LATENTLOOM_VERBOSE` to see them. With JAX as the backend, TensorFlow only reads files and does
    not use the GPU.
    """
    verbose = os.environ.get("LATENTLOOM_VERBOSE")
    with nullcontext() if verbose else silenced():
        import tensorflow as tf

        tf.config.list_physical_devices()
        if os.environ.get("KERAS_BACKEND") == "jax":
            tf.config.set_visible_devices([], "GPU")


def quieten_worker() -> None:
    """Sets the log level of a worker from `WORKER_LOGS`, if it is set."""
    if level := os.environ.get(WORKER_LOGS):
        logging.getLogger().setLevel(level)
