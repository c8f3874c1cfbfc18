#!/usr/bin/env bash
# A Keras model that is trained and deleted leaves the graph of its training step behind, for good.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0 (CPU).
# Guess: a deleted model is freed by Python's garbage collector, its compiled step too.
# Seen: four models trained and deleted leave four more `FuncGraph`s; `predict_on_batch` and
# `test_on_batch` leave none. On one device, too, the optimizer sums gradients over replicas, by a
# function with a gradient of its own (`tf.custom_gradient`), which TensorFlow registers under a new
# name for every graph and never removes. An optimizer that skips this sum on one device leaves
# nothing behind.
# Who meets it: loops over folds, seeds or settings in one process; 20 MB for a small network.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import gc

import keras
import numpy as np
import tensorflow as tf

X, Y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")


class OnOneDevice(keras.optimizers.SGD):
    def _all_reduce_sum_gradients(self, grads_and_vars):
        return grads_and_vars


def model(optimizer):
    network = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    network.compile(optimizer, "mse", jit_compile=False)
    return network


def graphs():
    gc.collect()
    return sum(issubclass(type(each), tf.Graph) for each in gc.get_objects())


def left_by(use, optimizer):
    use(model(optimizer()))
    before = graphs()
    for _ in range(4):
        use(model(optimizer()))
    return graphs() - before


found = {
    "predict": left_by(lambda m: m.predict_on_batch(X), keras.optimizers.SGD),
    "test": left_by(lambda m: m.test_on_batch(X, Y), keras.optimizers.SGD),
    "train": left_by(lambda m: m.train_on_batch(X, Y), keras.optimizers.SGD),
    "train, without the sum": left_by(lambda m: m.train_on_batch(X, Y), OnOneDevice),
}
print("keras", keras.__version__, "tensorflow", tf.__version__)
print("graphs left behind by four models:", found)
expected = {"predict": 0, "test": 0, "train": 4, "train, without the sum": 0}
assert found == expected, "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
