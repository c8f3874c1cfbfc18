#!/usr/bin/env bash
# `as_dataset(shuffle_files=False)` of TFDS takes 16 records of each shard in turn, not shard by shard.
#
# Versions: Python 3.11, tensorflow-datasets 4.9.10, tensorflow 2.21.0 (CPU).
# Guess: unshuffled files are read one after another.
# Seen: of two shards of 40 records come 16 of the first, 16 of the second, 16 of the first again. With
# `ReadConfig(interleave_cycle_length=1)` they come in the order of the files.
# Who meets it: predictions joined by position to a list of what was written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" tensorflow-datasets==4.9.10 tensorflow==2.21.0
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import tempfile
from importlib.metadata import version

import tensorflow as tf
import tensorflow_datasets as tfds

FEATURES = tfds.features.FeaturesDict({"number": tf.int64})


def written(folder):
    template = tfds.core.ShardedFileTemplate(
        dataset_name="rows", data_dir=folder, split="train", filetype_suffix="tfrecord"
    )
    for shard in range(2):
        name = f"rows-train.tfrecord-{shard:05d}-of-00002"
        with tf.io.TFRecordWriter(str(pathlib.Path(folder) / name)) as writer:
            for number in range(40 * shard, 40 * shard + 40):
                writer.write(FEATURES.serialize_example({"number": number}))
    split = tfds.core.SplitInfo(
        name="train", shard_lengths=[40, 40], num_bytes=0, filename_template=template
    )
    tfds.folder_dataset.write_metadata(
        data_dir=folder, features=FEATURES, split_infos=[split], check_data=False
    )


def order(builder, **options):
    data = builder.as_dataset(split="train", shuffle_files=False, **options)
    return [int(row["number"]) for row in data.as_numpy_iterator()]


with tempfile.TemporaryDirectory() as root:
    folder = pathlib.Path(root) / "rows" / "1.0.0"
    folder.mkdir(parents=True)
    written(folder)
    builder = tfds.builder_from_directory(folder)
    mixed = order(builder)
    straight = order(builder, read_config=tfds.ReadConfig(interleave_cycle_length=1))
print("tensorflow-datasets", version("tensorflow-datasets"))
print("order:", mixed)
assert straight == list(range(80)), "the behaviour has changed"
expected = [*range(16), *range(40, 56), *range(16, 32)]
assert mixed[:48] == expected, "the behaviour has changed"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" "$folder/run.py"
