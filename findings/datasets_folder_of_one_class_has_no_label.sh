#!/usr/bin/env bash
# `imagefolder` gives no label at all for images of one class.
#
# Versions: Python 3.11, datasets 5.2.0, pillow 13.0.0.
# Guess: a folder `cat` with images has a column "label" with one class, as two folders have two.
# Seen: with one folder the data set has the column "image" alone; `drop_labels=False` gives the label.
# Who meets it: one class put aside, or a split or a filter that leaves one: code that asks for "label"
# fails only then.
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


def columns(*classes, **options):
    with tempfile.TemporaryDirectory() as folder:
        for name in classes:
            path = pathlib.Path(folder) / "images" / name / "a.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)
        images, cache = f"{folder}/images", f"{folder}/cache"
        found = datasets.load_dataset("imagefolder", data_dir=images, cache_dir=cache, **options)
        return found["train"].column_names


print("datasets", datasets.__version__)
seen = {
    "two classes": columns("cat", "dog"),
    "one class": columns("cat"),
    "one class, drop_labels=False": columns("cat", drop_labels=False),
}
for name, found in seen.items():
    print(f"{name}: {found}")
assert list(seen.values()) == [["image", "label"], ["image"], ["image", "label"]], "it has changed"
PYTHON
HF_HUB_OFFLINE=1 "$folder/env/bin/python" "$folder/run.py"
