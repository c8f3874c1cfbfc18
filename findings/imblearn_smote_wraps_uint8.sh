#!/usr/bin/env bash
# SMOTE of uint8 pixels gives values that lie between no two images: its differences wrap around.
#
# Versions: Python 3.11, imbalanced-learn 0.14.2, scikit-learn 1.9.1, numpy 2.4.6.
# Guess: new examples lie between two of their class, whatever the type, or small integers are refused.
# Seen: from pairs of pixels whose sum is 260 SMOTE makes pairs of which half have another sum, such as
# 251 and 29, without a warning. As float32 the same images keep the sum.
# Who meets it: everybody who oversamples images as they come from a file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" imbalanced-learn==0.14.2 scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
from imblearn.over_sampling import SMOTE

RARE = np.array([[250, 10]] * 3 + [[10, 250]] * 4, np.uint8)  # on the line where the sum is 260
MANY = np.full((100, 2), 128, np.uint8)


def made(dtype):
    images = np.concatenate([RARE, MANY]).astype(dtype)
    labels = [1] * len(RARE) + [0] * len(MANY)
    return SMOTE(random_state=0).fit_resample(images, labels)[0][len(images) :]


print("imbalanced-learn", version("imbalanced-learn"), "numpy", np.__version__)
off = {}
for dtype in (np.float32, np.uint8):
    new = made(dtype)
    off[np.dtype(dtype).name] = share = float((np.abs(new.astype(float).sum(1) - 260) > 2).mean())
    print(f"{np.dtype(dtype).name}: {share:.0%} of {len(new)} new examples are off the line;", end=" ")
    print("first:", new[:4].tolist())
assert off["float32"] == 0, "the behaviour has changed"
assert off["uint8"] > 0.2, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
