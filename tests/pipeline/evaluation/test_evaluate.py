"""The verb `evaluate` on a small bundle: what it writes, and what its figures depend on."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import digits_bundle, digits_data

from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.evaluate import evaluate, stored_config
from latentloom.pipeline.evaluation.folds import read_folds
from latentloom.pipeline.evaluation.sections import evaluate_sections
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.report.schema import Report

UNBOUNDED = {
    "Reconstruction error over that of the class mean",
    "Mutual information of code and class, at least",
    "Active units of zu",
    "KL divergence of zu from its prior",
    "Error with zu shuffled over plain error",
    "Frechet distance of draws",
    "Kernel distance of draws",
    "Density of draws",
    "Ceiling of mutual information",
    "Mutual information of image and zu",
    "Total correlation within zu",
    "Divergence of the axes of zu from the prior",
}
KEYS = [
    "model/accuracy/label",
    "judge/accuracy/label",
    "auditor/accuracy/label",
    "probe/linear/sampled/zs",
    "probe/mlp/sampled/zs",
    "probe/linear/sampled/zu",
    "probe/mlp/sampled/zu",
    "probe/linear/mean/zs",
    "probe/mlp/mean/zs",
    "probe/linear/mean/zu",
    "probe/mlp/mean/zu",
    "swap/own",
    "swap/other",
    "information/class",
    "active_units/zu",
    "kl/zu",
    "reconstruction/error",
    "reconstruction/class_mean",
    "reconstruction/ratio",
    "reconstruction/shuffled",
    "prior/refitted",
    "prior/centre",
    "prior/learnt",
    "prior/diversity",
    "fidelity/frechet",
    "fidelity/kernel",
    "fidelity/precision",
    "fidelity/recall",
    "fidelity/density",
    "fidelity/coverage",
    "copies/stored/share",
    "copies/stored/distance",
    "copies/features/share",
    "copies/features/distance",
    "variants/kept/label/before",
    "variants/kept/label/after",
    "variants/rejected",
    "variants/calibration",
    "variants/diversity",
    "information/ceiling",
    "information/zu/told",
    "information/zu/correlation",
    "information/zu/divergence",
]
"""Keys of all figures of the digits, in their order; other programs rely on them."""


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """What one evaluation writes."""
    folder = tmp_path_factory.mktemp("evaluation") / "out"
    evaluate(digits_data(), digits_bundle(), folder)
    return folder


@pytest.fixture(scope="module")
def report(out) -> Report:
    return Report.model_validate_json((out / "evaluation.json").read_text())


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(digits_bundle()))


def test_it_writes_a_page_and_the_same_as_json(out, report):
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.html", "evaluation.json"]
    assert report.measured_on["split"] == "test"
    assert report.measured_on["examples"] == DatasetDir.open(digits_data()).manifest.num_examples(
        "test"
    )
    assert report.bundle_digest == read_description(digits_bundle())["digest"]


def test_the_page_names_every_figure_and_shows_the_map_without_a_network(out, report):
    page = (out / "evaluation.html").read_text()
    for number in report.numbers:
        assert number.name in page
    assert list(report.captions) == ["code_map", "copies", "information_of_axes", "traversal_of_zu"]
    assert page.count('src="data:image/png;base64,') == len(report.captions)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "evaluation.json" in page
    assert "report.json" not in page
    assert report.unseen_combinations == []  # nothing was held out
    assert "Unseen combinations" not in page


def test_every_figure_has_a_key_that_stays_what_it_is(report):
    assert [number.key for number in report.numbers] == KEYS


def test_a_report_that_was_written_without_keys_is_read(out):
    document = json.loads((out / "evaluation.json").read_text())
    for number in document["numbers"]:
        del number["key"]
    report = Report.model_validate(document)
    assert {number.key for number in report.numbers} == {""}


def test_figures_that_are_shares_lie_between_0_and_1(report):
    assert len({number.name for number in report.numbers}) == len(report.numbers) == 43
    for number in report.numbers:
        assert number.value is not None, number.name
        assert number.meaning, number.name
        if number.name not in UNBOUNDED and not number.name.startswith(("Diversity", "Nearest")):
            assert 0 <= number.value <= 1, number.name


def test_a_bundle_that_is_trained_a_little_is_better_than_chance(report):
    found = {number.name: number.value for number in report.numbers}
    assert found["Swap: class follows zs"] > 0.5
    assert found["Swap: class follows zu"] < 0.2
    assert 1 < found["Mutual information of code and class, at least"] <= np.log(10)
    assert found["Error with zu shuffled over plain error"] > 1
    assert found["Prior accuracy, zs at the class centre"] > 0.3
    assert 0 < found["Active units of zu"] <= 16


def test_the_probes_are_those_that_training_measured(report):
    figures = load_bundle(digits_bundle()).details["figures"]
    trained = [figure for figure in figures if not figure["key"].startswith("model/explained")]
    assert [number.model_dump() for number in report.numbers[: len(trained)]] == trained


def test_the_order_of_the_examples_changes_no_figure(codec, report):
    config = stored_config(read_description(digits_bundle()), ())
    dataset = DatasetDir.open(digits_data())
    folds = read_folds(dataset, config)
    rng = np.random.default_rng(0)
    mixed = folds.scored.take(rng.permutation(len(folds.scored)))
    train = folds.train.take(rng.permutation(len(folds.train)))
    found = evaluate_sections(
        EvaluationContext(
            encoded=EncodedExamples.encode(codec, mixed, folds.name, config.generate.seed),
            folds=replace(folds, train=train),
            manifest=dataset.manifest,
            config=config,
        )
    )
    assert [figure.value for figure in found.measures] == pytest.approx(
        [figure.value for figure in report.numbers], rel=1e-5
    )


def test_zu_tells_of_the_image_as_much_as_so_many_images_can_show(report):
    found = {number.name: number.value for number in report.numbers}
    told, ceiling = found["Mutual information of image and zu"], np.log(len_of_test())
    assert found["Ceiling of mutual information"] == pytest.approx(ceiling)
    assert 1 < told <= ceiling + 1e-4
    of_axes = report.axes["zu"]["mutual_information"]
    assert list(report.axes) == ["zu"]
    assert sum(of_axes) - told == pytest.approx(found["Total correlation within zu"])
    assert sum(report.axes["zu"]["divergence_from_prior"]) == pytest.approx(
        found["Divergence of the axes of zu from the prior"]
    )
    assert sum("Mutual information with the image leaves out zs" in n for n in report.notes) == 1


def len_of_test() -> int:
    return DatasetDir.open(digits_data()).manifest.num_examples("test")


def test_settings_of_evaluate_bound_the_examples(tmp_path):
    overrides = ["evaluate.probe_examples=60", "evaluate.anchors=10", "generate.seed=1"]
    report = evaluate(digits_data(), digits_bundle(), tmp_path / "out", overrides=overrides)
    assert report.measured_on["examples"] == 60
    assert report.measured_on["probes_trained_on"] == 60
    assert "probe_examples: 60" in report.config_yaml


def test_without_a_test_split_the_validation_share_is_measured_and_named(tmp_path):
    data = tmp_path / "data"
    arrays = DatasetDir.open(digits_data()).read("train")
    names = np.array(DatasetDir.open(digits_data()).manifest.class_names)
    np.savez(tmp_path / "d.npz", images=arrays.observations, label=names[arrays.labels])
    import_dataset(f"npz:{tmp_path / 'd.npz'}", data)
    config = stored_config(read_description(digits_bundle()), ())
    folds = read_folds(DatasetDir.open(data), config)
    examples, name = folds.scored, folds.name
    assert name == "validation"
    assert 0 < len(examples) < 60
    report = evaluate(data, digits_bundle(), tmp_path / "out")
    assert report.measured_on["split"] == "validation"
    assert "no test split" in " ".join(report.notes)
    assert "different data set" in " ".join(report.notes)


def test_other_classes_than_the_bundles_are_refused_by_both_names(tmp_path, dataset):
    shape = dataset.manifest.observation_shape
    with pytest.raises(ValueError, match=re.escape(str(shape))):
        evaluate(Path(dataset.path), digits_bundle(), tmp_path / "out")
    data = tmp_path / "letters"
    images = DatasetDir.open(digits_data()).read("train").observations[:40]
    np.savez(tmp_path / "l.npz", images=images, label=np.array(list("ab") * 20))
    import_dataset(f"npz:{tmp_path / 'l.npz'}", data)
    with pytest.raises(ValueError, match=r"classes \['0', .*'9'\]\. Received: \['a', 'b'\]"):
        evaluate(data, digits_bundle(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.seed=1", "Drop the others, or train another bundle"),
        ("model.args.zs_dim=4", "Drop the others, or train another bundle"),
        ("evaluate.anchor=4", "Did you mean 'anchors'"),
    ],
)
def test_a_setting_that_training_has_decided_is_refused(tmp_path, setting, message):
    with pytest.raises(ValueError, match=message):
        evaluate(digits_data(), digits_bundle(), tmp_path / "out", overrides=[setting])
    assert not (tmp_path / "out").exists()


def test_an_input_is_never_overwritten(tmp_path):
    bundle = tmp_path / "runs" / "bundle"
    shutil.copytree(digits_bundle(), bundle)
    for folder in (bundle, bundle.parent):
        with pytest.raises(ValueError, match=r"holds the input.*Choose another output"):
            evaluate(digits_data(), bundle, folder, overwrite=True)
    assert json.loads((bundle / "bundle.json").read_text())


def test_only_its_own_output_is_overwritten(tmp_path, out):
    again = tmp_path / "again"
    shutil.copytree(out, again)
    with pytest.raises(FileExistsError, match="pass --overwrite"):
        evaluate(digits_data(), digits_bundle(), again)
    report = evaluate(digits_data(), digits_bundle(), again, overwrite=True)
    assert json.loads((again / "evaluation.json").read_text()) == json.loads(
        (out / "evaluation.json").read_text()
    )
    assert report.title == "Evaluation of zszu_vae on digits"
