"""The promises of the README on real data, by the configurations that it names."""

from pathlib import Path

import numpy as np
import pytest
from bundles import CONFIGS

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import load_config
from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.evaluation.factors.paths import draw_ends, walk
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.training.train import train_bundle

AT_LEAST = {
    "mnist": {
        "variants/kept/label/before": 0.97,
        "variants/kept/label/after": 0.99,
        "model/accuracy/label": 0.985,
        "variants/diversity": 0.5,
    },
    "fashion_mnist": {
        "variants/kept/label/before": 0.80,
        "variants/kept/label/after": 0.95,
        "model/accuracy/label": 0.90,
        "variants/diversity": 0.5,
    },
}
AT_MOST = {
    "mnist": {
        "probe/linear/sampled/zu": 0.20,
        "probe/mlp/sampled/zu": 0.20,
    },
    "fashion_mnist": {"probe/linear/sampled/zu": 0.25},
}
UNSEEN = "unseen/all groups"
RECOMBINED_AT_LEAST = {
    f"{UNSEEN}/real": 0.97,
    "unseen/tuples/cell/before": 0.90,
    f"{UNSEEN}/cell/before": 0.65,
    f"{UNSEEN}/read/background/before": 0.97,
    f"{UNSEEN}/read/ink/before": 0.95,
    f"{UNSEEN}/read/size/before": 0.97,
    f"{UNSEEN}/read/label/before": 0.65,
    f"{UNSEEN}/read/font/before": 0.60,
    "unseen/tuples/cell/after": 0.98,
    f"{UNSEEN}/psnr": 22.0,
    "factor_swap/donor": 0.90,
    "factor_swap/others": 0.94,
    "blocks/own": 0.85,
    "path/background/others": 0.78,
    "path/background/steps": 0.98,
}
RECOMBINED_AT_MOST = {"blocks/other": 0.15}


def run(name: str, source: Path, out: Path) -> Report:
    """The three commands of a configuration's header."""
    config = load_config(CONFIGS / f"zszu_{name}.yaml")
    data, bundle, variants = (out / folder for folder in ("data", "bundle", "variants"))
    import_dataset(f"idx:{source}", data)
    train_bundle(config, data, bundle)
    generate(config, data, bundle, variants)
    return report_on(config, data, bundle, variants)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", sorted(AT_LEAST))
def test_variants_keep_their_class_and_differ_and_zu_tells_nothing(name, real_data, tmp_path):
    report = run(name, real_data(name), tmp_path)
    found = {measure.key: measure.value for measure in report.numbers}
    for figure, bound in AT_LEAST[name].items():
        assert found[figure] >= bound, (figure, found[figure])
    for figure, bound in AT_MOST[name].items():
        assert found[figure] <= bound, (figure, found[figure])


@pytest.mark.slow
def test_cells_that_training_never_saw_have_the_factors_asked_for(tmp_path):
    data, bundle = tmp_path / "data", tmp_path / "bundle"
    config = load_config(CONFIGS / "gzs_net_fonts.yaml")
    dataset = import_dataset("builtin:letters", data)
    train_bundle(config, data, bundle)
    report = evaluate(data, bundle, tmp_path / "evaluation")
    found = {measure.key: measure.value for measure in report.numbers}
    for figure, bound in RECOMBINED_AT_LEAST.items():
        assert found[figure] >= bound, (figure, found[figure])
    for figure, bound in RECOMBINED_AT_MOST.items():
        assert found[figure] <= bound, (figure, found[figure])
    assert colour_error(Codec(load_bundle(bundle)), dataset.read("test")) <= 0.08


def colour_error(codec: Codec, test) -> float:
    """Mean distance of the background at the end of its paths from that asked, in RGB of 0 to 1."""
    starts, ends = draw_ends(test, "background", 0)
    latents = codec.encode(test.observations)
    paths = walk(codec, test, latents, ("background", "background"), (starts, ends))
    corners = (paths.observations[-1][:, 0, 0] / 255.0, test.observations[ends][:, 0, 0] / 255.0)
    return float(np.mean(np.linalg.norm(corners[0] - corners[1], axis=-1)))
