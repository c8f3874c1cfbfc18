"""Cells held out of training: what is trained on, made and said of them, and what is refused."""

import numpy as np
import pytest
from letters import NAMES, letters_bundle, letters_config, letters_data

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.config.settings import HoldOutConfig
from latentloom.pipeline.dataset.coverage_file import read_change
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.folds import divide
from latentloom.pipeline.dataset.held_out_cells import (
    divide_off,
    plan_hold_out,
    read_hold_out,
    split_by_group,
)
from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.evaluation.unseen.recombined_cells import draw_donors, measure_unseen_cells
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.generation.planning.cell_counts import count_classes
from latentloom.pipeline.generation.planning.slices import cut
from latentloom.pipeline.training.train import train_bundle

PAIR = "data.hold_out={pairs: {cells: [{label: a, back: green}]}, drawn: {share: 0.1, seed: 2}}"


@pytest.fixture(scope="module")
def examples():
    return DatasetDir.open(letters_data()).read("train")


def held(**groups):
    return {name: HoldOutConfig.model_validate(group) for name, group in groups.items()}


def held_rows(examples, bundle):
    details = load_bundle(bundle).details
    return read_hold_out(details, NAMES, "letters").group_of(examples.factors)


def test_only_the_auditor_sees_the_cells_that_are_held_out(examples):
    groups = held(pairs={"cells": [{"back": "green", "label": "a"}]}, drawn={"share": 0.2})
    hold_out = plan_hold_out(groups, examples, NAMES)
    assert list(hold_out.groups["pairs"].names) == ["label", "back"]
    assert list(hold_out.groups["drawn"].names) == list(NAMES)
    whole = divide(examples, 0.1, 0)
    folds = divide_off(whole, hold_out, NAMES)
    for name in ("train", "validation", "judge"):
        assert hold_out.keeps(getattr(folds, name).factors).all()
        assert len(getattr(folds, name)) < len(getattr(whole, name))
    assert folds.auditor.ids == whole.auditor.ids
    assert not hold_out.keeps(folds.auditor.factors).all()
    first = hold_out.group_of(examples.factors) == 0
    assert np.unique(examples.factors["label"][first]).tolist() == [0]
    assert np.unique(examples.factors["back"][first]).tolist() == [1]


def test_a_bundle_says_which_cells_it_was_not_trained_on(examples):
    groups = held_rows(examples, letters_bundle(PAIR))
    assert set(groups) == {-1, 0, 1}
    assert not load_bundle(letters_bundle()).details["hold_out"]


def test_what_is_held_out_is_neither_anchor_nor_donor_and_its_cells_are_unseen(examples, tmp_path):
    bundle, config = letters_bundle(PAIR), letters_config("generate.cells=balanced")
    made = generate(config, letters_data(), bundle, tmp_path / "out")
    before, after = read_change(tmp_path / "out")
    kept = held_rows(examples, bundle) < 0
    columns = {name: codes[kept] for name, codes in examples.factors.items()}
    assert before == type(before)(before.names).count(columns)
    assert min(after.counts.values()) >= 6
    assert made.manifest.details["hold_out"] == load_bundle(bundle).details["hold_out"]
    lost = {example_id for example_id, keep in zip(examples.ids, kept, strict=True) if not keep}
    used = set()
    for path in sorted((tmp_path / "out").glob("*.tfrecord-*")):
        used |= {word for word in lost if word.encode() in path.read_bytes()}
    assert lost
    assert not used


def test_quotas_by_class_count_what_is_left(examples, tmp_path):
    bundle = letters_bundle(PAIR)
    config = letters_config("generate.recipe=class_preserving", "generate.gate.enabled=false")
    made = generate(config, letters_data(), bundle, tmp_path / "out")
    kept = held_rows(examples, bundle) < 0
    assert made.manifest.totals["requested"] == made.manifest.totals["written"] == kept.sum()


def test_classes_are_counted_slice_by_slice(examples, tmp_path):
    dataset = DatasetDir.open(letters_data())
    hold_out = plan_hold_out(held(drawn={"share": 0.3}), examples, NAMES)
    slices = cut(dataset.shards("train"), 10)
    counts = count_classes(dataset, "train", slices, str(tmp_path / "out"), hold_out)
    assert len(counts) == len(slices) > len(dataset.shards("train"))
    kept = np.bincount(examples.labels[hold_out.keeps(examples.factors)])
    assert np.sum(counts, axis=0).tolist() == kept.tolist()


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"cells": [{"label": "a"}, {"ink": "red"}]}, "'odd' have different factors"),
        ({"cells": [{"lable": "a"}]}, "'lable' is missing from the data.*Did you mean 'label'"),
        ({"share": 0.1, "factors": ["inc"]}, r"factors with 'inc'.*Did you mean 'ink'"),
        ({"cells": [{"ink": "reed"}]}, "'reed' of factor 'ink' was never seen"),
    ],
)
def test_groups_that_cannot_be_are_refused(examples, group, message):
    with pytest.raises(ValueError, match=message):
        plan_hold_out(held(odd=group), examples, NAMES)


def test_a_value_that_would_be_lost_is_refused(examples):
    hold_out = plan_hold_out(held(reds={"cells": [{"ink": "red"}]}), examples, NAMES)
    with pytest.raises(ValueError, match="'red' of factor 'ink' is held out whole.*extrapolation"):
        divide_off(divide(examples, 0.1, 0), hold_out, NAMES)


