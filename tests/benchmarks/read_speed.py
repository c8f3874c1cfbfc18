"""Records a CPU second of `read`, beside the package `tfrecord` of PyPI, on MNIST.

    python -m pip install --target FOLDER --no-deps tfrecord crc32c
    python tests/benchmarks/read_speed.py [--python PATH] [--repeats 3] [--tfrecord FOLDER]
        [--mnist DIR] [--out FILE]

`read` gives all features and checks all checksums. `tfrecord` reads image and label, decoded with
pyspng, and checks none.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

from children import Work, arguments, do_work, report, run_command, run_works


def read(room: str, data: str, *_: str) -> Work:
    """Returns our reader."""
    reader = importlib.import_module(f"{room}.reader")
    return lambda: sum(1 for _ in reader.read(data))


def tfrecord(room: str, data: str, folder: str) -> Work:
    """Returns the reader of the package."""
    sys.path.append(folder)
    package, png = importlib.import_module("tfrecord"), importlib.import_module("pyspng")
    paths = [str(path) for path in sorted(Path(data).glob("*-train.tfrecord-*"))]

    def work() -> int:
        count = 0
        for path in paths:
            for record in package.tfrecord_loader(path, None, {"image": "byte", "label": "int"}):
                png.load(record["image"])
                count += 1
        return count

    return work


WORKS = {"read": read, "tfrecord": tfrecord}


def main() -> None:
    """Imports once, runs the works in turn, and prints what they took."""
    parser = arguments(__doc__)
    parser.add_argument("--tfrecord", default="", help="folder with the package; without, not run")
    options = parser.parse_args()
    if options.work:
        do_work(WORKS, *options.work)
        return
    works = WORKS if options.tfrecord else {"read": read}
    with tempfile.TemporaryDirectory() as place:
        data = f"{place}/data"
        run_command(options.python, "import", f"idx:{Path(options.mnist).resolve()}", data)
        report(options, run_works(options, works, data, options.tfrecord))


if __name__ == "__main__":
    main()
