#!/usr/bin/env bash
# Of Keras' layers that augment images, some take values of 0 to 1, others mean 0 to 255, all silently.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0 (CPU).
# Guess: layers of one family share a range; those that cannot work on floats of 0 to 1 refuse them.
# Seen: for the same image of 0 to 1, `RandomGrayscale`, `RandomHue`, `RandomSaturation` and
# `RandomSharpness` give 0 to 1. `RandomPosterization` gives black, `RandomInvert` up to 255,
# `RandAugment` values above 100, and `Equalization` changes nothing: `value_range` is (0, 255).
# Who meets it: pipelines with `Rescaling(1 / 255)` before the layers that augment.
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
from keras import layers

IMAGES = np.random.default_rng(0).random((8, 16, 16, 3)).astype("float32")
LAYERS = [
    layers.RandomGrayscale(1.0, seed=1),
    layers.RandomHue(0.5, seed=1),
    layers.RandomSaturation(0.5, seed=1),
    layers.RandomSharpness(0.5, seed=1),
    layers.RandomInvert(1.0, seed=1),
    layers.RandomPosterization(4, seed=1),
    layers.RandAugment(seed=1),
    layers.Equalization(),
]
print("keras", keras.__version__, "tensorflow", tf.__version__)
seen = {}
for layer in LAYERS:
    changed = np.asarray(layer(IMAGES, training=True))
    seen[type(layer).__name__] = changed
    print(f"{type(layer).__name__}: {changed.min():.2f} to {changed.max():.2f}")
for name in ("RandomGrayscale", "RandomHue", "RandomSaturation", "RandomSharpness"):
    assert seen[name].max() < 1.1, "the behaviour has changed"
assert seen["RandomInvert"].max() > 200, "the behaviour has changed"
assert seen["RandomPosterization"].max() == 0, "the behaviour has changed"
assert seen["RandAugment"].max() > 100, "the behaviour has changed"
assert np.array_equal(seen["Equalization"], IMAGES), "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
