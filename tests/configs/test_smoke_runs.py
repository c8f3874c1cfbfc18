"""Every file under configs/ runs the whole job under its smoke section."""

from pathlib import Path

import bags
import numpy as np
import pytest
import tfds_directories
from bundles import CONFIGS

from latentloom.augment import find_recipe
from latentloom.pipeline.config import load_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.study import report_study, run_study
from latentloom.pipeline.training.train import train_bundle
from latentloom.pipeline.verification.verify import verify


def source_for(name: str, folder: Path) -> tuple[str, dict]:
    """A small source of the kind that a configuration is for."""
    if name == "study_biased_mnist":
        return "builtin:digits", {"inks": 10}
    if name in ("study_biased_fonts", "study_biased_typeface"):
        return "builtin:letters", {"max_examples": 3000}
    if name in ("elegant_letters", "study_biased_overlay"):
        return "builtin:letters", {"max_examples": 400, "overlays": ["frame", "bar"]}
    if name == "drit_letters":
        return "builtin:letters", {"max_examples": 300, "domains": ["plain", "colour", "outline"]}
    if name == "drit_mnist":
        return f"npz:{grey_squares(folder)}", {"domains": ["plain", "colour"]}
    if name == "drit_coil20":
        options = {"image_size": 32, "domains": ["plain", "outline"], "factors": ["label"]}
        return f"npz:{grey_squares(folder)}", options
    if name == "drit_celeba":
        options = {"label": "attributes/Smiling", "factors": ["attributes/Male"], "image_size": 128}
        return tfds_directories.celeb_a(folder / "celeb_a"), options
    if name.startswith(("zszu_digits", "study")):
        return "builtin:digits", {"max_examples": 300}
    if name == "zszu_moons":
        return "builtin:moons", {"max_examples": 300}
    if name == "st_rkm_dsprites":
        return "builtin:dsprites", {"max_examples": 600, "image_size": 32}
    if name == "zszu_fonts":
        return "builtin:fonts", {"max_examples": 600}
    if name == "elegant_celeba":
        factors = ["attributes/Eyeglasses", "attributes/Wearing_Hat"]
        options = {"label": "attributes/Smiling", "factors": factors, "image_size": 256}
        return tfds_directories.celeb_a(folder / "celeb_a"), options
    if name == "elegant_coil20":
        options = {"max_examples": 400, "image_size": 32, "overlays": ["frame", "bar"]}
        return f"npz:{grey_squares(folder)}", options
    if name in ("gzs_net_fonts", "gzs_net_letters"):
        return "builtin:letters", {"max_examples": 2000}
    if name == "hfvae_news20":
        return bags.save(folder), {}
    if name == "zszu_cifar10":
        return tfds_directories.cifar10(folder / "cifar10"), {}
    if name == "zszu_celeba":
        factors = ["attributes/Male", "attributes/Eyeglasses"]
        options = {"label": "attributes/Smiling", "factors": factors, "image_size": 64}
        return tfds_directories.celeb_a(folder / "celeb_a"), options
    return f"npz:{grey_squares(folder)}", {}


def grey_squares(folder: Path) -> Path:
    """28-pixel images whose class is the place of a bright square."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 10
    images = rng.integers(0, 60, (300, 28, 28, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = 2 + 12 * (label // 5), 1 + 5 * (label % 5)
        image[top : top + 10, left : left + 5] = 255
    np.savez(folder / "squares.npz", images=images, label=labels)
    return folder / "squares.npz"


STUDIES = sorted(CONFIGS.glob("study_*.yaml"))
OTHERS = sorted(set(CONFIGS.glob("*.yaml")) - set(STUDIES))
QUICK = {
    *("gzs_net_letters", "hfvae_news20", "hfvae_unseen_mnist", "st_rkm_mnist", "zszu_celeba"),
    *("photographs", "zszu_stiefel_mnist", "zszu_moons", "study_biased_typeface"),
    *("elegant_letters", "drit_mnist"),
}
"""One of every model, kind of observations, kind of labels and recipe; the rest are `slow`."""


def each(paths: list[Path]) -> list:
    return [
        pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else pytest.mark.slow)
        for path in paths
    ]


@pytest.mark.parametrize("path", each(STUDIES))
def test_the_whole_study_runs_under_the_smoke_section(path, tmp_path):
    config = load_config(path, ["generate.gate.enabled=false"], smoke=True)
    source, options = source_for(path.stem, tmp_path)
    dataset = import_dataset(source, tmp_path / "data", **options)
    results = run_study(config, tmp_path / "data", tmp_path / "out")
    report = report_study(config, dataset, results, tmp_path / "out")
    assert {run.arm.name for run in results.runs} == set(config.study.arms)
    assert len(report.captions) == 1 + 2 * len(config.study.pools)
    assert bool(results.readings) == bool(config.study.ties)


@pytest.mark.parametrize("path", each(OTHERS))
def test_the_whole_job_runs_under_the_smoke_section(path, tmp_path):
    config = load_config(path, ["generate.gate.enabled=false"], smoke=True)
    source, options = source_for(path.stem, tmp_path)
    data, bundle, out = tmp_path / "data", tmp_path / "bundle", tmp_path / "out"
    import_dataset(source, data, **options)
    train_bundle(config, data, bundle)
    made = generate(config, data, bundle, out)
    report = report_on(config, data, bundle, out)
    totals, fills_cells = made.manifest.totals, find_recipe(config.generate.recipe).fills_cells
    examples = DatasetDir.open(data).manifest.num_examples(config.generate.split)
    assert totals["written"] == totals["requested"] > 0
    assert fills_cells or totals["written"] == examples * config.generate.variants_per_example
    assert verify(out).ok
    told = {
        "variants/kept/label/before",
        "variants/cell/before" if fills_cells else "variants/diversity",
    }
    assert {m.key for m in report.numbers} >= told
    assert (out / "report.html").stat().st_size > 10_000
