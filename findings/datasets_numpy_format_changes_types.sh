#!/usr/bin/env bash
# `with_format("numpy")` gives uint8 arrays back as int64, and float64 arrays as float32.
#
# Versions: Python 3.11, datasets 5.2.0, numpy 2.4.6.
# Guess: arrays come back in the type that they were stored in.
# Seen: columns stored as uint8 and float64, as `features` says, come back as int64, eight times the
# memory, and as float32, so that 0.1 is not 0.1. 1e-50 becomes 0.
# Who meets it: image arrays and precise measurements kept in columns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" datasets==5.2.0 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import datasets
import numpy as np

COLUMNS = {"pixels": [np.array([1, 255], np.uint8)], "values": [np.array([0.1, 1e-50])]}
FEATURES = datasets.Features(
    {
        "pixels": datasets.List(datasets.Value("uint8")),
        "values": datasets.List(datasets.Value("float64")),
    }
)
data = datasets.Dataset.from_dict(COLUMNS, features=FEATURES)
row = data.with_format("numpy")[0]
stored = {name: str(column.type.value_type) for name, column in zip(COLUMNS, data.data.columns)}
seen = {name: str(row[name].dtype) for name in COLUMNS}
print("datasets", datasets.__version__, "numpy", np.__version__)
print("stored:", stored, "read:", seen, row["values"].tolist())
assert stored == {"pixels": "uint8", "values": "double"}, "the behaviour has changed"
assert seen == {"pixels": "int64", "values": "float32"}, "the behaviour has changed"
assert row["values"].tolist() != [0.1, 1e-50], "the behaviour has changed"
PYTHON
HF_HUB_OFFLINE=1 "$folder/env/bin/python" "$folder/run.py"
