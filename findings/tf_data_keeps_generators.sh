#!/usr/bin/env bash
# `tf.data.Dataset.from_generator` keeps its generator, and all that it refers to, for good.
#
# Versions: Python 3.11, tensorflow 2.21.0, keras 3.15.1 (CPU).
# Guess: the arrays behind a data set are freed with the data set.
# Seen: after the data set, its iterator and the array are deleted and the garbage is collected, the
# array is still there; one from `from_tensor_slices` is gone. Keras makes such a data set of every
# `PyDataset` given to `fit`, so the training examples of a deleted model stay in memory.
# Who meets it: loops over folds, seeds or settings in one process, each with arrays of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import gc
import weakref

import keras
import numpy as np
import tensorflow as tf


class Batches(keras.utils.PyDataset):
    def __init__(self, array):
        super().__init__()
        self.array = array

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.array, self.array


def by_generator(array):
    data = tf.data.Dataset.from_generator(
        lambda: iter([array]), output_signature=tf.TensorSpec((8, 4))
    )
    list(data)


def by_slices(array):
    list(tf.data.Dataset.from_tensor_slices(array))


def by_fit(array):
    network = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(4)])
    network.compile("sgd", "mse", jit_compile=False)
    network.fit(Batches(array), verbose=0)


def is_kept(use):
    array = np.ones((8, 4), "float32")
    reference = weakref.ref(array)
    use(array)
    del array
    gc.collect()
    return reference() is not None


found = {use.__name__: is_kept(use) for use in (by_slices, by_generator, by_fit)}
print("keras", keras.__version__, "tensorflow", tf.__version__)
print("is the array still there?", found)
assert found == {"by_slices": False, "by_generator": True, "by_fit": True}, "it has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
