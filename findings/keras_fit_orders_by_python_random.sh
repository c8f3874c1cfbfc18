#!/usr/bin/env bash
# `fit` shuffles the batches of a `PyDataset` by Python's global `random`, and does so by default.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0 (CPU).
# Guess: a data set that is asked by index is read in its order; if shuffled, then by the seeds of
# Keras, NumPy or TensorFlow.
# Seen: the order of the batches follows `random.seed` alone. With the seeds of NumPy and TensorFlow
# fixed, two trainings read other orders; `shuffle=False` keeps the order.
# Who meets it: trainings to be repeated: a library that draws from `random` in between changes them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" keras==3.15.1 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import random

import keras
import numpy as np
import tensorflow as tf


class Batches(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.read = []

    def __len__(self):
        return 20

    def __getitem__(self, index):
        self.read.append(index)
        return np.ones((2, 1), "float32"), np.ones((2, 1), "float32")


def order(python_seed, **options):
    np.random.seed(0)
    tf.random.set_seed(0)
    random.seed(python_seed)
    network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    network.compile("sgd", "mse", jit_compile=False)
    batches = Batches()
    network.fit(batches, verbose=0, **options)
    return batches.read[-20:]


print("keras", keras.__version__, "tensorflow", tf.__version__)
print("random.seed(1):", order(1))
print("random.seed(2):", order(2))
print("shuffle=False:", order(1, shuffle=False))
assert order(1) == order(1) != order(2) != list(range(20)), "the behaviour has changed"
assert order(1, shuffle=False) == list(range(20)), "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
