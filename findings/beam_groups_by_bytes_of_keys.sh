#!/usr/bin/env bash
# `GroupByKey` of Beam groups keys by their bytes, `Count.PerElement` by `==`; both refuse NumPy's integers.
#
# Versions: Python 3.11, apache-beam 2.77.0, numpy 2.4.6.
# Guess: all group what a dictionary would, and a label from an array is as good as an `int`.
# Seen: for `GroupByKey` 1, True and 1.0 are three keys, and 0.0 and -0.0 two. `Count.PerElement`, which
# first adds up in a dictionary, counts each of these as one here, and may split them over workers.
# `numpy.int64` and `numpy.str_` raise `TypeError` while the pipeline runs.
# Who meets it: counts by label where labels come from arrays or from several sources.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" apache-beam==2.77.0 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import logging
import pathlib
import tempfile
from importlib.metadata import version

import apache_beam as beam
import numpy as np

logging.disable(logging.CRITICAL)


def groups(transform, keys):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        options = beam.options.pipeline_options.PipelineOptions([])
        try:
            with beam.Pipeline(options=options) as pipeline:
                found = pipeline | beam.Create(keys) | transform
                found | beam.Map(lambda pair: repr(pair[0])) | beam.io.WriteToText(str(out), num_shards=1)
        except TypeError as error:
            return str(error)[:60]
        return sorted(next(pathlib.Path(folder).glob("out*")).read_text().split("\n")[:-1])


def by_key():
    return beam.Map(lambda key: (key, None)) | beam.GroupByKey()


KEYS = {
    "1, True, 1.0": [1, True, 1.0],
    "0.0, -0.0": [0.0, -0.0],
    "numpy.int64": list(np.array([1, 1])),
    "numpy.str_": list(np.array(["cat", "cat"])),
}
print("apache-beam", version("apache-beam"), "numpy", np.__version__)
sizes = []
for name, keys in KEYS.items():
    seen = [groups(way, keys) for way in (by_key(), beam.combiners.Count.PerElement())]
    print(f"{name}: GroupByKey {seen[0]}, Count.PerElement {seen[1]}")
    sizes.append(["refused" if isinstance(each, str) else len(each) for each in seen])
expected = [[3, 1], [2, 1], ["refused"] * 2, ["refused"] * 2]
assert sizes == expected, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
