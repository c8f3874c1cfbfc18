"""Two builds of latentloom to compare: this one, and a wheel of an earlier commit.

The earlier build lives in an environment of its own, which takes every other package from the
environment of this process. So both run on the same versions.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EARLIER = "a8e6840"
"""The commit before training read from shards and before PNG left TensorFlow."""


@dataclass(frozen=True)
class Build:
    """An installed build.

    Args:
        name: What to call it.
        python: Its interpreter.
        package: Package of its command, to run with `python -m`.
    """

    name: str
    python: Path
    package: str

    def command(self, *words: object) -> list[str]:
        """Returns the command line of a verb, whatever the working directory."""
        return [str(self.python), "-P", "-m", self.package, *map(str, words)]


def this_build() -> Build:
    """The build that this process runs."""
    return Build("new", Path(sys.executable), "latentloom.pipeline.command")


def earlier_build(folder: Path, commit: str = EARLIER) -> Build:
    """Builds and installs a wheel of an earlier commit, unless `folder` has it.

    Raises:
        RuntimeError: The commit is not in this clone, or does not build.
    """
    python = folder / "bin" / "python"
    if not (folder / commit).exists():
        source = folder / "source"
        source.mkdir(parents=True, exist_ok=True)
        archive = folder / "source.tar"
        _run(["git", "-C", str(ROOT), "archive", f"--output={archive}", commit])
        with tarfile.open(archive) as files:
            files.extractall(source, filter="data")
        venv.create(folder, with_pip=False, symlinks=True)
        wheels, pip = folder / "wheels", [sys.executable, "-m", "pip", "--quiet"]
        _run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)])
        site = next(folder.glob("lib/python*/site-packages"))
        _run([*pip, "install", "--no-deps", "--target", str(site), *map(str, wheels.glob("*.whl"))])
        (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
        (folder / commit).touch()
    return Build("earlier", python, "pipeline.command")


def _run(line: list[str]) -> None:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)} failed: {done.stderr[-2000:]}")
