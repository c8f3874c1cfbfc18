#!/usr/bin/env bash
# `len` of a filtered `MapDataset` of Grain counts the removed elements, which are read as None.
#
# Versions: Python 3.11, grain 0.2.18.
# Guess: `len(dataset.filter(...))` is the number that passes, as with lists; or `len` raises.
# Seen: three of five pass; `len` says five, `dataset[1]` is None, iteration gives three. An index beyond
# the end begins anew: `dataset[7]` of five is element 2.
# Who meets it: steps per epoch computed from `len`; loops over `range(len(dataset))`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" grain==0.2.18
cat > "$folder/run.py" <<'PYTHON'
from importlib.metadata import version

import grain

data = grain.MapDataset.source([10, 11, 12, 13, 14])
even = data.filter(lambda value: value % 2 == 0)
seen = {
    "len": len(even),
    "by index": [even[index] for index in range(len(even))],
    "by iteration": list(even),
    "unfiltered, index 7 of 5": data[7],
}
print("grain", version("grain"))
for name, found in seen.items():
    print(f"{name}: {found}")
expected = [5, [10, None, 12, None, 14], [10, 12, 14], 12]
assert list(seen.values()) == expected, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
