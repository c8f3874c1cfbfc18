#!/usr/bin/env bash
# Of one float image, Albumentations' `Normalize` wants 0 to 255 and its other transforms 0 to 1.
#
# Versions: Python 3.11, albumentations 2.0.8, numpy 2.4.6.
# Guess: float images have one range in all transforms of one library.
# Seen: `RandomBrightnessContrast` cuts a float image of 0 to 255 to 1, a white image; so it wants 0 to 1.
# `Normalize`, with its defaults, divides such an image by 255 once more: its result is near the one of
# a black image. No warning.
# Who meets it: pipelines on floats, which work as long as images are uint8.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" albumentations==2.0.8 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import albumentations
import numpy as np

BYTES = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
UNIT, WIDE = (BYTES / 255).astype("float32"), BYTES.astype("float32")


def mean(transform, image):
    return float(transform(image=image)["image"].mean())


brighter = albumentations.RandomBrightnessContrast((0.1, 0.1), (0, 0), p=1)
normal = albumentations.Normalize()
print("albumentations", albumentations.__version__, "numpy", np.__version__)
names = ("uint8", "float of 0 to 1", "float of 0 to 255", "black")
images = (BYTES, UNIT, WIDE, np.zeros_like(BYTES))
bright = dict(zip(names, [mean(brighter, image) for image in images]))
scaled = dict(zip(names, [mean(normal, image) for image in images]))
print("mean after RandomBrightnessContrast:", bright)
print("mean after Normalize:", scaled)
assert 0.5 < bright["float of 0 to 1"] < 0.7, "the behaviour has changed"
assert 0.99 < bright["float of 0 to 255"] <= 1, "the behaviour has changed"
assert abs(scaled["float of 0 to 255"] - scaled["uint8"]) < 0.01, "the behaviour has changed"
assert abs(scaled["float of 0 to 1"] - scaled["black"]) < 0.05, "the behaviour has changed"
PYTHON
NO_ALBUMENTATIONS_UPDATE=1 "$folder/env/bin/python" "$folder/run.py"
