"""Whatever dies at whatever moment: what was finished stays, and a rerun completes the rest."""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import bundles
import numpy as np
import pytest
from bundles import (
    KILLS,
    MANY_SHARDS,
    command,
    damaged_digits,
    digits_bundle,
    digits_data,
    hashes,
    make,
)

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE
from latentloom.pipeline.generation import generate as generation
from latentloom.pipeline.verification.verify import verify

TWO_PROCESSES = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")
START_SECONDS = 120


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> dict[str, str]:
    """The sha256 of every shard of a run that nothing happened to."""
    out = tmp_path_factory.mktemp("reference") / "out"
    make(out, *MANY_SHARDS)
    return hashes(out)


def start(out: Path, *beam_args: str, **environment: str) -> subprocess.Popen:
    """A run in a process group of its own."""
    return subprocess.Popen(
        command(out, *beam_args, settings=MANY_SHARDS),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
        start_new_session=True,
        text=True,
    )


def finished_shards(out: Path) -> list[str]:
    """Names of the shards whose reports are written."""
    return [path.name.removesuffix(".json") for path in out.glob(".job/*tfrecord*.json")]


def wait_for_shards(run: subprocess.Popen, out: Path, number: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while len(finished_shards(out)) < number or not (out / ".job").exists():
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.002)


def end(run: subprocess.Popen) -> str:
    """Kills what is left of a run; what it said."""
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.killpg(run.pid, signal.SIGKILL)
    return run.communicate()[1]


def worker_processes(run: subprocess.Popen) -> list[int]:
    """Process ids of the Python workers of a run."""
    pattern = ["-P", str(run.pid), "-f", "generation.worker.process"]
    found = subprocess.run(["pgrep", *pattern], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def check_rerun(out: Path, reference: dict[str, str]) -> None:
    """A rerun completes the data set, and redoes nothing that was finished."""
    found = {name: digest for name, digest in hashes(out).items() if not name.startswith(".")}
    assert found == {name: reference[name] for name in found}, "a half file has a final name"
    finished = finished_shards(out)
    times = {name: (out / name).stat().st_mtime_ns for name in finished}
    dataset = make(out, *MANY_SHARDS)
    assert hashes(out) == reference
    assert {name: (out / name).stat().st_mtime_ns for name in finished} == times
    totals = dataset.manifest.totals
    assert totals["requested"] == totals["written"] + totals["rejected"] + totals["dead"]
    assert totals["requested"] == 4 * DatasetDir.open(digits_data()).manifest.num_examples("train")
    assert verify(out).ok
    assert not [name for name in os.listdir(out) if name.endswith(".tmp") or name == ".lock"]


@pytest.mark.parametrize("seed", KILLS)
def test_a_job_that_is_killed_at_a_random_moment_loses_nothing(reference, tmp_path, seed):
    out, rng = tmp_path / "out", np.random.default_rng(seed)
    run = start(out)
    wait_for_shards(run, out, int(rng.integers(len(reference))))
    time.sleep(rng.uniform(0, 0.05))
    end(run)
    check_rerun(out, reference)


@pytest.mark.parametrize("seed", KILLS)
def test_a_worker_that_is_killed_ends_the_run_with_a_message_and_loses_nothing(
    reference, tmp_path, seed
):
    out, rng = tmp_path / "out", np.random.default_rng(seed)
    run = start(out, *TWO_PROCESSES)
    wait_for_shards(run, out, int(rng.integers(len(reference))))
    time.sleep(rng.uniform(0, 0.2))
    while run.poll() is None and not (workers := worker_processes(run)):
        time.sleep(0.002)
    if run.poll() is None:
        with contextlib.suppress(ProcessLookupError):  # its work is done
            os.kill(rng.choice(workers), signal.SIGKILL)
        try:
            run.wait(60)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the run waits for a dead worker: {end(run)[-2000:]}")
    said = end(run)
    if not (out / MANIFEST_FILE).exists():
        assert run.returncode == 1
        assert "A worker process died" in said
        assert "run the same command again" in said
    check_rerun(out, reference)


def test_a_second_run_of_the_same_directory_is_refused_and_the_first_goes_on(reference, tmp_path):
    out = tmp_path / "out"
    run = start(out)
    wait_for_shards(run, out, 1)
    os.kill(run.pid, signal.SIGSTOP)  # so that it is still there
    with pytest.raises(FileExistsError, match="Another run is writing"):
        make(out, *MANY_SHARDS)
    with pytest.raises(FileExistsError, match="Another run is writing"):
        make(out, *MANY_SHARDS, overwrite=True)
    os.kill(run.pid, signal.SIGCONT)
    said = run.communicate(timeout=START_SECONDS)[1]
    assert run.returncode == 0, said
    assert hashes(out) == reference
    assert verify(out).ok


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of a process that runs")
def test_a_disk_that_fills_up_stops_the_run_with_a_message_and_loses_nothing(reference, tmp_path):
    out = tmp_path / "out"
    run = start(out)
    wait_for_shards(run, out, 1)
    os.kill(run.pid, signal.SIGSTOP)  # so that it is still there
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    os.kill(run.pid, signal.SIGCONT)
    said = run.communicate(timeout=START_SECONDS)[1]
    assert run.returncode == 1
    assert "File too large" in said
    assert "run the same command again" in said
    assert 0 < len(finished_shards(out)) < len(reference)
    check_rerun(out, reference)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "deleted"])
