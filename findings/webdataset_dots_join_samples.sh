#!/usr/bin/env bash
# WebDataset joins the files `a.1.png` and `a.2.png` to one sample, and drops files without an extension.
#
# Versions: Python 3.11, webdataset 1.0.2, numpy 2.4.6.
# Guess: the name of a sample ends at the last dot, as `os.path.splitext` has it.
# Seen: it ends at the first dot: four files of two images become one sample with the keys `1.png`,
# `1.cls`, `2.png` and `2.cls`, so that a shard of two images has one, without a word. A file without
# a dot is left out.
# Who meets it: archives made by `tar` of files such as `scan.2024.01.png`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" webdataset==1.0.2 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import io
import pathlib
import tarfile
import tempfile
from importlib.metadata import version

import webdataset


def samples(names):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "shard.tar"
        with tarfile.open(path, "w") as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = 1
                archive.addfile(member, io.BytesIO(b"1"))
        found = list(webdataset.WebDataset(str(path), shardshuffle=False))
    return [(each["__key__"], sorted(key for key in each if key[0] != "_")) for each in found]


print("webdataset", version("webdataset"))
seen = {
    "a_1, a_2": samples(["a_1.png", "a_1.cls", "a_2.png", "a_2.cls"]),
    "a.1, a.2": samples(["a.1.png", "a.1.cls", "a.2.png", "a.2.cls"]),
    "without a dot": samples(["a.png", "a.cls", "readings"]),
}
for names, found in seen.items():
    print(f"{names}: {found}")
expected = {
    "a_1, a_2": [("a_1", ["cls", "png"]), ("a_2", ["cls", "png"])],
    "a.1, a.2": [("a", ["1.cls", "1.png", "2.cls", "2.png"])],
    "without a dot": [("a", ["cls", "png"])],
}
assert seen == expected, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
