#!/usr/bin/env bash
# `thumbnail` of a JPEG gives other pixels when something looked at the pixels before.
#
# Versions: Python 3.11, pillow 13.0.0, numpy 2.4.6.
# Guess: a smaller copy depends on the image, the size and the filter.
# Seen: an image that is not decoded yet is decoded at a half, a quarter or an eighth of its size by the
# JPEG library and then resized; after `load()`, `numpy.asarray` or a look at a pixel it is
# decoded whole. More than half of the pixels differ.
# Who meets it: caches of thumbnails by hash, and near-copy tests between two scripts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" pillow==13.0.0 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import io

import numpy as np
import PIL
from PIL import Image

noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
Image.fromarray(noise).save(file := io.BytesIO(), "JPEG", quality=95)


def small(look, **options):
    with Image.open(io.BytesIO(file.getvalue())) as image:
        if look:
            image.load()
        image.thumbnail((32, 32), **options)
        return np.asarray(image).astype(int)


print("pillow", PIL.__version__)
differ = np.abs(small(False) - small(True))
whole = np.abs(small(False, reducing_gap=None) - small(True, reducing_gap=None))
print(f"pixels that differ: {(differ > 0).mean():.0%}, by at most {differ.max()}")
print(f"with reducing_gap=None: {(whole > 0).mean():.0%}, by at most {whole.max()}")
assert (differ > 0).mean() > 0.3, "the behaviour has changed"
assert not whole.any(), "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
