"""Engines that are no part of this process write the bytes that the in-process one writes.

`make engines` fetches them; where one is missing its tests are skipped.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from bundles import (
    KILLS,
    MANY_SHARDS,
    command,
    digits_bundle,
    digits_config,
    digits_data,
    hashes,
    make,
)
from cluster import SHORT_LIVED, Cluster
from flink import FlinkCluster
from jars import JOB_SERVER
from overlaid import overlaid_bundle, overlaid_config, overlaid_data
from own_pipelines import records_of
from spark import SparkCluster

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.generation.graph import run_graph
from latentloom.pipeline.generation.job import JOB_FOLDER
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.verification.verify import verify

ENGINES = Path(os.environ.get("LATENTLOOM_ENGINES", Path(__file__).parents[3] / "build/engines"))
PRISM = ENGINES / "prism"
CLUSTERS = [
    pytest.param(cls, id=cls.name, marks=[mark, pytest.mark.xdist_group(cls.name)])
    for cls, mark in ((FlinkCluster, pytest.mark.flink), (SparkCluster, pytest.mark.spark))
]
ON_CLUSTERS = [
    pytest.param("class_preserving", marks=pytest.mark.slow),
    "swap_zu",
    pytest.param("anchored", marks=pytest.mark.slow),
]
"""The quick one has donors; the machines that are killed preserve classes."""
RECIPES = {
    "class_preserving": (),
    "swap_zu": ("generate.recipe=swap_zu", "generate.variants_per_example=1"),
}
ANCHORED = ("generate.options={factor: frame}", "generate.gate.enabled=false")
"""A model whose block is the image itself, which no donor gives."""
RUN_SECONDS = 420
OWN_PIPELINE = Path(__file__).parents[1] / "engines" / "own_pipeline.py"


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> dict[str, dict[str, str]]:
    """The sha256 of every shard that the in-process runner writes."""
    folder = tmp_path_factory.mktemp("reference")
    runs = RECIPES | {"many shards": MANY_SHARDS}
    for name, settings in runs.items():
        make(folder / name, *settings)
    config = overlaid_config(*ANCHORED)
    generate(config, overlaid_data(), overlaid_bundle(), folder / "anchored")
    return {name: hashes(folder / name) for name in (*runs, "anchored")}


@pytest.fixture(scope="module", params=CLUSTERS)
def cluster(request, tmp_path_factory) -> Iterator[Cluster]:
    """A cluster of two machines."""
    jars = ENGINES / request.param.name
    if not (jars / JOB_SERVER).exists():
        pytest.skip(f"there is no engine in {jars}: make engines")
    with request.param(jars, folder=tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def prism() -> list[str]:
    if not PRISM.exists():
        pytest.skip(f"there is no Prism at {PRISM}: make engines")
    return [f"--prism_location={PRISM}"]


def run(out: Path, runner: str, beam_args: list[str], recipe: str) -> None:
    settings, job = RECIPES.get(recipe, ANCHORED), None
    if recipe == "anchored":
        job = ("elegant_letters", overlaid_data(), overlaid_bundle())
    words = command(out, *beam_args, runner=runner, settings=settings, job=job)
    done = subprocess.run(
        words,
        env=os.environ | SHORT_LIVED,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def run_own(out: Path, runner: str, beam_args: list[str], recipe: str) -> list[bytes]:
    """Runs somebody's own pipeline with our transforms in it; returns the variants in order."""
    out.mkdir()
    words = [runner, str(digits_data()), str(digits_bundle()), recipe, str(out), *beam_args]
    done = subprocess.run(
        [sys.executable, str(OWN_PIPELINE), *words],
        env=os.environ | SHORT_LIVED,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not "".join(path.read_text() for path in out.glob("bad*"))
    made = tf.data.TFRecordDataset(sorted(map(str, out.glob("made*"))))
    return sorted(made.as_numpy_iterator())


def start(words: list[str]) -> subprocess.Popen:
    """Starts a command in a process group of its own."""
    return subprocess.Popen(
        words,
        env=os.environ | SHORT_LIVED,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )


def check_whole(out: Path) -> None:
    totals = DatasetDir.open(out).manifest.totals
    assert totals["requested"] == totals["written"] + totals["rejected"] + totals["dead"]
    assert verify(out).ok


@pytest.mark.prism
@pytest.mark.parametrize("recipe", [*RECIPES, "anchored"])
def test_prism_writes_the_same_bytes(reference, prism, tmp_path, recipe):
    run(tmp_path / "out", "PrismRunner", prism, recipe)
    assert hashes(tmp_path / "out") == reference[recipe]
    check_whole(tmp_path / "out")


@pytest.mark.parametrize("recipe", ON_CLUSTERS)
def test_a_cluster_writes_the_same_bytes(reference, cluster, tmp_path, recipe):
    run(tmp_path / "out", cluster.runner, cluster.beam_args, recipe)
    assert hashes(tmp_path / "out") == reference[recipe]
    check_whole(tmp_path / "out")


@pytest.fixture(scope="module")
def own_variants() -> dict[str, list[bytes]]:
    """The variants of `run_own` that `generate` writes."""
    with tempfile.TemporaryDirectory() as folder:
        for recipe in RECIPES:
            settings = ("generate.variants_per_example=1", "generate.gate.enabled=false")
            make(Path(folder) / recipe, f"generate.recipe={recipe}", *settings)
        return {recipe: sorted(records_of(Path(folder) / recipe)) for recipe in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES)
def test_own_pipelines_make_the_variants_of_generate_here(own_variants, tmp_path, recipe):
    assert run_own(tmp_path / "out", "FnApiRunner", [], recipe) == own_variants[recipe]


@pytest.mark.prism
@pytest.mark.parametrize("recipe", RECIPES)
def test_own_pipelines_make_the_variants_of_generate_on_prism(
    own_variants, prism, tmp_path, recipe
):
    assert run_own(tmp_path / "out", "PrismRunner", prism, recipe) == own_variants[recipe]


@pytest.mark.parametrize("recipe", RECIPES)
def test_own_pipelines_make_the_variants_of_generate_on_a_cluster(
    own_variants, cluster, tmp_path, recipe
):
    made = run_own(tmp_path / "out", cluster.runner, cluster.beam_args, recipe)
    assert made == own_variants[recipe]


@pytest.mark.parametrize("seed", KILLS)
def test_a_job_goes_on_when_a_machine_is_killed(reference, cluster, tmp_path, seed):
    out, rng = tmp_path / "out", np.random.default_rng(seed)
    machine = int(rng.integers(cluster.workers))
    words = command(out, *cluster.beam_args, runner=cluster.runner, settings=MANY_SHARDS)
    job = start(words)
    wait_for_shards(job, out, int(rng.integers(len(reference["many shards"]))))
    time.sleep(rng.uniform(0, 0.2))
    cluster.kill(f"worker-{machine}")
    cluster.start_worker(machine)
    said = job.communicate(timeout=RUN_SECONDS)[1]
    assert job.returncode == 0, said[-3000:]
    assert hashes(out) == reference["many shards"]
    check_whole(out)


@pytest.mark.slow
def test_a_job_whose_command_is_killed_is_completed_by_a_rerun(reference, cluster, tmp_path):
    out = tmp_path / "out"
    words = command(out, *cluster.beam_args, runner=cluster.runner, settings=MANY_SHARDS)
    job = start(words)
    wait_for_shards(job, out, 1)
    os.killpg(job.pid, signal.SIGKILL)  # the job server too; the cluster is left alone
    job.communicate()
    make(out, *MANY_SHARDS)
    assert hashes(out) == reference["many shards"]
    check_whole(out)


def wait_for_shards(job: subprocess.Popen, out: Path, number: int) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while len(list(out.glob(".job/*tfrecord*.json"))) < number:
        assert time.monotonic() < deadline
        assert job.poll() is None
        time.sleep(0.01)


def test_beams_counters_are_those_of_the_manifest(tmp_path):
    dataset = make(tmp_path / "once", *MANY_SHARDS)
    job = plan_job(
        digits_config(*MANY_SHARDS).generate,
        *(str(digits_data()), str(digits_bundle()), str(tmp_path / "again")),
    )
    (tmp_path / "again" / JOB_FOLDER).mkdir(parents=True)
    counters = run_graph(job, job.tasks)
    counted = {name: counters.get(name, 0) for name in dataset.manifest.totals}
    assert counted == dataset.manifest.totals
    assert counters["shards"] == len(job.tasks)
