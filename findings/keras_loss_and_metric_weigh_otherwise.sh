#!/usr/bin/env bash
# The loss "mse" and the weighted metric "mse" of one evaluation differ under sample weights.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0 (CPU).
# Guess: both are the weighted mean, so that they agree, and a constant weight changes neither.
# Seen: the loss divides by the number of examples, the metric by the sum of the weights. Weights of 2
# double the loss and leave the metric; with half of the weights 0 the loss is half of the metric.
# Who meets it: trainings with class or sample weights: learning rate and early stopping move with
# the scale of the weights.
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

X = np.arange(10, dtype="float32")[:, None]
network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Rescaling(0.0)])
network.compile("sgd", "mse", weighted_metrics=["mse"], jit_compile=False)


def seen(weights):
    found = network.evaluate(X, X, sample_weight=np.array(weights), verbose=0)
    return [float(each) for each in found]


found = {
    "all 1": seen([1.0] * 10),
    "all 2": seen([2.0] * 10),
    "five 1, five 0": seen([1.0] * 5 + [0.0] * 5),
}
print("keras", keras.__version__, "tensorflow", tf.__version__)
print("loss and metric by weights:", found)
expected = [[28.5, 28.5], [57.0, 28.5], [3.0, 6.0]]
assert np.allclose(list(found.values()), expected), "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
