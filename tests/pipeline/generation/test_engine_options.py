"""The options that a README gives for engines are those of Beam, and the image fits the lock."""

import os
import re
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from latentloom.pipeline.generation.engines import IN_PROCESS, Engine, make_runner

ROOT = Path(__file__).parents[3]
README = ROOT / "pipeline/generation/README.md"
COMMANDS = re.findall(r"`(--runner \w+Runner(?: --[^`]*)?)`", README.read_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_beam_knows_the_runner_and_every_option(command):
    _, runner, *rest = shlex.split(command)
    assert type(make_runner(runner)).__name__ == runner
    known, unknown = PipelineOptions(rest[1:]).get_all_options(), []
    for option in rest[1:]:
        name, _, value = option.removeprefix("--").partition("=")
        if name not in known:
            unknown.append(option)
        elif value:
            assert known[name] in (value, [value])
    assert not unknown


def test_an_engine_that_beam_does_not_know_is_refused_when_it_is_named():
    with pytest.raises(ValueError, match="Beam has no such runner.*Correct the name"):
        Engine("FlyingRunner")


def test_the_default_engine_is_in_this_process_and_has_as_many_workers_as_it_is_told():
    assert Engine() == IN_PROCESS
    assert IN_PROCESS.num_workers == 1
    assert Engine(beam_args=["--direct_num_workers=3"]).num_workers == 3
    assert Engine(beam_args=["--direct_num_workers=0"]).num_workers == os.cpu_count()


def test_the_readme_names_four_engines_besides_the_default():
    runners = {command.split()[1] for command in COMMANDS}
    assert runners == {"PrismRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"}


def test_the_image_of_a_worker_has_the_beam_and_the_python_of_the_lock():
    image = (ROOT / "pipeline/generation/worker.Dockerfile").read_text()
    (python, beam) = re.findall(r"^FROM apache/beam_python([\d.]+)_sdk:([\d.]+)$", image, re.M)[0]
    locked = re.search(r"^apache-beam==([\d.]+)", (ROOT / "requirements.lock").read_text(), re.M)
    assert locked
    assert beam == locked[1] == version("apache-beam")
    assert python in ("3.11", "3.12", "3.13")
    for package in (".src", "augment", "model_zoo", "pipeline"):
        assert f"COPY {package} {package}\n" in image
