"""Peak memory of `import folder:` of large images, in a process of its own.

python tests/benchmarks/import_memory.py [--images 300] [--side 4000] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

BLOCK = 40  # pixels a side of one level, so that the files are small


def make_images(folder: Path, images: int, side: int) -> None:
    """Writes grey images of random squares, in two classes."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(images):
        place = folder / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        levels = rng.integers(0, 256, (side // BLOCK, side // BLOCK), dtype=np.uint8)
        pixels = np.kron(levels, np.ones((BLOCK, BLOCK), np.uint8))
        Image.fromarray(pixels).save(place / f"{number:05d}.png", compress_level=1)


def measure(folder: str, out: str) -> dict[str, float]:
    """Peak MiB and seconds of an import in this process."""
    from latentloom.pipeline.importing.import_dataset import import_dataset

    begin = time.perf_counter()
    import_dataset(f"folder:{folder}", out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {"peak_mib": round(peak / scale), "seconds": round(time.perf_counter() - begin, 1)}


def main() -> None:
    """Makes the images, imports them and prints what it took as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--side", type=int, default=4000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure)))
        return
    with tempfile.TemporaryDirectory() as place:
        make_images(Path(place, "photos"), options.images, options.side)
        command = [sys.executable, __file__, "--measure", f"{place}/photos", f"{place}/out"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = {"images": options.images, "side": options.side}
    text = json.dumps(found | json.loads(done.stdout.splitlines()[-1]))
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
