#!/usr/bin/env bash
# `log_loss(labels=...)` does not say which column is which: the columns are taken in sorted order.
#
# Versions: Python 3.11, scikit-learn 1.9.1, numpy 2.4.6.
# Guess: `labels=["dog", "cat"]` names the columns of the probabilities in that order.
# Seen: the loss is the same for both orders of `labels`; a perfect prediction in the order given is
# scored as a wrong one. A warning is all that tells it.
# Who meets it: class names in the order of a configuration or of folders, 2 before 10.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import warnings

import numpy as np
import sklearn
from sklearn.metrics import log_loss

TRUE = ["dog", "cat", "dog"]
PROBABILITIES = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]]  # the first column is "dog"

print("scikit-learn", sklearn.__version__)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    losses = [log_loss(TRUE, PROBABILITIES, labels=names) for names in (["dog", "cat"], ["cat", "dog"])]
print("loss by the order of labels:", losses, "right:", -np.log(0.9))
print("warnings:", [str(each.message)[:80] for each in told])
assert losses[0] == losses[1] and np.isclose(losses[0], -np.log(0.1)), "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
