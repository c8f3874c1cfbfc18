#!/usr/bin/env bash
# `exif_transpose` of an uncompressed TIFF gives other pixels from a path than from the same bytes.
#
# Versions: Python 3.11, pillow 13.0.0, numpy 2.4.6.
# Guess: `Image.open` of a path and of a stream with its bytes give the same image.
# Seen: with the orientations 6 and 8 the image from the path lies where the others stand. Pillow maps
# such a file into memory, and turns it at another moment. Compressed TIFF files agree.
# Who meets it: scans and microscope images, read from paths in one place, from archives in another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" pillow==13.0.0 numpy==2.4.6
cat > "$folder/run.py" <<'PYTHON'
import io
import pathlib
import tempfile

import numpy as np
import PIL
from PIL import Image, ImageOps

PIXELS = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


def upright(file):
    with Image.open(file) as image:
        return np.asarray(ImageOps.exif_transpose(image))


def agree(orientation, compression):
    exif = Image.Exif()
    exif[0x0112] = orientation
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "image.tiff"
        Image.fromarray(PIXELS).save(path, exif=exif, compression=compression)
        by_path, by_stream = upright(path), upright(io.BytesIO(path.read_bytes()))
    print(f"orientation {orientation}, {compression or 'uncompressed'}: shape from the path ", end="")
    print(f"{by_path.shape}, from its bytes {by_stream.shape}")
    return np.array_equal(by_path, by_stream)


print("pillow", PIL.__version__)
seen = [agree(turn, kind) for kind in (None, "tiff_lzw") for turn in (1, 3, 6, 8)]
assert seen == [True, True, False, False, True, True, True, True], "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
