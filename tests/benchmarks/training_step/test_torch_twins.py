"""The PyTorch twins compute what the zoo's models compute.

The frameworks run in processes of their own, as in the benchmark: PyTorch and TensorFlow do not
get along in one.
"""

import importlib.util
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1]
CLASSES = 10
SIZES = {"classes": CLASSES, "batch_size": 8, "precision": "float32", "steps": 1}
CASES = [
    pytest.param("zszu_vae", [28, 28, 1], id="zszu_vae on grey 28 x 28"),
    pytest.param("zszu_vae", [32, 16, 3], id="zszu_vae on coloured 32 x 16"),
    pytest.param("zszu_vae", [8, 8, 1], id="zszu_vae of dense layers"),
    pytest.param("classifier", [28, 28, 1], id="classifier on grey 28 x 28"),
    pytest.param("classifier", [33, 22, 3], id="classifier on odd sides"),
    pytest.param("classifier", [8, 8, 1], id="classifier of dense layers"),
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="needs torch==2.13.0"),
]


@pytest.fixture(scope="module")
def benchmark():
    """The command, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import train_step

        yield train_step


@pytest.fixture(scope="module")
def workers(benchmark):
    with benchmark.started(benchmark.__file__, ["tensorflow", "torch"], threads=2) as workers:
        yield workers


def config_of(worker, model, image):
    config = worker.ask("build", model=model, image=image, **SIZES)["config"]
    return {**config, "model": model}


@pytest.mark.parametrize(("model", "image"), CASES)
def test_twin_has_the_outputs_terms_and_gradients_of_its_model(benchmark, workers, model, image):
    config = config_of(workers["tensorflow"], model, image)
    case = {"model": model, "image": image}
    found = benchmark.check_twin(workers["tensorflow"], workers["torch"], config, case)
    assert "loss" in found
    assert sum(name.startswith("d/d") for name in found) >= 4


def test_another_loss_is_noticed(benchmark, workers):
    case = {"model": "zszu_vae", "image": [8, 8, 1]}
    config = config_of(workers["tensorflow"], **case)
    config["loss_weights"]["confusion_loss"] *= 1.1
    with pytest.raises(RuntimeError, match="Bring `torch_twins.py` up to date"):
        benchmark.check_twin(workers["tensorflow"], workers["torch"], config, case)


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        pytest.param(
            {"image_shape": [30, 28, 1]}, "Name other sides with `--image`", id="uneven sides"
        ),
        pytest.param({"gan_weight": 1.0}, "Add it to `ZsZuTwin`", id="unknown loss terms"),
    ],
)
def test_what_has_no_twin_is_refused(benchmark, capfd, change, fix):
    sizes = {"num_classes": CLASSES, "zs_dim": 2, "zu_dim": 2, "hidden_dim": 4, "width": 4}
    config = {"model": "zszu_vae", "network": "conv", **sizes, **change}
    with (
        pytest.raises(RuntimeError, match="The process for torch ended"),
        benchmark.started(benchmark.__file__, ["torch"], threads=1) as workers,
    ):
        workers["torch"].ask("build", config=config, image=[30, 28, 1], **SIZES)
    assert fix in capfd.readouterr().err
