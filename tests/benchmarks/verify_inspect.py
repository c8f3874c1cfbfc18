"""CPU seconds and peak memory of `verify`, `inspect` and `--help`, on MNIST as `import` writes it.

python tests/benchmarks/verify_inspect.py [--python PATH] [--repeats 3] [--mnist DIR] [--out FILE]
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from children import arguments, report, run_command


def main() -> None:
    """Imports once, runs the verbs in turn, and prints what they took."""
    options = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as place:
        data = f"{place}/data"
        run_command(options.python, "import", f"idx:{Path(options.mnist).resolve()}", data)
        verbs = {"verify": ("verify", data), "inspect": ("inspect", data), "help": ("--help",)}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in verbs}
        for _ in range(options.repeats):
            for name, words in verbs.items():
                found[name].append(run_command(options.python, *words))
    report(options, found)


if __name__ == "__main__":
    main()
