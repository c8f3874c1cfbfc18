#!/usr/bin/env bash
# Grain's `DataLoader` on several shards never reads some records, though `drop_remainder` is off.
#
# Versions: Python 3.11, grain 0.2.18.
# Guess: with `ShardOptions(..., drop_remainder=False)` the shards together hold every record once.
# Seen: of 10 records on 3 shards, record 3 is read by none; of 10 on 4, records 2 and 5. `ShardOptions`
# gives the first shards one record more; the loader stops as if all shards were short. In a
# second epoch the first shard reads its record 3 and stops two records early.
# Who meets it: evaluation on several processes, which is to count each example once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" grain==0.2.18
cat > "$folder/run.py" <<'PYTHON'
from importlib.metadata import version

import grain.python as grain


def read(records, shards, epochs=1):
    found = []
    for shard in range(shards):
        options = grain.ShardOptions(shard, shards, drop_remainder=False)
        sampler = grain.IndexSampler(records, options, shuffle=False, num_epochs=epochs)
        loader = grain.DataLoader(data_source=list(range(records)), sampler=sampler)
        found.append([int(each) for each in loader])
    return found


def missing(records, shards):
    found = read(records, shards)
    print(f"{records} records on {shards} shards: {found}")
    return sorted(set(range(records)) - {record for shard in found for record in shard})


print("grain", version("grain"))
print("10 records on 3 shards, two epochs:", read(10, 3, epochs=2))
assert missing(12, 3) == [], "the behaviour has changed"
assert missing(10, 3) == [3], "the behaviour has changed"
assert missing(10, 4) == [2, 5], "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
