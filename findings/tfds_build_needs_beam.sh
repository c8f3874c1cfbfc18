#!/usr/bin/env bash
# The command `tfds build` of a newly installed TFDS fails: it imports Apache Beam, which it does not ask for.
#
# Versions: Python 3.11, tensorflow-datasets 4.9.10, tensorflow 2.21.0 (CPU).
# Guess: after `pip install tensorflow-datasets tensorflow` its own command builds a plain data set.
# Seen: `ModuleNotFoundError: No module named 'apache_beam'`, whatever the data set needs.
# `download_and_prepare` of the same class in Python works.
# Who meets it: everybody who follows the page on adding a data set.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" tensorflow-datasets==4.9.10 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import subprocess
import sys
import tempfile
from importlib.metadata import version

BUILDER = '''
import tensorflow as tf
import tensorflow_datasets as tfds


class Rows(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict({"number": tf.int64})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(3):
            yield number, {"number": number}
'''
PREPARE = "import rows; rows.Rows(data_dir='data').download_and_prepare()"


def end_of(*command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stderr.strip().split("\n")[-1]


with tempfile.TemporaryDirectory() as folder:
    (pathlib.Path(folder) / "rows.py").write_text(BUILDER)
    by_command = end_of(str(pathlib.Path(sys.executable).parent / "tfds"), "build", "rows.py")
    by_python = end_of(sys.executable, "-c", PREPARE)[0]
print("tensorflow-datasets", version("tensorflow-datasets"))
print("tfds build:", by_command)
print("download_and_prepare, exit status:", by_python)
assert "No module named 'apache_beam'" in by_command[1], "the behaviour has changed"
assert by_python == 0, "the behaviour has changed"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
