"""The command, run in the process of the tests."""

import logging
import subprocess
import sys

import pytest

from latentloom.pipeline.command import main
from latentloom.pipeline.terminal.quiet import WORKER_LOGS


@pytest.fixture
def latentloom(monkeypatch, capsys):
    """Runs the command in this process, which has imported TensorFlow already."""
    levels = {name: logging.getLogger(name).level for name in ("apache_beam", "latentloom", "root")}

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["latentloom", *map(str, words)])
        monkeypatch.setenv(WORKER_LOGS, "")
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(words, ended.value.code or 0, *capsys.readouterr())

    yield run
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
