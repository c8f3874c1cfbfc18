"""Hours and money of a job from unit costs; prints the table of `pipeline/generation/README.md`.

All figures to replace stand at the top: what was measured here, and what is assumed of others.

    python tests/benchmarks/job_costs.py [--images 100000000] [--images-a-cpu-second 4256]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

IMAGES_A_CPU_SECOND = 4256
"""`generate_throughput.py`, 28 x 28, one variant each, gate off."""
BOOKKEEPING = 21.0
"""CPU seconds of `planning_scale.py`: planning, looking at all shards, completing, verifying."""
ASSUMED_ON = "2026-11-30"
MACHINE, DATAFLOW = 0.05, 0.07
"""Dollars for an hour of a vCPU with 4 GB: round figures near list prices, not looked up."""


@dataclass(frozen=True)
class Engine:
    """What a job runs on.

    Args:
        name: Its name.
        workers: vCPUs that work.
        idle: vCPUs beside, such as those of a job manager.
        start: Seconds until all workers work.
        price: Dollars for an hour of a vCPU.
    """

    name: str
    workers: int
    idle: int
    start: float
    price: float


ENGINES = (
    Engine("one machine, 32 processes", 32, 0, 14, MACHINE),  # generate_engines.py: 17.8 - 3.6 s
    Engine("Flink, 8 task managers of 4", 32, 4, 30, MACHINE),  # generate_engines.py: 32 - 2 s
    Engine("Dataflow, 8 workers of 4", 32, 0, 300, DATAFLOW),  # assumed: machines and their image
)


def rows(images: int, speed: float) -> list[tuple[str, ...]]:
    """Returns engine, hours, hours of vCPUs, price of one, money, and the share of the work."""
    found = []
    for engine in ENGINES:
        work = images / speed / engine.workers
        hours = (work + engine.start + BOOKKEEPING) / 3600
        paid = hours * (engine.workers + engine.idle)
        share = work * engine.workers / 3600 / paid
        money = f"${paid * engine.price:.2f}"
        price = f"${engine.price:.2f}"
        found.append((engine.name, f"{hours:.2f}", f"{paid:.1f}", price, money, f"{share:.0%}"))
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000_000)
    parser.add_argument("--images-a-cpu-second", type=float, default=IMAGES_A_CPU_SECOND)
    options = parser.parse_args()
    heads = ("", "hours", "vCPU-hours", f"of one ({ASSUMED_ON})", "money", "is rendering")
    table = [heads, ("---",) * len(heads), *rows(options.images, options.images_a_cpu_second)]
    for row in table:
        print(f"| {' | '.join(row)} |" if row[0] != "---" else f"|{'|'.join(row)}|")


if __name__ == "__main__":
    main()
