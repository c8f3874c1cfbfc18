"""Settings that must precede every import, one seed for every test, and real data where at hand.

`LATENTLOOM_DATA` names the folder of the real data sets.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# A run has a worker a core; threads that wait for each other would take half of its time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if os.environ["KERAS_BACKEND"] == "jax":  # most of a JAX test is compiling, often once more
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", ".pytest_cache/jax")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LONGEST = ("test_wheel.py", "test_smoke_runs.py", "test_faults.py", "test_devices.py")
"""Files of a minute or more: begun last, one of them would leave the other workers idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_configure(config: pytest.Config) -> None:
    # tensorflow_datasets 4.9.10 asks protobuf 6 for the label of a field.
    line = r"ignore:label\(\) is deprecated:DeprecationWarning"
    config.addinivalue_line("filterwarnings", line)


@pytest.fixture(autouse=True)
def same_weights() -> None:
    """Draws the weights of a model that names no seed alike in every run of its test."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="module")
def no_old_programs() -> Iterator[None]:
    """Lets go of what the backend compiled for a module.

    TensorFlow keeps the graph of every custom gradient, some 150 MB for a training.
    """
    yield
    if tensorflow := sys.modules.get("tensorflow.python.framework.ops"):
        gradients = tensorflow.gradient_registry._registry
        for name in [name for name in gradients if name.startswith("CustomGradient")]:
            del gradients[name]
    if os.environ["KERAS_BACKEND"] == "jax" and (jax := sys.modules.get("jax")):
        jax.clear_caches()


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Gives the folder of a real data set, or skips the test; for tests marked `data`."""

    def find(name: str) -> Path:
        if not (data := os.environ.get("LATENTLOOM_DATA")):
            pytest.skip(f"needs the data set '{name}'; set LATENTLOOM_DATA to the folder of it")
        folder = Path(data) / name
        if not folder.is_dir():
            pytest.skip(f"needs '{folder}', which is not there")
        return folder

    return find
