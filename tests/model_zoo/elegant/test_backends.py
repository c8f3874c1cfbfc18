"""Both backends compute the same losses from the same weights."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

PROGRAM = """
import json, sys
import keras
import numpy as np
from latentloom.model_zoo.elegant import Elegant
from latentloom.model_zoo.elegant.losses import loss_terms

with np.load(sys.argv[1]) as given:
    weights = [given[f"weight{place}"] for place in range(int(given["count"]))]
    pairs, answers = given["pairs"], {n: given[n] for n in ("first", "second", "edge")}
sizes = {"label": 3, "hat": 3, "bar": 2}
model = Elegant((32, 32, 3), 3, factor_sizes=sizes, width=2, code_channels=8, cir_weight=1.0)
model.set_weights(weights)
terms, figures = loss_terms(model.settings, model.networks, pairs, answers)
print(json.dumps({name: float(value) for name, value in (terms | figures).items()}))
"""


@pytest.mark.slow
def test_tensorflow_and_jax_agree_on_every_term(tmp_path):
    pytest.importorskip("jax")
    from latentloom.model_zoo.elegant import Elegant

    sizes = {"label": 3, "hat": 3, "bar": 2}
    model = Elegant((32, 32, 3), 3, factor_sizes=sizes, width=2, code_channels=8, cir_weight=1.0)
    rng = np.random.default_rng(0)
    first, second = (np.stack([rng.integers(0, n, 4) for n in (3, 3, 2)], 1) for _ in range(2))
    given = {f"weight{place}": w for place, w in enumerate(model.get_weights())}
    given |= {"count": len(given), "pairs": rng.uniform(-1, 1, (4, 2, 32, 32, 3)).astype("f4")}
    given |= {"first": first.astype("i4"), "second": second.astype("i4")}
    np.savez(tmp_path / "given.npz", edge=np.array([0, 1, 1, 0], "i4"), **given)
    read = {}
    for backend in ("tensorflow", "jax"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "given.npz")],
            check=True,
            env=os.environ | {"KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
        )
        read[backend] = json.loads(done.stdout.splitlines()[-1])
    drawn = {"cir_loss"}  # the backends draw other shares
    for name in read["jax"].keys() - drawn:
        assert read["jax"][name] == pytest.approx(read["tensorflow"][name], rel=1e-4), name
    assert keras.backend.backend() in read
