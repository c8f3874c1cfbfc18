#!/usr/bin/env bash
# `mutual_info_classif` of a label with itself is not its entropy but may be above it.
#
# Versions: Python 3.11, scikit-learn 1.9.1, numpy 2.4.6.
# Guess: integer columns are discrete, and information is at most the entropy of the label.
# Seen: "auto" asks whether the matrix is sparse, not whether its type is integer. So a column of
# integers is estimated by its neighbours, as a real number is, and comes out above the entropy.
# With `discrete_features=True` it is exact.
# Who meets it: scores such as MIG that divide by the entropy, and expect 0 to 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import numpy as np
import sklearn
from sklearn.feature_selection import mutual_info_classif

rng = np.random.default_rng(0)
LABEL = rng.integers(0, 10, 1000)
PAIR = rng.integers(0, 2, 1000)


def entropy(labels):
    shares = np.bincount(labels) / len(labels)
    return float(-(shares * np.log(shares)).sum())


def information(column, labels, **options):
    return float(mutual_info_classif(column[:, None], labels, **options)[0])


noisy = PAIR + rng.normal(0, 1e-3, 1000)
seen = {
    "integers, discrete": information(LABEL, LABEL, discrete_features=True) - entropy(LABEL),
    "integers, auto": information(LABEL, LABEL, random_state=0) - entropy(LABEL),
    "two classes with little noise": information(noisy, PAIR, random_state=0) - entropy(PAIR),
}
print("scikit-learn", sklearn.__version__, "numpy", np.__version__)
for name, more in seen.items():
    print(f"{name}: information less entropy {more:+.2e}")
exact, auto, step = seen.values()
assert abs(exact) < 1e-9 and auto > 1e-4, "the behaviour has changed"
assert step > 1e-5, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
