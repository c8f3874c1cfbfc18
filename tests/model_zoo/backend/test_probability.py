import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy import stats

from latentloom.model_zoo.backend.probability import stateless_seed, tfd

BACKEND = keras.backend.backend()
ROOT = Path(__file__).parents[3]

TRAIN_WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None  # every import of it fails
import pathlib
import numpy as np
from latentloom.model_zoo.registry import MODELS, build_model
from latentloom.model_zoo.training.classifier import fit_classifier
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule

images = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)
labels = np.arange(64) % 2
factors = {"label": labels, "mark": np.arange(64) // 2 % 2}
sizes = {"label": 2, "mark": 2}
for name in MODELS:
    times = 2 if name == "drit" else 1  # it needs larger images
    examples = images.repeat(times, 1).repeat(times, 2), factors
    model = build_model(name, {}, (8 * times, 8 * times, 1), 2, factor_sizes=sizes)
    fit(model, examples, examples, Schedule(epochs=1), pathlib.Path(sys.argv[1]) / name)
fit_classifier((images, labels), 2, Schedule(epochs=1))
print(*sorted(name for name in sys.modules if name.startswith("tensorflow.")))
"""

REFUSE = """
import jax
from jax._src import core
jax.__version__ = "99.0"
del core.pytype_aval_mappings
try:
    import latentloom.model_zoo.backend.probability
except ImportError as error:
    print(error)
"""


def run(code, *arguments, backend="jax"):
    """Standard output of a fresh process on some backend."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_densities_are_those_of_scipy():
    normal = tfd.Normal(keras.ops.convert_to_tensor(0.5), keras.ops.convert_to_tensor(2.0))
    np.testing.assert_allclose(normal.log_prob(1.25), stats.norm.logpdf(1.25, 0.5, 2.0), rtol=1e-6)


def test_two_numbers_decide_a_draw():
    normal = tfd.Normal(keras.ops.zeros((4,)), keras.ops.ones((4,)))

    def draw(*numbers):
        seed = stateless_seed(keras.ops.convert_to_tensor(numbers, dtype="int32"))
        return np.asarray(normal.sample(seed=seed))

    np.testing.assert_array_equal(draw(1, 2), draw(1, 2))
    assert not np.array_equal(draw(1, 2), draw(1, 3))
    assert not np.array_equal(draw(1, 2), draw(2, 2))


@pytest.mark.skipif(BACKEND != "jax", reason="the JAX backend needs no TensorFlow")
def test_every_model_trains_without_tensorflow(tmp_path):
    assert run(TRAIN_WITHOUT_TENSORFLOW, tmp_path) == ""


@pytest.mark.skipif(BACKEND != "jax", reason="about releases of JAX")
def test_a_release_of_jax_that_is_not_covered_is_refused():
    message = run(REFUSE)
    assert "Expected: JAX 0.7 to 0.10. Received: jax==99.0." in message
    assert "pip install 'latentloom[jax]'" in message


def test_another_backend_is_refused():
    module = "latentloom.model_zoo.backend.probability"
    code = f"import os\ntry: import {module}\nexcept ValueError as error: print(error)"
    assert "Expected: one of tensorflow, jax. Received: KERAS_BACKEND=numpy." in run(
        code, backend="numpy"
    )
