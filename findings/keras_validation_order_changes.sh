#!/usr/bin/env bash
# The validation half of `image_dataset_from_directory` has another order in every pass, seed or not.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0, pillow 13.0.0 (CPU).
# Guess: with `seed` and `subset="validation"` the images come in one fixed order.
# Seen: the seed fixes which images are in the half; each pass shuffles them anew. So labels that
# were collected in one pass do not belong to the predictions of the next.
# Who meets it: confusion matrices from `predict(validation)` and labels of a loop over `validation`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" keras==3.15.1 tensorflow==2.21.0 pillow==13.0.0
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

with tempfile.TemporaryDirectory() as folder:
    for number in range(40):
        path = pathlib.Path(folder) / f"class_{number % 2}" / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), number * 6, np.uint8)).save(path)
    validation = keras.utils.image_dataset_from_directory(
        folder, validation_split=0.5, subset="validation", seed=1, image_size=(8, 8), verbose=0
    )
    passes = [
        [int(image[0, 0, 0]) // 6 for images, _ in validation for image in images.numpy()]
        for _ in range(2)
    ]
print("keras", keras.__version__, "tensorflow", tf.__version__)
for order in passes:
    print("images of a pass:", order)
assert sorted(passes[0]) == sorted(passes[1]), "the behaviour has changed"
assert passes[0] != passes[1], "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
