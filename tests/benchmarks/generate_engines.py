"""Seconds of `generate` on each engine: what an image takes, and what starting it takes.

One variant of each image of 28 x 28 pixels, with the default convolutional model, its weights as
initialised, gate off, each run in a process of its own: with one worker process, two, two threads,
and on the clusters of `tests/pipeline/engines` whose jars `make engines` brought. A tenth of the
images and all of them are made in turn; the line through both times is the cost of an image and
that of the start, which is what the first image waits for.

    python tests/benchmarks/generate_engines.py [--examples 100000] [--repeats 3] [--out FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARDS = 16
LOCAL = {
    "one process": [],
    "two processes": ["--direct_num_workers=2", "--direct_running_mode=multi_processing"],
    "two threads": ["--direct_num_workers=2", "--direct_running_mode=multi_threading"],
}

sys.path.insert(0, str(ROOT / "tests/pipeline/engines"))


def measure(data: str, bundle: str, out: str, runner: str, *beam_args: str) -> float:
    """Wall seconds of a run in this process, TensorFlow and Beam being imported already."""
    from latentloom.pipeline.config.settings import GenerateConfig
    from latentloom.pipeline.generation.engines import Engine
    from latentloom.pipeline.generation.graph import run_graph
    from latentloom.pipeline.generation.planning.plan_job import plan_job
    from latentloom.pipeline.generation.worker.codec_worker import limit_threads

    settings = GenerateConfig.model_validate({"gate": {"enabled": False}})
    limit_threads(settings.threads)
    Path(out).mkdir()
    engine = Engine(runner, beam_args)
    job = plan_job(settings, data, bundle, out, engine)
    begun = time.perf_counter()
    run_graph(job, job.tasks, engine)
    return time.perf_counter() - begun


def in_process(*arguments: str) -> float:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def started_engines() -> Iterator[dict[str, list[str]]]:
    """Runner and options of every engine that is at hand, by name."""
    from flink import FlinkCluster
    from jars import JOB_SERVER
    from spark import SparkCluster

    engines = {name: ["FnApiRunner", *arguments] for name, arguments in LOCAL.items()}
    with contextlib.ExitStack() as stack:
        for kind in (FlinkCluster, SparkCluster):
            jars = ROOT / "build/engines" / kind.name
            if (jars / JOB_SERVER).exists():
                cluster = stack.enter_context(kind(jars))
                engines[f"{kind.name}, two machines"] = [kind.runner, *cluster.beam_args]
            else:
                print(f"{kind.name} is left out: make engines", file=sys.stderr)
        yield engines


def run_rounds(sizes: list[int], repeats: int) -> dict[str, list[list[float]]]:
    """Seconds of every engine, `(repeats, sizes)`, the engines in turn."""
    from generate_throughput import make_bundle, make_data

    seconds: dict[str, list[list[float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, started_engines() as engines:
        bundle = make_bundle(Path(name))
        datasets = []
        for size in sizes:
            folder = Path(name, str(size))
            folder.mkdir()
            datasets.append(make_data(folder, size, shards=SHARDS))
        for repeat in range(repeats):
            for engine, words in engines.items():
                outs = [data.with_name(f"{engine}-{repeat}") for data in datasets]
                taken = [
                    in_process(str(data), str(bundle), str(out), *words)
                    for data, out in zip(datasets, outs, strict=True)
                ]
                seconds[engine].append(taken)
                print(f"{engine}: {taken}", file=sys.stderr, flush=True)
    return seconds


def summarise(sizes: list[int], seconds: dict[str, list[list[float]]]) -> dict:
    """Medians over the rounds; ratios are of the same round."""
    engines, (small, large) = {}, sizes
    for engine, rounds in seconds.items():
        slopes = [(long - short) / (large - small) for short, long in rounds]
        starts = [short - slope * small for (short, _), slope in zip(rounds, slopes, strict=True)]
        ratios = [
            one[1] / this[1] for one, this in zip(seconds["one process"], rounds, strict=True)
        ]
        engines[engine] = {
            "seconds": [[round(value, 1) for value in taken] for taken in rounds],
            "images_per_second_once_started": round(1 / statistics.median(slopes)),
            "start_seconds": round(statistics.median(starts), 1),
            "speed_over_one_process": round(statistics.median(ratios), 2),
            "lowest_and_highest": [round(min(ratios), 2), round(max(ratios), 2)],
        }
    return {
        "benchmark": "generate_engines",
        "examples": sizes,
        "processor": platform.processor() or platform.machine(),
        "engines": engines,
    }


def main() -> None:
    """Runs all engines and prints JSON; or one run, for itself."""
    if sys.argv[1:2] == ["--"]:
        print(json.dumps(measure(*sys.argv[2:])))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    sizes = [options.examples // 10, options.examples]
    result = summarise(sizes, run_rounds(sizes, options.repeats))
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
