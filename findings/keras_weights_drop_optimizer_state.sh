#!/usr/bin/env bash
# `load_weights` restores the optimizer's state only if the optimizer was used or built before.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0 (CPU).
# Guess: `save_weights` keeps weights alone, or `load_weights` restores all that the file holds.
# Seen: the file holds Adam's moments and its number of steps. A newly compiled model that loads it
# trains on from step 0, with a warning that variables are skipped; after `optimizer.build` the same
# call restores them, and `save` and `load_model` do so by themselves.
# Who meets it: trainings resumed from `ModelCheckpoint(save_weights_only=True)`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" keras==3.15.1 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import tempfile
import warnings

import keras
import numpy as np
import tensorflow as tf

X = np.arange(10, dtype="float32")[:, None]


def model():
    network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=False)
    return network


def steps(network):
    return int(network.optimizer.iterations)


with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    weights, whole = pathlib.Path(folder) / "a.weights.h5", pathlib.Path(folder) / "a.keras"
    trained, fresh, built = model(), model(), model()
    trained.fit(X, X, epochs=3, verbose=0)
    trained.save_weights(weights)
    trained.save(whole)
    fresh.load_weights(weights)
    built.optimizer.build(built.trainable_variables)
    built.load_weights(weights)
    seen = {
        "trained": steps(trained),
        "load_weights": steps(fresh),
        "build, then load_weights": steps(built),
        "load_model": steps(keras.models.load_model(whole)),
    }
print("keras", keras.__version__, "tensorflow", tf.__version__)
print("steps that the optimizer counts:", seen)
print("warnings:", [str(each.message)[:60] for each in told])
assert list(seen.values()) == [3, 0, 3, 3], "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
