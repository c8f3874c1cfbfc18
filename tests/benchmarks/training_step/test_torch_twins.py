"""The PyTorch twins compute what the zoo's models compute.

The frameworks run in processes of their own, as in the benchmark: PyTorch and TensorFlow do not
get along in one.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1]
CLASSES = 10
SIZES = {"classes": CLASSES, "batch_size": 8, "precision": "float32", "steps": 1}
EVERY_TERM = {"cycle_weight": 0.5, "cir_weight": 0.1, "unlabelled_dims": {"rest": 3}}
NARROW = {"width": 4, "code_channels": 16}
EVERY_TERM_OF_PAIRS = {**NARROW, "back_weight": 5.0, "cir_weight": 0.5}
DOMAIN = {"domain": "ink", "width": 4, "adversary_width": 8}
CASES = [
    pytest.param("zszu_vae", {}, [28, 28, 1], id="zszu_vae on grey 28 x 28"),
    pytest.param("zszu_vae", {}, [32, 16, 3], id="zszu_vae on coloured 32 x 16"),
    pytest.param("zszu_vae", {}, [8, 8, 1], id="zszu_vae of dense layers"),
    pytest.param("gzs_net", {}, [32, 32, 3], id="gzs_net on coloured 32 x 32"),
    pytest.param("gzs_net", EVERY_TERM, [8, 8, 1], id="gzs_net of dense layers, every term"),
    pytest.param(
        "gzs_net", {"cir_weight": 0.1, "cir_blocks": ["ink"]}, [8, 8, 1], id="gzs_net, one block"
    ),
    pytest.param(
        "gzs_net", {"swap_weight": 0.0, "cover_weight": 0.0}, [8, 8, 1], id="gzs_net, few terms"
    ),
    pytest.param(
        "elegant", EVERY_TERM_OF_PAIRS, [32, 32, 3], id="elegant on coloured 32 x 32, every term"
    ),
    pytest.param(
        "elegant", EVERY_TERM_OF_PAIRS, [64, 64, 3], id="elegant on coloured 64 x 64, every term"
    ),
    pytest.param(
        "elegant", {**NARROW, "discriminator_stages": 1}, [16, 8, 1], id="elegant on grey 16 x 8"
    ),
    pytest.param(
        "elegant", {"gan_weight": 0.0, "restore_weight": 0.0}, [8, 8, 1], id="elegant, few terms"
    ),
    pytest.param(
        "drit",
        {**DOMAIN, "mode_weight": 1.0, "squared_weight": 1.0},
        [32, 32, 3],
        id="drit on 32 x 32",
    ),
    pytest.param("drit", {**DOMAIN, "content_weight": 0.0}, [64, 64, 1], id="drit on grey 64 x 64"),
    pytest.param(
        "drit",
        {"domain": "label", "width": 4, "gan_weight": 0.0},
        [16, 16, 3],
        id="drit, few terms",
    ),
    pytest.param("classifier", {}, [28, 28, 1], id="classifier on grey 28 x 28"),
    pytest.param("classifier", {}, [33, 22, 3], id="classifier on odd sides"),
    pytest.param("classifier", {}, [8, 8, 1], id="classifier of dense layers"),
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


def case_of(worker, model, args, image):
    """A case of the benchmark, and the hyperparameters of its model."""
    case = {"model": model, "args": args, "image": image}
    return case, worker.ask("build", **case, **SIZES)["config"]


@pytest.mark.parametrize(("model", "args", "image"), CASES)
def test_twin_has_the_outputs_terms_and_steps_of_its_model(benchmark, workers, model, args, image):
    case, config = case_of(workers["tensorflow"], model, args, image)
    found = benchmark.check_twin(workers["tensorflow"], workers["torch"], config, case)
    assert "loss" in found
    assert sum(name.startswith("d/d") for name in found) >= 4
    assert sum(name.startswith("update of") for name in found) >= 4


@pytest.mark.parametrize(
    ("model", "changed", "factor"),
    [
        pytest.param("zszu_vae", ("loss_weights", "confusion_loss"), 1.1, id="zszu_vae, a weight"),
        pytest.param("gzs_net", ("loss_weights", "cover_loss"), 1.1, id="gzs_net, a weight"),
        pytest.param("gzs_net", ("relative_rates", "mixture"), 0.1, id="gzs_net, a rate"),
        pytest.param("elegant", ("loss_weights", "restore_loss"), 1.1, id="elegant, a weight"),
        pytest.param("elegant", ("relative_rates", "discriminators"), 0.1, id="elegant, a rate"),
    ],
)
def test_another_training_is_noticed(benchmark, workers, model, changed, factor):
    case, config = case_of(workers["tensorflow"], model, {}, [8, 8, 1])
    config[changed[0]][changed[1]] *= factor
    with pytest.raises(RuntimeError, match="Bring the twin up to date"):
        benchmark.check_twin(workers["tensorflow"], workers["torch"], config, case)


@pytest.mark.parametrize("model", ["zszu_vae", "gzs_net", "elegant"])
def test_twin_takes_steps_over_the_batches_of_its_model(benchmark, workers, model):
    _, config = case_of(workers["tensorflow"], model, {}, [8, 8, 1])
    benchmark.build_twin(workers["tensorflow"], workers["torch"], config, "float32")
    assert workers["torch"].ask("run", steps=2)["seconds"] > 0.0


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        pytest.param(
            {"observation_shape": [30, 28, 1]}, "Name other sides with `--image`", id="uneven sides"
        ),
        pytest.param({"gan_weight": 1.0}, "Add it to `ZsZuTwin`", id="unknown loss terms"),
    ],
)
def test_what_has_no_twin_is_refused(benchmark, tmp_path, capfd, change, fix):
    from training_step.reference import save_step

    path, images = str(tmp_path / "batches.npz"), np.zeros((1, 8, 30, 28, 1), np.float32)
    save_step(path, {"images": images, "answers": np.zeros((1, 8), np.int32)})
    sizes = {"num_classes": CLASSES, "zs_dim": 2, "zu_dim": 2, "hidden_dim": 4, "width": 4}
    config = {"model": "zszu_vae", "network": "conv", **sizes, **change}
    with (
        pytest.raises(RuntimeError, match="The process for torch ended"),
        benchmark.started(benchmark.__file__, ["torch"], threads=1) as workers,
    ):
        workers["torch"].ask("build", config=config, path=path, precision="float32")
    assert fix in capfd.readouterr().err
