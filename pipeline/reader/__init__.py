"""What downstream training reads data set directories with: `load` for Keras, `read` for all else.

`load` gives a `tf.data.Dataset` ready for `fit`; `read` gives plain NumPy records and imports
neither TensorFlow nor Keras, for whoever trains with PyTorch or JAX.
"""

from latentloom.pipeline.reader.batches import load
from latentloom.pipeline.reader.records import read
from latentloom.pipeline.reader.selection import Selection

__all__ = ["Selection", "load", "read"]
