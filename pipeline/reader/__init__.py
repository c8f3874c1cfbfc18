"""Reads data set directories for downstream training: `load` for Keras, `read` for all else.

`load` returns a `tf.data.Dataset` ready for `fit`. `read` yields plain NumPy records and imports
neither TensorFlow nor Keras, for training with PyTorch or JAX.
"""

from latentloom.pipeline.reader.batches import load
from latentloom.pipeline.reader.records import read
from latentloom.pipeline.reader.selection import Selection

__all__ = ["Selection", "load", "read"]
