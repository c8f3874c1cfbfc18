#!/usr/bin/env bash
# Neither `random.seed` nor `numpy.random.seed` repeats a transform of Albumentations.
#
# Versions: Python 3.11, albumentations 2.0.8, numpy 2.4.6.
# Guess: the global seeds of Python and NumPy make a pipeline repeat, as they did in version 1.
# Seen: with both seeds set the images differ from run to run. Only `Compose(..., seed=1)` repeats, each
# new pipeline from its start.
# Who meets it: trainings that are said to be repeatable by `seed_everything`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" albumentations==2.0.8 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import random

import albumentations
import numpy as np

IMAGE = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def images(**options):
    random.seed(0)
    np.random.seed(0)
    pipeline = albumentations.Compose(
        [albumentations.RandomBrightnessContrast(p=1), albumentations.Rotate(p=1)], **options
    )
    return np.stack([pipeline(image=IMAGE)["image"] for _ in range(5)])


seen = {
    "global seeds": bool(np.array_equal(images(), images())),
    "Compose(seed=1)": bool(np.array_equal(images(seed=1), images(seed=1))),
}
print("albumentations", albumentations.__version__, "numpy", np.__version__)
print("are five images the same in a second run?", seen)
assert seen == {"global seeds": False, "Compose(seed=1)": True}, "the behaviour has changed"
PYTHON
NO_ALBUMENTATIONS_UPDATE=1 "$folder/env/bin/python" "$folder/run.py"
