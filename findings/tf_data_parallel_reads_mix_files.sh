#!/usr/bin/env bash
# `TFRecordDataset(files, num_parallel_reads=2)` mixes records of two files, though it is deterministic.
#
# Versions: Python 3.11, tensorflow 2.21.0 (CPU).
# Guess: a deterministic reader gives the order of the files; threads only read ahead.
# Seen: records of two files alternate one by one, and the order is another for 3 than for 2. Without the
# option they come file by file.
# Who meets it: predictions joined to a table by position; `take(n)` of "the first file".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import tempfile

import tensorflow as tf

with tempfile.TemporaryDirectory() as folder:
    files = [str(pathlib.Path(folder) / name) for name in "abc"]
    for file in files:
        with tf.io.TFRecordWriter(file) as writer:
            for number in range(3):
                writer.write(f"{file[-1]}{number}".encode())

    def order(reads):
        data = tf.data.TFRecordDataset(files, num_parallel_reads=reads)
        options = tf.data.Options()
        options.deterministic = True
        return " ".join(each.decode() for each in data.with_options(options).as_numpy_iterator())

    seen = {reads: order(reads) for reads in (None, 2, 3)}
print("tensorflow", tf.__version__)
for reads, found in seen.items():
    print(f"num_parallel_reads={reads}: {found}")
assert seen == {
    None: "a0 a1 a2 b0 b1 b2 c0 c1 c2",
    2: "a0 b0 a1 b1 a2 b2 c0 c1 c2",
    3: "a0 b0 c0 a1 b1 c1 a2 b2 c2",
}, "the behaviour has changed"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
