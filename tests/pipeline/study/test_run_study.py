"""A study runs what it says once, goes on where it was killed, and refuses what cannot be."""

import json
import re

import numpy as np
import pytest
from bars import bars_data, study_config
from bundles import digits_bundle, digits_config, digits_data, make

from latentloom.model_zoo.bundle import read_description
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.study import report_study, run_study
from latentloom.pipeline.study.arms import parse_arm
from latentloom.pipeline.study.classifier import Downstream
from latentloom.pipeline.study.samples import RealSample, StudyData, check_unseen
from latentloom.pipeline.study.ties import follows_ties
from latentloom.pipeline.verification.verify import verify


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return bars_data(tmp_path_factory.mktemp("data"))


def run(data, out, *overrides, **given):
    return run_study(study_config(*overrides), data.path, out, **given)


def test_every_arm_is_scored_at_every_size_with_every_seed(data, tmp_path):
    arms = "study.arms=[real, repeated, classical, oracle]"
    found = run(data, tmp_path / "out", arms, "study.sizes=[4, 8]", "study.ratios=[1, 3]").runs
    assert len(found) == 2 * 2 * (2 + 2 + 2)
    for figures in found.values():
        assert 0 <= figures["accuracy"] <= 1
        assert figures["cross_entropy"] > 0


def test_the_mean_of_several_classifiers_counts(data, tmp_path, monkeypatch):
    found = {}
    original = Downstream.train_and_score

    def noted(*args):
        found[args[-1]] = original(*args)
        return found[args[-1]]

    monkeypatch.setattr(Downstream, "train_and_score", noted)
    settings = ("study.arms=[real]", "study.seeds=[3]", "study.classifiers=2")
    (means,) = run(data, tmp_path / "out", *settings).runs.values()
    assert list(found) == [3, 1003]
    for name, mean in means.items():
        assert mean == pytest.approx((found[3][name] + found[1003][name]) / 2)
    assert found[3] != found[1003]


