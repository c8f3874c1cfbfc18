#!/usr/bin/env bash
# A model that only makes the mean of the real examples has three times their "density".
#
# Versions: Python 3.11, prdc 0.2, scikit-learn 1.9.1, numpy 2.4.6.
# Guess: density is a share of 0 to 1, and real examples themselves score best.
# Seen: 200 real examples against themselves score 1.0; copies drawn to the centre and the mean
# of all, 200 times, more than 3, with precision 1.0. Only recall and coverage tell the second.
# Who meets it: tables that rank models by density or precision alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" prdc==0.2 scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
from prdc import compute_prdc

REAL = np.random.default_rng(0).normal(0, 1, (200, 8))
MODELS = {
    "the real examples": REAL,
    "drawn to the centre": REAL * 0.3,
    "the mean, 200 times": np.tile(REAL.mean(0), (200, 1)),
}
print("prdc", version("prdc"), "numpy", np.__version__)
seen = {}
for name, fake in MODELS.items():
    seen[name] = {key: float(value) for key, value in compute_prdc(REAL, fake, nearest_k=5).items()}
    print(f"{name}: {seen[name]}")
real, centre, mean = [each["density"] for each in seen.values()]
assert abs(real - 1) < 1e-6 and min(centre, mean) > 2, "the behaviour has changed"
assert seen["the mean, 200 times"]["precision"] == 1, "the behaviour has changed"
assert seen["the mean, 200 times"]["recall"] == 0, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
