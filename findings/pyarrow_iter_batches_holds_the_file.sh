#!/usr/bin/env bash
# `iter_batches(10)` of a Parquet file holds nearly the whole file in memory from the first batch on.
#
# Versions: Python 3.11, pyarrow 26.0.1.
# Guess: batches of ten rows take the memory of ten rows, or of one row group.
# Seen: of a file of 40 MB with 40 row groups, more than 20 MB are allocated after the first batch of
# 1 MB; with `pre_buffer=False` less than 5 MB.
# Who meets it: readers that go by batches because the file is larger than memory.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" pyarrow==26.0.1
cat > "$folder/run.py" <<'PYTHON'
import os
import pathlib
import tempfile

import pyarrow as pa
from pyarrow import parquet


def held(path, **options):
    """Returns the bytes that are allocated, at most, while batches are let go of."""
    before, most = pa.total_allocated_bytes(), 0
    for batch in parquet.ParquetFile(path, **options).iter_batches(10):
        del batch
        most = max(most, pa.total_allocated_bytes() - before)
    return most


with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "images.parquet"
    schema = pa.schema([("image", pa.binary())])
    with parquet.ParquetWriter(path, schema, compression="none") as writer:
        for _ in range(40):
            writer.write_table(pa.table({"image": [os.urandom(100_000) for _ in range(10)]}, schema))
    slim, wide = held(path, pre_buffer=False), held(path)
    size = path.stat().st_size
print("pyarrow", pa.__version__)
print(f"file {size / 1e6:.0f} MB; held {wide / 1e6:.0f} MB, with pre_buffer=False {slim / 1e6:.0f} MB")
assert wide > size / 2, "the behaviour has changed"
assert slim < size / 8, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
