#!/usr/bin/env bash
# The nearest neighbour of an exact copy is not at distance 0, in float64 as in float32.
#
# Versions: Python 3.11, scikit-learn 1.9.1, numpy 2.4.6.
# Guess: the distance of equal rows is 0, or about 1e-16 of their size.
# Seen: for rows of 200 values around 100, `NearestNeighbors` by brute force (the choice from 16
# columns on) and `euclidean_distances` give up to 1e-4: they compute |x|^2 - 2xy + |y|^2. A
# `KDTree` gives 0.
# Who meets it: tests for copies or leaks with a threshold of 0 or 1e-6, on values that are not centred.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import numpy as np
import sklearn
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors

ROWS = np.random.default_rng(0).normal(100, 1, (50, 200))
COPIES = ROWS.copy()


def farthest(rows, copies, algorithm):
    nearest = NearestNeighbors(n_neighbors=1, algorithm=algorithm).fit(rows)
    return float(nearest.kneighbors(copies)[0].max())


print("scikit-learn", sklearn.__version__, "numpy", np.__version__)
seen = {
    "float64, auto": farthest(ROWS, COPIES, "auto"),
    "float32, auto": farthest(ROWS.astype("float32"), COPIES.astype("float32"), "auto"),
    "float64, euclidean_distances": float(euclidean_distances(ROWS, COPIES).diagonal().max()),
    "float64, KD tree": farthest(ROWS, COPIES, "kd_tree"),
}
for name, distance in seen.items():
    print(f"{name}: a copy is at most at {distance:.1e}")
assert min(list(seen.values())[:3]) > 1e-6, "the behaviour has changed"
assert seen["float64, KD tree"] == 0, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
