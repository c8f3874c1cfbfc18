"""What `import latentloom` costs a program, and records a second of `open_dataset`, on MNIST.

python tests/benchmarks/python_face.py [--python PATH] [--repeats 3] [--mnist DIR] [--out FILE]

`import` is in milliseconds, less an interpreter that imports nothing. Of the records, `streamed`
are read in order, `scattered` by their numbers in a random order, after `first`: the scan of all
lengths for the first one.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from children import Work, arguments, do_work, report, run_command, run_works

SCATTERED = 10_000


def streamed(room: str, data: str) -> Work:
    """Reads all records in order."""
    import latentloom

    return lambda: sum(1 for _ in latentloom.open_dataset(data))


def scattered(room: str, data: str) -> Work:
    """Reads records in a random order, one at a time."""
    import latentloom

    records = latentloom.open_dataset(data)
    places = np.random.default_rng(0).permutation(len(records))[:SCATTERED].tolist()
    assert records[0]
    return lambda: sum(1 for place in places if records[place])


def first(room: str, data: str) -> Work:
    """Reads one record by its number."""
    import latentloom

    records = latentloom.open_dataset(data)
    return lambda: len(records) if records[len(records) - 1] else 0


WORKS = {"streamed": streamed, "scattered": scattered, "first": first}


def seconds_of(python: str, program: str) -> float:
    """Returns the wall seconds of a process that runs a program."""
    begin = time.perf_counter()
    subprocess.run([python, "-c", program], check=True, cwd="/")
    return time.perf_counter() - begin


def main() -> None:
    """Times the import, imports data once, runs the works in turn, and prints what they took."""
    options = arguments(__doc__).parse_args()
    if options.work:
        do_work(WORKS, *options.work)
        return
    turns = [
        seconds_of(options.python, "import latentloom") - seconds_of(options.python, "pass")
        for _ in range(5 * options.repeats)
    ]
    with tempfile.TemporaryDirectory() as place:
        data = f"{place}/data"
        run_command(options.python, "import", f"idx:{Path(options.mnist).resolve()}", data)
        works = run_works(options, WORKS, data)
    report(options, {"import": round(1000 * statistics.median(turns), 1), **works})


if __name__ == "__main__":
    main()
