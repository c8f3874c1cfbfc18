"""Reads data set directories for downstream training: `load` for Keras, `read` for all else.

`load` returns a `tf.data.Dataset` ready for `fit`. `read` gives plain NumPy records, in order or by
place, and imports neither TensorFlow nor Keras, for training with PyTorch or JAX.
"""

from latentloom.pipeline.reader.batches import load
from latentloom.pipeline.reader.selection import Selection
from latentloom.pipeline.reader.streams import Records, read

__all__ = ["Records", "Selection", "load", "read"]
