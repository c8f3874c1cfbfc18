"""The promises of the README on real data, by the configurations that it names."""

from pathlib import Path

import pytest
from bundles import CONFIGS

from pipeline.config import load_config
from pipeline.generation import generate
from pipeline.importing import import_dataset
from pipeline.report.schema import Report
from pipeline.reporting import report_on
from pipeline.training import train_bundle

AT_LEAST = {
    "mnist": {
        "Class kept, before the gate": 0.97,
        "Class kept, after the gate": 0.99,
        "Class read from the code by the model": 0.985,
        "Diversity": 0.5,
    },
    "fashion_mnist": {
        "Class kept, before the gate": 0.80,
        "Class kept, after the gate": 0.95,
        "Class read from the code by the model": 0.90,
        "Diversity": 0.5,
    },
}
AT_MOST = {
    "mnist": {
        "Linear probe: class from sampled zu": 0.20,
        "MLP probe: class from sampled zu": 0.20,
    },
    "fashion_mnist": {"Linear probe: class from sampled zu": 0.25},
}


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
    found = {measure.name: measure.value for measure in report.numbers}
    for figure, bound in AT_LEAST[name].items():
        assert found[figure] >= bound, (figure, found[figure])
    for figure, bound in AT_MOST[name].items():
        assert found[figure] <= bound, (figure, found[figure])