def test_extrapolation_is_refused_before_anything_is_trained_or_written(tmp_path, monkeypatch):
    monkeypatch.setattr("latentloom.pipeline.training.train.fit_bundle", None)
    every = [{"label": label, "back": "green"} for label in NAMES["label"]]
    config = letters_config(f"data.hold_out={every}")
    with pytest.raises(ValueError, match=r"extrapolation.*Hold out fewer cells"):
        train_bundle(config, letters_data(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_plain_list_of_cells_is_one_group(examples):
    listed = letters_config("data.hold_out=[{label: a, back: green}, {label: b, back: red}]")
    named = held(
        held_out={"cells": [{"label": "a", "back": "green"}, {"back": "red", "label": "b"}]}
    )
    assert listed.data.hold_out == named
    hold_out = plan_hold_out(listed.data.hold_out, examples, NAMES)
    assert set(hold_out.groups["held_out"].counts) == {(0, 1), (1, 2)}
    again = parse_config(listed.model_dump(), "the test")
    assert again == listed


def test_listed_cells_of_several_grids_are_a_group_for_each(examples):
    listed = "[{label: 7, back: green}, {label: 7, ink: red}, {ink: blue, label: 2}]"
    groups = letters_config(f"data.hold_out={listed}").data.hold_out
    assert {name: group.cells for name, group in groups.items()} == {
        "held_out": [{"label": "7", "back": "green"}],
        "held_out_2": [{"label": "7", "ink": "red"}, {"ink": "blue", "label": "2"}],
    }
    assert letters_config("data.hold_out=[]").data.hold_out == {}


@pytest.mark.parametrize("cells", ["[7]", "[{label: [1]}]"])
def test_a_list_of_something_else_than_cells_is_refused(cells):
    with pytest.raises(ValueError, match=r"data\.hold_out"):
        parse_config({}, "the test", [f"data.hold_out={cells}"])


def test_another_data_set_is_refused(examples):
    hold_out = plan_hold_out(held(drawn={"share": 0.1}), examples, NAMES)
    details = {"hold_out": hold_out.to_dict()}
    with pytest.raises(ValueError, match="data set 'other' does not know"):
        read_hold_out(details, {**NAMES, "ink": ("black", "white")}, "other")


@pytest.mark.parametrize(
    "group", ["{}", "{share: 0.1, cells: [{label: a}]}", "{share: 0}", "{shar: 0.1}"]
)
def test_a_group_is_either_named_or_drawn(group):
    with pytest.raises(ValueError, match=r"data\.hold_out\.odd"):
        parse_config({}, "the test", [f"data.hold_out.odd={group}"])


def test_an_evaluation_recombines_the_held_out_cells_and_says_which_block_tells_what(tmp_path):
    bundle = letters_bundle(PAIR)
    report = evaluate(letters_data(), bundle, tmp_path / "out")
    numbers = {n.name: n for n in report.numbers}
    for group in ("pairs", "drawn", "all groups"):
        for what in ("real examples read", "cell read back, before the gate"):
            assert numbers[f"Unseen cells, {group}: {what}"].value == 1.0
        assert numbers[f"Unseen cells, {group}: rejected by the gate"].value == 0.0
        assert 5 < numbers[f"Unseen cells, {group}: PSNR"].value < 40  # the style is a donor's
    for name in NAMES:
        assert numbers[f"Block {name} tells {name}"].value > 0.95
        assert numbers[f"Block style tells {name}"].value < 0.4
        assert numbers[f"Path of {name}: other factors kept"].value == 1.0
        assert 0.5 < numbers[f"Path of {name}: confidence"].value <= 1.0
    assert numbers["Blocks tell their own factors, mean"].value > 0.95
    assert numbers["Blocks tell other factors, mean"].better == "lower"
    page = (tmp_path / "out" / "evaluation.html").read_text()
    errors, readings, made = report.unseen_combinations
    cells = [name for name in errors.rows if name.startswith("label ")]
    assert cells[0] == "label a, back green"
    assert len(cells) == len(errors.rows) - 2 > 1
    assert errors.rows["all held out"]["Nats"] < 0.5  # as good as before: nothing is learnt
    assert made.rows["label a, back green"]["Both"] == 1.0
    assert readings.columns.keys() == {"Class"}
    sheets = [f"traversal_of_{block}" for block in ("ink", "back", "style")]
    assert set(report.captions) == {
        *("code_map", "block_table", "information_of_axes", "copies", *sheets)
    }
    assert page.count('src="data:image/png;base64,') == len(report.captions)
    assert "Block ink tells back" in page


def test_donors_of_a_cell_have_the_value_asked_for_and_come_from_training(examples):
    codec = Codec(load_bundle(letters_bundle(PAIR)))
    hold_out = read_hold_out(codec.bundle.details, NAMES, "letters")
    train = divide_off(divide(examples, 0.1, 0), hold_out, NAMES).train
    aims = split_by_group(examples, hold_out)["pairs"]
    rows = draw_donors(train, aims, codec, seed=0)
    for column, name in enumerate(NAMES):
        np.testing.assert_array_equal(train.factors[name][rows[:, column]], aims.factors[name])
    assert hold_out.keeps(train.factors)[rows].all()
    alone = [(train.factors[other][rows[:, 0]] != aims.factors[other]) for other in ("ink", "back")]
    assert np.mean(alone) > 0.9
    assert measure_unseen_cells(codec, train, {}, letters_config()) == []


def test_factors_that_no_judge_reads_have_no_paths_and_do_not_stop_an_evaluation(tmp_path):
    bundle = tmp_path / "bundle"
    train_bundle(letters_config(PAIR, "judge.factors=[]"), letters_data(), bundle)
    numbers = {n.name: n for n in evaluate(letters_data(), bundle, tmp_path / "out").numbers}
    assert numbers["Path of label: other factors kept"].value is None
    assert not [name for name in numbers if name.startswith("Path of ink")]
    assert numbers["Block ink tells ink"].value > 0.95
    assert "Unseen cells, pairs: ink read back, before the gate" not in numbers
