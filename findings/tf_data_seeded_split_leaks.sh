#!/usr/bin/env bash
# A split by `shuffle(seed=...)`, `take` and `skip` puts training examples into the validation set.
#
# Versions: Python 3.11, tensorflow 2.21.0 (CPU).
# Guess: with a seed the shuffled order is fixed, so that `take` and `skip` are disjoint.
# Seen: each pass over either part shuffles anew, by the next draw of the seed: about half of the
# "training" and "validation" examples of 100 are the same. `reshuffle_each_iteration=False` parts them.
# Who meets it: nearly every example of a split that starts with `shuffle`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import tensorflow as tf


def shared(**options):
    data = tf.data.Dataset.range(100).shuffle(100, seed=0, **options)
    train, validation = data.take(50), data.skip(50)
    return len({int(x) for x in train} & {int(x) for x in validation})


seen = {"default": shared(), "no reshuffling": shared(reshuffle_each_iteration=False)}
print("tensorflow", tf.__version__)
print("examples in both parts, of 50:", seen)
assert seen["default"] > 10, "the behaviour has changed"
assert seen["no reshuffling"] == 0, "the behaviour has changed"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
