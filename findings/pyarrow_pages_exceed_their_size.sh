#!/usr/bin/env bash
# `data_page_size` of PyArrow does not bound a page of images: one page holds up to 1,024 of them.
#
# Versions: Python 3.11, pyarrow 26.0.1.
# Guess: with `data_page_size=1 << 20`, the default, pages are about 1 MB.
# Seen: 1,000 values of 20 kB are one page of 20 MB, for the size is looked at after each
# `write_batch_size` values, 1,024. So a reader that goes by pages still holds the column of the row
# group; with `write_batch_size=10` it holds less than a tenth.
# Who meets it: data sets of images in Parquet that are to be read in little memory.
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


def held(path):
    """Returns the bytes that a reader page by page holds at most."""
    before, most = pa.total_allocated_bytes(), 0
    file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16)
    for batch in file.iter_batches(10, use_threads=False):
        del batch
        most = max(most, pa.total_allocated_bytes() - before)
    return most


def written(folder, **options):
    path = pathlib.Path(folder) / "images.parquet"
    table = pa.table({"image": [os.urandom(20_000) for _ in range(1000)]})
    options |= {"compression": "none", "use_dictionary": False, "data_page_size": 1 << 20}
    parquet.write_table(table, path, **options)
    return path


with tempfile.TemporaryDirectory() as folder:
    wide = held(written(folder))
    slim = held(written(folder, write_batch_size=10))
print("pyarrow", pa.__version__)
print(f"held: {wide / 1e6:.1f} MB; written with write_batch_size=10: {slim / 1e6:.1f} MB")
assert wide > 15e6, "the behaviour has changed"
assert slim < 4e6, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