def test_a_study_that_was_killed_goes_on_and_ends_the_same(data, tmp_path, monkeypatch):
    whole = run(data, tmp_path / "whole")
    trained = []

    def interrupted(*args):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(args)
        return original(*args)

    original = Downstream.train_and_score
    monkeypatch.setattr(Downstream, "train_and_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "out")
    assert len(list((tmp_path / "out/results").iterdir())) == 2
    monkeypatch.setattr(Downstream, "train_and_score", original)
    assert run(data, tmp_path / "out").runs == whole.runs


def test_more_seeds_and_arms_are_added_to_a_study(data, tmp_path, monkeypatch):
    first = run(data, tmp_path / "out")
    names = []
    original = Downstream.train_and_score

    def counted(*args):
        names.append(args)
        return original(*args)

    monkeypatch.setattr(Downstream, "train_and_score", counted)
    more = run(
        data, tmp_path / "out", "study.seeds=[0, 1, 2]", "study.arms=[real, classical, mixup]"
    )
    assert len(names) == len(more.runs) - len(first.runs) == 5
    assert first.runs.items() <= more.runs.items()


def test_a_study_of_another_configuration_is_refused_and_may_be_overwritten(data, tmp_path):
    run(data, tmp_path / "out")
    with pytest.raises(FileExistsError, match="another configuration or other data"):
        run(data, tmp_path / "out", "study.steps=21")
    assert run(data, tmp_path / "out", "study.steps=21", overwrite=True).runs


def test_the_real_examples_are_tied_and_the_untied_ones_are_not(data, tmp_path):
    overrides = ("study.ties={ink: 0.9}", "study.sizes=[20]", "study.pools={}")
    config, factors = study_config(*overrides, "study.arms=[real, untied]"), data.manifest.factors
    study_data = StudyData(config, data, data.read("train"), data.read("test"), {}, tmp_path)
    sample = RealSample(study_data, 20, 0, print)
    ties = config.study.ties
    real, untied = (sample.base(parse_arm(name, ())) for name in ("real", "untied"))
    assert np.bincount(real.labels).tolist() == np.bincount(untied.labels).tolist() == [20] * 3
    assert follows_ties(real, ties, factors).mean() == 0.9
    assert follows_ties(untied, ties, factors).mean() < 0.6
    found = run(data, tmp_path / "out", *overrides, "study.arms=[real, untied]").runs
    assert {r.name for r in found} == {"real", "untied"}


def test_nothing_that_is_tested_on_is_among_what_is_learnt_from(data):
    train, test = data.read("train"), data.read("test")
    study_data = StudyData(study_config(), data, train, test, {}, None)
    assert not set(RealSample(study_data, 6, 0, print).real.ids) & set(test.ids)
    with pytest.raises(ValueError, match="is a training and a test example"):
        check_unseen(train, train.take(np.arange(3)))


def test_the_page_has_pictures_first_then_tables_then_the_configuration(data, tmp_path):
    config = study_config()
    results = run_study(config, data.path, tmp_path / "out")
    report = report_study(config, data, results, tmp_path / "out")
    page = (tmp_path / "out/study.html").read_text()
    assert page.index("<h2>Pictures") < page.index("<h2>Accuracy") < page.index("<summary>Config")
    names = {m.name: m for m in report.numbers}
    less = names["6 a class: classical less real"]
    runs = {(r.name, r.seed): f["accuracy"] for r, f in results.runs.items()}
    gains = [runs["classical", seed] - runs["real", seed] for seed in (0, 1)]
    assert less.value == pytest.approx(np.mean(gains))
    assert "95 % interval" in less.meaning
    assert report.tables[0].rows[0][0] == "real"
    assert json.loads((tmp_path / "out/study.json").read_text())["title"] == "Study on bars"


REFUSED = {
    "study.arms=[reel]": "Did you mean 'real'?",
    "study.arms=[real, untied]": "needs ties",
    "study.sizes=[500]": "The smallest class has too few examples",
    "study.pools={oracle: {}}": "Pool name 'oracle' is reserved",
    "study.ties={font: 0.9}": "cannot be tied to the label",
}


@pytest.mark.parametrize(("override", "message"), REFUSED.items())
def test_what_cannot_be_run_is_refused_before_anything_is_written(
    data, tmp_path, override, message
):
    with pytest.raises(ValueError, match=re.escape(message)):
        run(data, tmp_path / "out", override)
    assert not (tmp_path / "out").exists()


def test_an_oracle_needs_more_real_examples(data, tmp_path):
    with pytest.raises(ValueError, match="too few examples. Expected: 150 or more"):
        run(data, tmp_path / "out", "study.arms=[oracle]", "study.sizes=[150]")


def test_a_pool_that_generate_would_refuse_is_refused():
    with pytest.raises(ValueError, match="Extra inputs are not permitted|per_sell"):
        study_config("study.pools={variants: {per_sell: 3}}")


def without(npz, split, classes, folder):
    arrays = dict(npz)
    keep = (arrays["split"] != split) | np.isin(arrays["label"], classes)
    np.savez(folder / "few.npz", **{name: column[keep] for name, column in arrays.items()})
    return import_dataset(f"npz:{folder / 'few.npz'}", folder / "few")


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_class_that_a_split_lacks_is_named(arrays, tmp_path, split):
    found = without(arrays, split, ["cat", "dog"], tmp_path)
    with pytest.raises(ValueError, match=rf"Split '{split}' .* without \['eel'\]"):
        run(found, tmp_path / "out")


def test_a_single_class_or_no_test_split_is_refused(arrays, tmp_path):
    arrays["label"][:] = "cat"
    found = without(arrays, "test", ["cat"], tmp_path)
    with pytest.raises(ValueError, match="two classes or more. Received: 1 of 1"):
        run(found, tmp_path / "out")
    arrays["split"][:] = "train"
    (tmp_path / "b").mkdir()
    with pytest.raises(ValueError, match="has no test split"):
        run(without(arrays, "test", [], tmp_path / "b"), tmp_path / "out")


def test_vectors_are_refused(tmp_path):
    moons = import_dataset("builtin:moons", tmp_path / "moons")
    with pytest.raises(ValueError, match="A study classifies images only"):
        run(moons, tmp_path / "out")


def digits_study(*overrides):
    settings = (
        "study.sizes=[6]",
        "study.seeds=[0]",
        "study.arms=[real, variants, variants + classical]",
        "study.steps=20",
        "study.generator_steps=30",
        "study.judge_steps=60",
        "study.test_examples=50",
        "generate.gate.min_confidence=0.0",
    )
    return digits_config(*settings, *overrides)


def test_the_generator_of_a_study_sees_its_real_examples_alone(tmp_path):
    config, source = digits_study(), DatasetDir.open(digits_data())
    results = run_study(config, digits_data(), tmp_path / "out")
    folder = tmp_path / "out/generators/6_0"
    data, variants = DatasetDir.open(folder / "data"), DatasetDir.open(folder / "variants")
    assert len(data.read("train")) == 60
    assert list(data.splits) == ["train"]
    assert set(data.read("train").ids) <= set(source.read("train").ids)
    assert variants.manifest.source["shards"] == [shard.sha256 for shard in data.shards("train")]
    assert verify(folder / "variants").ok
    assert (folder / "variants/report.html").exists()
    assert {run.name for run in results.runs} == {"real", "variants x1", "variants + classical x1"}
    report = report_study(config, source, results, tmp_path / "out")
    assert list(report.captions) == ["accuracy", "variants, generated", "variants, nearest"]
    keys = [number.key for number in report.numbers]
    assert keys[:2] == ["accuracy/6/real", "accuracy/6/variants x1"]
    assert len(set(keys)) == len(keys)


def test_generated_examples_of_the_training_split_are_taken(tmp_path):
    make(tmp_path / "made", "generate.gate.enabled=false")
    config = digits_study("study.arms=[real, variants]")
    found = run_study(config, digits_data(), tmp_path / "out", generated=tmp_path / "made")
    assert {(run.name, run.size) for run in found.runs} == {("real", None), ("variants x1", None)}
    again = run_study(config, digits_data(), tmp_path / "by_model", model=digits_bundle())
    assert len(again.runs) == 2


def test_what_may_have_seen_the_test_split_is_refused(tmp_path):
    other = tmp_path / "other"
    import_dataset("builtin:digits", other, max_examples=200)
    config = digits_study("study.arms=[real, variants]")
    with pytest.raises(ValueError, match="so it may have seen test examples"):
        run_study(config, other, tmp_path / "out", model=digits_bundle())
    made = make(tmp_path / "made", "generate.split=test")
    with pytest.raises(ValueError, match="not generated from the training split"):
        run_study(config, digits_data(), tmp_path / "out", generated=made.path)
    with pytest.raises(ValueError, match="holds no generated examples"):
        run_study(config, digits_data(), tmp_path / "out", generated=other)
    few = make(tmp_path / "few", "generate.sampling_strategy={'3': 20}")
    with pytest.raises(ValueError, match="lacks classes.*Received: none of .'0', '1'"):
        run_study(config, digits_data(), tmp_path / "out", generated=few.path)
    with pytest.raises(ValueError, match="Expected: at most one of them. Received: both"):
        run_study(config, other, tmp_path / "out", model=digits_bundle(), generated=made.path)
    assert not (tmp_path / "out").exists()


def test_a_manifest_says_what_its_model_was_trained_on(tmp_path):
    made = make(tmp_path / "made")
    expected = read_description(digits_bundle())["details"]["data"]
    assert made.manifest.details["trained_on"] == expected
