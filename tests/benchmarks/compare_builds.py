"""CPU seconds and peak memory of verbs that train nothing, of this build and of an earlier one.

Both run in turn on MNIST, so that the ratios are of one time: the median over the turns, with the
least and the most. The earlier build is a wheel of `--commit`, made once in `--earlier`. Of
`generate`, `generate_throughput.py --python PATH` tells the ratios; PATH is printed here.

    python tests/benchmarks/compare_builds.py [--commit a8e6840] [--earlier build/earlier]
        [--repeats 3] [--mnist DIR] [--out FILE]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from builds import EARLIER, ROOT, earlier_python
from children import arguments, report, run_command

Costs = dict[str, list[dict[str, float]]]


def run_in_turn(pythons: dict[str, str], mnist: str, repeats: int) -> dict[str, Costs]:
    """Runs every verb by every build; returns the costs by verb and build."""
    found: dict[str, Costs] = {}
    for _ in range(repeats):
        for name, python in pythons.items():
            with tempfile.TemporaryDirectory() as place:
                data = f"{place}/data"
                verbs = {
                    "import": ("import", f"idx:{mnist}", data),
                    "verify": ("verify", data),
                    "inspect": ("inspect", data),
                    "help": ("--help",),
                }
                for verb, words in verbs.items():
                    costs = found.setdefault(verb, {}).setdefault(name, [])
                    costs.append(run_command(python, *words))
    return found


def summarise(costs: Costs) -> dict[str, object]:
    """Medians of both builds, and the ratio of this build to the earlier one, turn by turn."""
    turns = [
        new["cpu_seconds"] / earlier["cpu_seconds"]
        for new, earlier in zip(costs["new"], costs["earlier"], strict=True)
    ]
    return {
        **{
            name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            for name, runs in costs.items()
        },
        "ratio": round(statistics.median(turns), 3),
        "range": [round(min(turns), 3), round(max(turns), 3)],
    }


def main() -> None:
    """Makes the earlier build, runs the verbs in turn, and prints the ratios."""
    parser = arguments(__doc__)
    parser.add_argument("--commit", default=EARLIER, help="commit of the earlier build")
    parser.add_argument("--earlier", type=Path, default=ROOT / "build" / "earlier")
    options = parser.parse_args()
    earlier = str(earlier_python(options.earlier, options.commit))
    print(f"The earlier build is installed for {earlier}.", file=sys.stderr)
    pythons = {"new": options.python, "earlier": earlier}
    costs = run_in_turn(pythons, str(Path(options.mnist).resolve()), options.repeats)
    report(options, {verb: summarise(found) for verb, found in costs.items()})


if __name__ == "__main__":
    main()
