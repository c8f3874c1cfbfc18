#!/usr/bin/env bash
# TensorFlow and Pillow decode one JPEG to other pixels; `decode_image` has no way to make them equal.
#
# Versions: Python 3.11, tensorflow 2.21.0, pillow 13.0.0 (CPU).
# Guess: both use libjpeg-turbo, so that they give the same pixels.
# Seen: `decode_jpeg` and `decode_image` take a quicker, coarser transform and differ by up to some levels.
# `decode_jpeg(dct_method="INTEGER_ACCURATE")` agrees with Pillow in every pixel.
# Who meets it: near-copy tests and hashes of pixels, a model trained from one reader and run on another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" tensorflow==2.21.0 pillow==13.0.0
cat > "$folder/run.py" <<'PYTHON'
import io

import numpy as np
import PIL
import tensorflow as tf
from PIL import Image

noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
Image.fromarray(noise).save(file := io.BytesIO(), "JPEG", quality=75)
bytes_ = file.getvalue()
pillow = np.asarray(Image.open(io.BytesIO(bytes_))).astype(int)
ways = {
    "decode_jpeg": tf.io.decode_jpeg(bytes_),
    "decode_image": tf.io.decode_image(bytes_),
    "decode_jpeg, accurate": tf.io.decode_jpeg(bytes_, dct_method="INTEGER_ACCURATE"),
}
print("tensorflow", tf.__version__, "pillow", PIL.__version__)
seen = {}
for name, pixels in ways.items():
    differ = np.abs(pixels.numpy().astype(int) - pillow)
    seen[name] = int(differ.max())
    print(f"{name}: {(differ > 0).mean():.0%} of values differ from Pillow, by at most {differ.max()}")
assert seen["decode_jpeg"] > 0 and seen["decode_image"] > 0, "the behaviour has changed"
assert seen["decode_jpeg, accurate"] == 0, "the behaviour has changed"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
