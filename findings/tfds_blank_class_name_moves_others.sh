#!/usr/bin/env bash
# TFDS writes a blank name of a class and drops it when it reads: the names after it move one class up.
#
# Versions: Python 3.11, tensorflow-datasets 4.9.10, tensorflow 2.21.0 (CPU).
# Guess: what `ClassLabel(names=[...])` accepts and `save_config` writes comes back, or is refused.
# Seen: of the names "cat", "" and "eel", two come back, with `num_classes` 3: label 1 is called "eel",
# and the name of label 2 raises `IndexError`.
# Who meets it: class lists from tables with an empty cell, and names files edited by hand.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" tensorflow-datasets==4.9.10 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import tempfile
from importlib.metadata import version

import tensorflow_datasets as tfds

features = tfds.features.FeaturesDict({"label": tfds.features.ClassLabel(names=["cat", "", "eel"])})
with tempfile.TemporaryDirectory() as folder:
    features.save_config(folder)
    found = tfds.features.FeatureConnector.from_config(folder)
written, read = features["label"], found["label"]


def name(label, number):
    try:
        return label.int2str(number)
    except IndexError:
        return "IndexError"


before, after = [[name(label, number) for number in range(3)] for label in (written, read)]
print("tensorflow-datasets", version("tensorflow-datasets"))
print("names written:", before, "read:", after, "num_classes:", read.num_classes)
assert before == ["cat", "", "eel"], "the behaviour has changed"
assert after == ["cat", "eel", "IndexError"] and read.num_classes == 3, "the behaviour has changed"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
