#!/usr/bin/env bash
# Beam takes `[` in a folder's name for a pattern: it finds no file there, and fails after the work.
#
# Versions: Python 3.11, apache-beam 2.77.0.
# Guess: a path without `*` that `FileSystems.exists` affirms can be read and written.
# Seen: `exists` says yes, `match` finds nothing, `ReadFromText` raises, `ReadAllFromText` reads nothing
# without a word, and `WriteToText` computes everything, then fails when it renames its shards.
# Who meets it: folders such as `run[1]` or `data [old]`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" apache-beam==2.77.0
cat > "$folder/run.py" <<'PYTHON'
import logging
import pathlib
import tempfile
from importlib.metadata import version

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

logging.disable(logging.CRITICAL)

def error_of(transform):
    try:
        with beam.Pipeline(options=beam.options.pipeline_options.PipelineOptions([])) as pipeline:
            transform(pipeline)
    except Exception as error:
        return type(error).__name__
    return None


def marked(element):
    (pathlib.Path(folder) / "worked").touch()
    return element


def failed(line):
    raise AssertionError("a line was read: the behaviour has changed")


with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "run[1]" / "words.txt"
    path.parent.mkdir()
    path.write_text("one\ntwo\n")
    name = str(path)
    seen = {
        "exists": FileSystems.exists(name),
        "match": len(FileSystems.match([name])[0].metadata_list),
        "ReadFromText": error_of(lambda p: p | beam.io.ReadFromText(name)),
        "ReadAllFromText": error_of(
            lambda p: p | beam.Create([name]) | beam.io.ReadAllFromText() | beam.Map(failed)
        ),
        "WriteToText": error_of(
            lambda p: p | beam.Create(["x"]) | beam.Map(marked) | beam.io.WriteToText(name + ".out")
        ),
        "work was done": (pathlib.Path(folder) / "worked").exists(),
    }
print("apache-beam", version("apache-beam"))
for what, found in seen.items():
    print(f"{what}: {found}")
expected = [True, 0, "OSError", None, "BeamIOError", True]
assert list(seen.values()) == expected, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
