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
from latentloom.model_zoo.drit import Drit
from latentloom.model_zoo.drit.losses import loss_terms

with np.load(sys.argv[1]) as given:
    weights = [given[f"weight{place}"] for place in range(int(given["count"]))]
    images, answers = given["images"], {n: given[n] for n in ("domain", "label")}

def constant(shape, **_):
    return keras.ops.full(shape, 0.7)

keras.random.normal = keras.random.uniform = constant  # the backends draw other numbers
arguments = json.loads(sys.argv[2])
model = Drit((32, 32, 3), 3, factor_sizes={"label": 3, "site": 2}, **arguments)
model.set_weights(weights)
terms, figures = loss_terms(model.settings, model.networks, images, answers)
print(json.dumps({name: float(value) for name, value in (terms | figures).items()}))
"""
ARGUMENTS = {
    **{"width": 2, "content_channels": 3, "hidden_dim": 8, "adversary_width": 4},
    **{"squared_weight": 1.0, "cir_weight": 1.0},
}


@pytest.mark.slow
def test_tensorflow_and_jax_agree_on_every_term(tmp_path):
    pytest.importorskip("jax")
    from latentloom.model_zoo.drit import Drit

    model = Drit((32, 32, 3), 3, factor_sizes={"label": 3, "site": 2}, **ARGUMENTS)
    rng = np.random.default_rng(0)
    given = {f"weight{place}": w for place, w in enumerate(model.get_weights())}
    given |= {"count": len(given), "images": rng.uniform(-1, 1, (4, 32, 32, 3)).astype("f4")}
    given |= {"domain": np.array([0, 1, 1, 0], "i4"), "label": np.array([0, 1, 2, 0], "i4")}
    np.savez(tmp_path / "given.npz", **given)
    read = {}
    for backend in ("tensorflow", "jax"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "given.npz"), json.dumps(ARGUMENTS)],
            check=True,
            env=os.environ | {"KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
        )
        read[backend] = json.loads(done.stdout.splitlines()[-1])
    for name in read["jax"]:
        assert read["jax"][name] == pytest.approx(read["tensorflow"][name], rel=1e-4), name
    assert keras.backend.backend() in read
