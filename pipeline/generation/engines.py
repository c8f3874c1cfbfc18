"""The engines that a Beam graph runs on."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.runner import PipelineRunner, create_runner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from latentloom.pipeline.generation.beam_options import parse_options

DEFAULT_RUNNER = "FnApiRunner"
IN_PROCESS_RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner"
PROCESSES = "multi_processing"
"""Beam's word for workers of the in-process runner that are processes."""
WORKER = f"exec {shlex.quote(sys.executable)} -m latentloom.pipeline.generation.worker.process"
"""Line for a shell; `exec` makes the worker a child of this process, not of the shell."""
WORKER_THREAD = "run_worker"
"""Name of the thread in which Beam's in-process runner waits for a worker process."""
WAKE = signal.SIGUSR1
"""Wakes the waiting main thread, even in a job that ignores interrupts."""


def make_runner(name: str) -> PipelineRunner:
    """A Beam runner by name; `FnApiRunner` is the in-process one, without Prism's download.

    Raises:
        ValueError: Beam has no runner of this name.
    """
    if name == DEFAULT_RUNNER:
        return import_module(IN_PROCESS_RUNNER).FnApiRunner()
    try:
        return create_runner(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise ValueError(
            f"Beam has no such runner. Expected: {DEFAULT_RUNNER}, or a name that Beam knows. "
            f"Received: --runner {name} ({error}). Correct the name or install its extra of Beam."
        ) from error


def _process_runner() -> PipelineRunner:
    """The in-process runner whose workers are processes that end with this one."""
    environment = SubprocessSDKEnvironment.from_command_string(WORKER)
    return import_module(IN_PROCESS_RUNNER).FnApiRunner(default_environment=environment)


@dataclass(frozen=True)
class Engine:
    """What a Beam graph runs on.

    Args:
        runner: Name of a Beam runner; defaults to the in-process runner.
        beam_args: Beam's own options.

    Raises:
        ValueError: Beam has no runner of this name, or an option is unknown or has a wrong value.
    """

    runner: str = DEFAULT_RUNNER
    beam_args: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.runner != DEFAULT_RUNNER or self.beam_args:  # the default is slow to import
            parse_options(self.beam_args, make_runner(self.runner))

    @property
    def options(self) -> PipelineOptions:
        """Beam's own options, parsed."""
        return PipelineOptions(list(self.beam_args))

    @property
    def runs_here(self) -> bool:
        """Whether the workers are threads of this process."""
        mode = self.options.view_as(DirectOptions).direct_running_mode
        return self.runner == DEFAULT_RUNNER and mode == "in_memory"

    @property
    def num_workers(self) -> int:
        """Number of workers of the in-process runner; defaults to the number of cores."""
        return self.options.view_as(DirectOptions).direct_num_workers or os.cpu_count() or 1

    @contextlib.contextmanager
    def pipeline(self) -> Iterator[beam.Pipeline]:
        """Yields a pipeline to build, then runs it to its end and sets its `result`.

        Raises:
            RuntimeError: The pipeline failed, or a worker process died.
        """
        runner, options = make_runner(self.runner), self.options
        direct = options.view_as(DirectOptions)
        if self.runner == DEFAULT_RUNNER and direct.direct_running_mode == PROCESSES:
            runner = _process_runner()
            direct.direct_running_mode = "in_memory"  # else Beam starts workers of its own
        with _worker_deaths_raised(), beam.Pipeline(runner=runner, options=options) as pipeline:
            yield pipeline


IN_PROCESS = Engine()
"""The default engine, which needs no service besides this process."""


@contextlib.contextmanager
def _worker_deaths_raised() -> Iterator[None]:
    """Raises when a worker process dies; the in-process runner would wait for it forever."""
    main = threading.main_thread()
    if threading.current_thread() is not main:  # a signal wakes only the main thread
        yield
        return
    deaths: list[BaseException | None] = []

    def notice(arguments: threading.ExceptHookArgs) -> None:
        if arguments.thread is None or arguments.thread.name != WORKER_THREAD:
            usual(arguments)
            return
        deaths.append(arguments.exc_value)
        signal.pthread_kill(main.ident or 0, WAKE)

    def stop(*_) -> None:
        raise RuntimeError(
            f"A worker process died. Expected: workers that live until the run ends. Received: "
            f"{deaths[0]}. Run the same command again, with fewer workers if memory was short."
        )

    usual, threading.excepthook = threading.excepthook, notice
    handler = signal.signal(WAKE, stop)
    try:
        yield
    finally:
        signal.signal(WAKE, handler)
        threading.excepthook = usual
