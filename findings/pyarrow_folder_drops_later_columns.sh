#!/usr/bin/env bash
# `read_table` of a folder drops the columns that its first file lacks, and fills others with nulls.
#
# Versions: Python 3.11, pyarrow 26.0.1.
# Guess: files with other columns are refused, or their columns are united.
# Seen: the schema of the first file by name is that of all: a column of the second file is gone, one
# that it lacks is null, without a word.
# Who meets it: tables to which a column was added in later files.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" pyarrow==26.0.1
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import tempfile

import pyarrow as pa
from pyarrow import parquet

with tempfile.TemporaryDirectory() as folder:
    parquet.write_table(pa.table({"id": [1], "label": [2]}), pathlib.Path(folder) / "0.parquet")
    parquet.write_table(pa.table({"id": [3], "hue": [4]}), pathlib.Path(folder) / "1.parquet")
    seen = parquet.read_table(folder).to_pydict()
print("pyarrow", pa.__version__)
print("read:", seen)
assert seen == {"id": [1, 3], "label": [2, None]}, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
