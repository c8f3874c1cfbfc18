#!/usr/bin/env bash
# Keras reads one 16-bit PNG as 0 to 65,520, as nearly all white, or as 0 to 255, by the way in.
#
# Versions: Python 3.11, keras 3.15.1, tensorflow 2.21.0, pillow 13.0.0 (CPU).
# Guess: `load_img` and `image_dataset_from_directory` give one scale, grey or in colour.
# Seen: `load_img(color_mode="grayscale")` keeps 16 bits; `load_img` in colour (the default) cuts all
# above 255 to 255; `image_dataset_from_directory` keeps the upper 8 bits. No warning.
# Who meets it: medical and microscope images: trained by one way in, predicted by another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" keras==3.15.1 tensorflow==2.21.0 pillow==13.0.0
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import tempfile
from importlib.metadata import version

import keras
import numpy as np
from PIL import Image

VALUES = (np.arange(64).reshape(8, 8) * 1040).astype(np.uint16)
PLACES = [0, 1, 32, 63]
with tempfile.TemporaryDirectory() as folder:
    for name in ("cat", "dog"):
        path = pathlib.Path(folder) / name / "image.png"
        path.parent.mkdir()
        Image.fromarray(VALUES).save(path)
    grey = keras.utils.img_to_array(keras.utils.load_img(path, color_mode="grayscale"))
    colour = keras.utils.img_to_array(keras.utils.load_img(path))[..., 0]
    batches = keras.utils.image_dataset_from_directory(
        folder, color_mode="grayscale", image_size=(8, 8), shuffle=False, verbose=0
    )
    batch = next(iter(batches))[0].numpy()[0]
seen = [np.asarray(each).ravel()[PLACES].tolist() for each in (grey, colour, batch)]
print("keras", keras.__version__, "pillow", version("pillow"))
print("in the file:", VALUES.ravel()[PLACES].tolist())
print("load_img, grey:", seen[0])
print("load_img, colour:", seen[1])
print("image_dataset_from_directory:", seen[2])
expected = [[0, 1040, 33280, 65520], [0, 255, 255, 255], [0, 4, 130, 255]]
assert seen == expected, "the behaviour has changed"
PYTHON
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
