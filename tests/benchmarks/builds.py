"""An earlier build of latentloom: a wheel of a commit, in an environment of its own.

The environment takes every other package from that of this process, so that both builds run on the
same versions.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EARLIER = "a8e6840"
"""The commit before training read from shards and before PNG left TensorFlow."""


def earlier_python(folder: Path, commit: str = EARLIER) -> Path:
    """Builds and installs a wheel of an earlier commit, unless `folder` has it.

    Returns:
        The interpreter for which it is installed.

    Raises:
        RuntimeError: The commit is not in this clone, or does not build.
    """
    done = folder / commit
    if not done.exists():
        source, archive = folder / "source", folder / "source.tar"
        source.mkdir(parents=True, exist_ok=True)
        _run(["git", "-C", str(ROOT), "archive", f"--output={archive}", commit])
        with tarfile.open(archive) as files:
            files.extractall(source, filter="data")
        venv.create(folder, with_pip=False, symlinks=True)
        wheels, pip = folder / "wheels", [sys.executable, "-m", "pip", "--quiet"]
        _run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)])
        site = next(folder.glob("lib/python*/site-packages"))
        _run([*pip, "install", "--no-deps", "--target", str(site), *map(str, wheels.glob("*.whl"))])
        (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
        done.touch()
    return folder / "bin" / "python"


def _run(line: list[str]) -> None:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)} failed: {done.stderr[-2000:]}")
