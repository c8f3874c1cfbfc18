"""SIGINT, SIGTERM and SIGKILL at random moments: one line, and the same command goes on."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bundles import CONFIGS, digits_bundle, digits_data

DIGITS, STUDY = CONFIGS / "zszu_digits.yaml", CONFIGS / "study_mnist.yaml"
SECONDS = 300
RANDOM_MOMENTS = 20
QUICK = {("import", "SIGTERM", 0), ("generate", "SIGINT", 0)}
SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL")
SMALL = {
    "train": ("train.epochs=6", "judge.epochs=2", "evaluate.anchors=20"),
    "generate": (
        *("generate.slice_records=12", "evaluate.anchors=20", "evaluate.variants=2"),
        "evaluate.accuracy_steps=0",
    ),
    "evaluate": ("evaluate.anchors=20",),
    "study": (
        *("study.sizes=[8]", "study.seeds=[0, 1]", "study.arms=[real, swapped]"),
        *("study.steps=20", "study.generator_steps=20", "study.judge_steps=20"),
        *("study.classifiers=1", "study.width=4", "study.test_examples=40"),
        *("model.args.width=4", "model.args.hidden_dim=16", "generate.gate.enabled=false"),
        *("evaluate.anchors=20", "evaluate.variants=2"),
    ),
}
MESSAGES = {
    "import": "Nothing of this import is kept. Run the same command again.",
    "train": "Finished epochs are kept. To go on, run the same command with --resume",
    "generate": "Finished shards are kept. To go on, run the same command again",
    "evaluate": "Nothing was written. Run the same command again.",
    "study": "Finished runs are kept. To go on, run the same command again",
}


def words(verb: str, out: Path) -> list[str]:
    data, model = ("--data", str(digits_data())), ("--model", str(digits_bundle()))
    line = {
        "import": ["builtin:fonts", str(out), "--max-examples", "3000", "--shards", "3"],
        "train": [str(DIGITS), *data, "--out", str(out), "--resume"],
        "generate": [str(DIGITS), *data, *model, "--out", str(out)],
        "evaluate": [*data, *model, "--out", str(out)],
        "study": [str(STUDY), *data, "--out", str(out)],
    }[verb]
    settings = [word for setting in SMALL.get(verb, ()) for word in ("--set", setting)]
    return [sys.executable, "-m", "latentloom.pipeline.command", verb, *line, *settings]


def files(out: Path) -> dict[str, str]:
    """sha256 of every file; `job.json` notes where its data are, which differs between folders."""
    found = (path for path in out.rglob("*") if path.is_file() and path.name != "job.json")
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found
    }


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The files of a run that nothing happened to, and its seconds; made once for each verb."""
    made = {}

    def get(verb: str) -> tuple[dict[str, str], float]:
        if verb not in made:
            out = tmp_path_factory.mktemp("unbroken") / "out"
            begun = time.monotonic()
            subprocess.run(words(verb, out), check=True, capture_output=True, timeout=SECONDS)
            made[verb] = files(out), time.monotonic() - begun
        return made[verb]

    return get


def stop(line: list[str], number: int, seconds: float) -> subprocess.CompletedProcess[str]:
    """Starts a command and signals it, unless it ends before."""
    run = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        run.send_signal(number)
    said = run.communicate(timeout=SECONDS)[1]
    return subprocess.CompletedProcess(line, run.returncode, "", said)


