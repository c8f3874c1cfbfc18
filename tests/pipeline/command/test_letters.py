"""Letters that a terminal lacks."""

import os
import subprocess
import sys

import numpy as np

COMMAND = (sys.executable, "-m", "latentloom.pipeline.command")


def test_a_table_shows_escapes_for_letters_that_the_terminal_lacks(tmp_path):
    label = np.array(["k\u00e4tzchen", "hund"])[np.arange(20) % 2]
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "pets.npz", images=images, label=label)
    out = str(tmp_path / "out")
    subprocess.run([*COMMAND, "import", f"npz:{tmp_path / 'pets.npz'}", out], check=True)
    shown = subprocess.run(
        [*COMMAND, "inspect", out],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert rb"\u2026" in shown.stdout  # stands for the rest of a long line
    assert b"hund" in shown.stdout
