"""Starts TensorFlow without the start-up lines that its C++ side writes to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext


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
