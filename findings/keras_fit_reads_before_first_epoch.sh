#!/usr/bin/env bash
# `fit` reads two batches of a `PyDataset`, and calls its `on_epoch_end`, before the first epoch begins.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0 (CPU).
# Guess: `on_epoch_end` is called once after each epoch; batches are read when they are trained on.
# Seen: for three epochs of four batches, `on_epoch_end` runs four times, once before epoch 0 after
# batches 0 and 1 alone, which Keras reads to learn their shapes; `on_epoch_begin` runs three times.
# Who meets it: data sets that shuffle, draw random numbers or advance a curriculum in
# `__getitem__` or `on_epoch_end`: they are a step ahead of the epoch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" keras==3.15.1 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import keras
import numpy as np
import tensorflow as tf

log = []


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        log.append(index)
        return np.ones((2, 1), "float32"), np.ones((2, 1), "float32")

    def on_epoch_begin(self):
        log.append("begin")

    def on_epoch_end(self):
        log.append("end")


class Told(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        log.append(f"epoch {epoch}")


network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
network.compile("sgd", "mse", jit_compile=False)
network.fit(Batches(), epochs=3, shuffle=False, verbose=0, callbacks=[Told()])
print("keras", keras.__version__, "tensorflow", tf.__version__)
print("order of calls:", log)
before = log[: log.index("epoch 0")]
assert before == [0, 1, "end"], "the behaviour has changed"
assert (log.count("begin"), log.count("end")) == (3, 4), "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
