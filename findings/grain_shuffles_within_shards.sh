#!/usr/bin/env bash
# A shuffled sampler of Grain gives each shard the same block of records in every epoch.
#
# Versions: Python 3.11, grain 0.2.18.
# Guess: the shuffle is over all records, and each epoch deals them to the shards anew.
# Seen: shard 0 of 2 reads the first half of the records in both epochs, in another order; records of
# the two halves are never in one batch. Data sorted by class give each process other classes.
# Who meets it: trainings on several processes on files that are sorted by class.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" grain==0.2.18
cat > "$folder/run.py" <<'PYTHON'
from importlib.metadata import version

import grain.python as grain


def read(shard):
    sampler = grain.IndexSampler(10, grain.ShardOptions(shard, 2), shuffle=True, seed=0, num_epochs=2)
    found = [int(each) for each in grain.DataLoader(data_source=list(range(10)), sampler=sampler)]
    return [found[:5], found[5:]]


print("grain", version("grain"))
for shard in range(2):
    epochs = read(shard)
    print(f"shard {shard}: {epochs}")
    block = list(range(5 * shard, 5 * shard + 5))
    assert [sorted(epoch) for epoch in epochs] == [block, block], "the behaviour has changed"
    assert epochs[0] != epochs[1], "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