@pytest.mark.parametrize(
    ("verb", "name", "seed"),
    [
        pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow)
        for case in [
            (verb, name, seed)
            for verb in MESSAGES
            for name in SIGNALS
            for seed in range(RANDOM_MOMENTS)
        ]
    ],
)
def test_a_stopped_command_says_how_to_go_on_and_goes_on(unbroken, tmp_path, verb, name, seed):
    out, number = tmp_path / "out", signal.Signals[name]
    expected, seconds = unbroken(verb)
    rng = np.random.default_rng([seed, number])
    stopped = stop(words(verb, out), number, rng.uniform(0.1, 1) * seconds)
    check_stop(stopped, number, verb)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["out"])
    again = subprocess.run(words(verb, out), capture_output=True, text=True, check=False)
    finished = again.returncode == 2 and "is not empty" in again.stderr
    assert again.returncode == 0 or finished, again.stderr[-2000:]
    assert files(out) == expected
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def check_stop(stopped: subprocess.CompletedProcess[str], number: int, verb: str) -> None:
    """The exit code of a signal and one line, unless the command ended before."""
    if stopped.returncode == 0 or number == signal.SIGKILL:
        return
    if stopped.returncode == -number:  # before the first line of ours, or after the last
        assert "Traceback" not in stopped.stderr
        return
    assert stopped.returncode == 128 + number, stopped.stderr[-2000:]
    said = [line for line in stopped.stderr.splitlines() if not line.startswith((verb, "report"))]
    assert said[-1].startswith("latentloom: Stopped. ")
    assert "Traceback" not in stopped.stderr
    assert (
        said[-1]
        .removeprefix("latentloom: Stopped. ")
        .startswith((MESSAGES[verb], "Nothing was written. Run the same command again."))
    )


def test_a_second_signal_ends_the_process_at_once(tmp_path):
    program = (
        "import os, signal, time\n"
        "from latentloom.pipeline.terminal.stops import Stopped, raised_on_signals\n"
        "with raised_on_signals():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(60)\n"
        "    except Stopped:\n"
        "        time.sleep(1)\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(60)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=50, check=False)
    assert ended.returncode == -signal.SIGTERM


def test_what_is_printed_while_a_stop_ends_the_process_is_not_shown_but_the_line_is():
    program = (
        "import os, signal, sys, time\n"
        "from latentloom.pipeline.terminal.standard_error import silenced\n"
        "from latentloom.pipeline.terminal.stops import *\n"
        "with raised_on_signals():\n"
        "    try:\n"
        "        with silenced():\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "            time.sleep(60)\n"
        "    except Stopped as stop:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        print('Traceback', file=sys.stderr)\n"
        "        end_stopped(stop)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == 130
    assert ended.stderr.decode() == (
        "latentloom: Stopped. Nothing was written. Run the same command again.\n"
    )


def running(words_of_session: str) -> list[str]:
    """The command lines of processes with a mark in their environment."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if words_of_session.encode() in (folder / "environ").read_bytes():
                lines.append((folder / "cmdline").read_bytes().decode())
        except OSError:  # gone, or of somebody else
            continue
    return [line for line in lines if line]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_ctrl_c_in_a_terminal_ends_the_worker_processes_too_with_one_line(tmp_path, times):
    out, temporary = tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    processes = ["--", "--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    mark = f"LATENTLOOM_TEST={tmp_path}"
    run = subprocess.Popen(
        words("generate", out) + processes,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"LATENTLOOM_TEST": str(tmp_path), "TMPDIR": str(temporary)},
        start_new_session=True,
        text=True,
    )
    deadline = time.monotonic() + SECONDS
    while run.poll() is None and not list(out.glob("*.tfrecord-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for _ in range(times):
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.05)
    said = run.communicate(timeout=SECONDS)[1]
    time.sleep(1)
    assert run.returncode == 130, said
    lines = [line for line in said.splitlines() if not line.startswith("generate")]
    assert len(lines) == 1, said
    assert lines[0].startswith(f"latentloom: Stopped. {MESSAGES['generate']}")
    assert running(mark) == []
    assert [path for path in temporary.rglob("*") if "autograph" in path.name] == []


def test_an_ignored_signal_stays_ignored():
    from latentloom.pipeline.terminal.stops import raised_on_signals

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with raised_on_signals():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


LOST = """
import gc, os, signal, sys, time
from latentloom.pipeline.terminal.stops import Stopped, raised_on_signals

def kill(*_):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)

class Killer:
    def __del__(self):
        kill()

with raised_on_signals():
    try:
        if sys.argv[1] == "gc":
            gc.callbacks.append(kill)
            gc.collect()
            gc.callbacks.clear()
        else:
            Killer()
        time.sleep(30)
    except Stopped:
        print("stopped")
"""


@pytest.mark.parametrize("place", ["__del__", "gc"])
def test_a_stop_is_not_lost_where_python_ignores_errors(place):
    line = [sys.executable, "-c", LOST, place]
    ended = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "stopped\n")
