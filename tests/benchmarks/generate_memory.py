"""Peak memory of a worker, and time per image, as the data set grows.

Each size is one shard, so that only slices bound what lies in memory, and runs in processes of its
own, of whose peaks and times the medians are taken: one peak varies by 4 MB. `slope` is that of a
line through the peaks, in bytes of memory per image. `swap_zu` takes donors, `class_preserving`
does not.

    python tests/benchmarks/generate_memory.py [--examples 10000 40000 160000] [--repeats 5]
        [--recipes class_preserving swap_zu] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def measure(data: Path, bundle: Path, out: Path, recipe: str) -> dict[str, float]:
    """Peak bytes and CPU seconds of a run in this process, start-up left out of the seconds."""
    from latentloom.pipeline.config.settings import GenerateConfig
    from latentloom.pipeline.generation.forecast import peak_memory
    from latentloom.pipeline.generation.graph import run_graph
    from latentloom.pipeline.generation.planning.plan_job import plan_job
    from latentloom.pipeline.generation.worker.codec_worker import limit_threads

    settings = GenerateConfig.model_validate({"recipe": recipe, "gate": {"enabled": False}})
    limit_threads(settings.threads)
    out.mkdir()
    job = plan_job(settings, str(data), str(bundle), str(out))
    wall, cpu = time.perf_counter(), time.process_time()
    run_graph(job, job.tasks)
    return {
        "peak_bytes": peak_memory(),
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
    }


def in_process(*arguments: str) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--measure", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def run_sizes(
    sizes: list[int], recipes: list[str], repeats: int
) -> dict[str, list[dict[str, float]]]:
    """The medians of what `measure` gives for every recipe and size."""
    from generate_throughput import make_bundle, make_data

    results: dict[str, list[dict[str, float]]] = {recipe: [] for recipe in recipes}
    with tempfile.TemporaryDirectory() as name:
        bundle = make_bundle(Path(name))
        for size in sizes:
            folder = Path(name, str(size))
            folder.mkdir()
            data = make_data(folder, size, shards=1)
            for recipe in recipes:
                runs = []
                for repeat in range(repeats):
                    out = folder / f"{recipe}{repeat}"
                    runs.append(in_process(str(data), str(bundle), str(out), recipe))
                    shutil.rmtree(out)
                results[recipe].append(
                    {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                )
    return results


def summarise(sizes: list[int], results: dict[str, list[dict[str, float]]]) -> dict:
    """Slopes of memory, and the time of an image at every size over that at the smallest."""
    recipes = {}
    for recipe, runs in results.items():
        peaks = [run["peak_bytes"] for run in runs]
        times = [run["cpu"] / size for run, size in zip(runs, sizes, strict=True)]
        recipes[recipe] = {
            "peak_mb": [round(peak / 1e6) for peak in peaks],
            "slope_bytes_per_image": round(float(np.polyfit(sizes, peaks, 1)[0]), 2),
            "cpu_us_per_image": [round(1e6 * seconds, 1) for seconds in times],
            "time_per_image_over_smallest": [round(t / times[0], 3) for t in times],
        }
    return {
        "benchmark": "generate_memory",
        "examples": sizes,
        "processor": platform.processor() or platform.machine(),
        "recipes": recipes,
    }


def main() -> None:
    """Runs all sizes and prints JSON; or one run, for itself."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, nargs="+", default=[10_000, 40_000, 160_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--recipes", nargs="+", default=["class_preserving", "swap_zu"])
    parser.add_argument("--out", type=Path, help="file for the JSON")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        data, bundle, out, recipe = options.measure
        print(json.dumps(measure(Path(data), Path(bundle), Path(out), recipe)))
        return
    result = summarise(
        options.examples, run_sizes(options.examples, options.recipes, options.repeats)
    )
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
