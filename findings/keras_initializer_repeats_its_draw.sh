#!/usr/bin/env bash
# An initializer without a seed gives the same weights to every layer that it is handed to.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0 (CPU).
# Guess: without a seed each layer draws weights of its own, from an object as from its name.
# Seen: one `GlorotUniform()` object draws a seed when it is made, so that two layers of one shape
# start with equal kernels, without a warning. The name makes an object for each layer: they differ.
# Who meets it: encoders with heads or branches built in a loop with `kernel_initializer=initializer`:
# heads that see the same input and loss stay equal for good.
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


def kernels_are_equal(initializer):
    heads = [keras.layers.Dense(3, kernel_initializer=initializer) for _ in range(2)]
    for head in heads:
        head.build((None, 4))
    return bool(np.array_equal(*[head.kernel.numpy() for head in heads]))


seen = {
    "the same object": kernels_are_equal(keras.initializers.GlorotUniform()),
    "its name": kernels_are_equal("glorot_uniform"),
}
print("keras", keras.__version__, "tensorflow", tf.__version__)
print("do two layers start equal?", seen)
assert seen == {"the same object": True, "its name": False}, "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
