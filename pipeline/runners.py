"""The engines that a Beam graph runs on."""

from __future__ import annotations

from importlib import import_module

from apache_beam.runners.runner import PipelineRunner, create_runner

DEFAULT_RUNNER = "FnApiRunner"
IN_PROCESS_RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner"


def make_runner(name: str) -> PipelineRunner:
    """A Beam runner by name; `FnApiRunner` is the in-process one, without Prism's download.

    Raises:
        ValueError: Beam knows no such runner.
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
