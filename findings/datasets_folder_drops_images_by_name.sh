#!/usr/bin/env bash
# `imagefolder` drops the other images when one file or class has a word such as "test" in its name.
#
# Versions: Python 3.11, datasets 5.2.0, pillow 13.0.0.
# Guess: images in folders of classes are one split, "train", with all of them.
# Seen: of four images, one of which is named `my test image.png`, one comes back, in the split "test";
# the rest is gone without a word. A class `test_cat` hides the class `dog`. Without such words all four
# are there.
# Who meets it: classes such as `crash_test`, photographs such as `train 1.jpg`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" datasets==5.2.0 pillow==13.0.0 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import tempfile

import datasets
import numpy as np
from PIL import Image

datasets.disable_progress_bars()


def splits(*names):
    with tempfile.TemporaryDirectory() as folder:
        for value, name in enumerate(names):
            path = pathlib.Path(folder) / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 4), value, np.uint8)).save(path)
        images = f"{folder}/images"
        found = datasets.load_dataset("imagefolder", data_dir=images, cache_dir=f"{folder}/cache")
        return {split: rows.num_rows for split, rows in found.items()}


print("datasets", datasets.__version__)
seen = {
    "plain names": splits("cat/a.png", "cat/b.png", "dog/a.png", "dog/b.png"),
    "one file": splits("cat/a.png", "cat/b.png", "dog/a.png", "dog/my test image.png"),
    "one class": splits("test_cat/a.png", "test_cat/b.png", "dog/a.png", "dog/b.png"),
}
for names, found in seen.items():
    print(f"{names}: images by split {found}")
expected = [{"train": 4}, {"test": 1}, {"test": 2}]
assert list(seen.values()) == expected, "the behaviour has changed"
PYTHON
HF_HUB_OFFLINE=1 "$folder/env/bin/python" "$folder/run.py"