def test_an_output_shard_that_is_damaged_is_found_and_made_again(reference, tmp_path, damage):
    out = tmp_path / "out"
    make(out, *MANY_SHARDS)
    shard = sorted(out.glob("*.tfrecord-*"))[1]
    content = shard.read_bytes()
    match damage:
        case "truncated":
            shard.write_bytes(content[:-7])
        case "flipped":
            middle = len(content) // 2
            flipped = bytes([content[middle] ^ 1])
            shard.write_bytes(content[:middle] + flipped + content[middle + 1 :])
        case "deleted":
            shard.unlink()
    assert {problem.file for problem in verify(out).problems} == {shard.name}
    others = {path: path.stat().st_mtime_ns for path in out.glob("*.tfrecord-*") if path != shard}
    make(out, *MANY_SHARDS)
    assert hashes(out) == reference
    assert {path: path.stat().st_mtime_ns for path in others} == others


@pytest.mark.parametrize("damage", ["truncated", "deleted"])
def test_an_input_shard_that_is_damaged_is_refused_before_work_starts(tmp_path, damage):
    data = tmp_path / "data"
    shutil.copytree(digits_data(), data)
    shard = sorted(data.glob("*-train.tfrecord-*"))[0]
    if damage == "truncated":
        shard.write_bytes(shard.read_bytes()[:-7])
    else:
        shard.unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=f"is damaged: '{shard.name}'"):
        make(tmp_path / "out", data=data)
    assert not (tmp_path / "out").exists()


def test_an_input_shard_that_vanishes_under_a_run_stops_it_and_a_rerun_completes_it(
    reference, tmp_path, monkeypatch
):
    data, out = tmp_path / "data", tmp_path / "out"
    shutil.copytree(digits_data(), data)
    shard = sorted(data.glob("*-train.tfrecord-*"))[1]
    plan = generation.plan_job

    def plan_then_lose(*arguments):
        job = plan(*arguments)
        shard.rename(tmp_path / "away")
        return job

    monkeypatch.setattr(generation, "plan_job", plan_then_lose)
    with pytest.raises(RuntimeError, match=f"(?s)The run stopped.*{shard.name}.*same command"):
        make(out, *MANY_SHARDS, data=data)
    monkeypatch.undo()
    (tmp_path / "away").rename(shard)
    make(out, *MANY_SHARDS, data=data)
    assert hashes(out) == reference
    assert verify(out).ok


def test_a_model_that_is_swapped_under_a_run_stops_it(tmp_path):
    """The bundle changes after the plan is made, before a worker loads it."""
    program = """
import shutil, sys
from bundles import digits_config
from latentloom.pipeline.generation import generate as generation
plan = generation.plan_job
def plan_then_swap(settings, data, model, *rest):
    job = plan(settings, data, model, *rest)
    with open(f"{model}/model.weights.h5", "ab") as file:
        file.write(b"?")
    return job
generation.plan_job = plan_then_swap
generation.generate(digits_config(), *sys.argv[1:])
"""
    shutil.copytree(digits_bundle(), tmp_path / "bundle")
    path = f"{Path(bundles.__file__).parent}:{os.environ.get('PYTHONPATH', '')}"
    run = subprocess.run(
        [
            *(sys.executable, "-c", program),
            *(str(digits_data()), str(tmp_path / "bundle"), str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert run.returncode != 0
    assert "'model.weights.h5' of the bundle" in run.stderr
    assert not (tmp_path / "out" / MANIFEST_FILE).exists()
    assert not hashes(tmp_path / "out")


def test_clock_and_locale_do_not_change_the_bytes(reference, tmp_path):
    environment = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "tr_TR.UTF-8"}
    run = start(tmp_path / "out", **environment, PYTHONUTF8="0", PYTHONHASHSEED="7")
    said = run.communicate(timeout=START_SECONDS)[1]
    assert run.returncode == 0, said
    assert hashes(tmp_path / "out") == reference


def test_a_clock_that_runs_backwards_does_not_change_the_bytes(reference, tmp_path, monkeypatch):
    now = iter(range(4_000_000_000, 0, -1))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    make(tmp_path / "out", *MANY_SHARDS)
    assert hashes(tmp_path / "out") == reference


def test_a_poison_record_is_one_dead_letter_and_costs_its_own_variants_alone(tmp_path):
    data = damaged_digits(tmp_path / "data")
    dataset = make(tmp_path / "out", "generate.failure_budget=0.1", data=data)
    (letter,) = (tmp_path / "out/dead_letters.jsonl").read_text().splitlines()
    assert json.loads(letter)["record"] == 0
    assert dataset.manifest.totals["dead"] == 4
    assert dataset.manifest.details["unreadable_records"] == 1
