"""Unseen combinations end to end: measured digits, a pruned and a full model, and their tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bundles import digits_bundle, digits_config, digits_data
from made_once import made_once

from latentloom.augment import Coverage, HoldOut
from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.held_out_cells import read_hold_out
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.evaluate import evaluate, stored_config
from latentloom.pipeline.evaluation.folds import read_folds
from latentloom.pipeline.evaluation.unseen.cell_rows import ALL, HELD_IN, SIBLINGS, choose_rows
from latentloom.pipeline.evaluation.unseen.combinations import evaluate_combinations
from latentloom.pipeline.evaluation.unseen.full_model import load_full
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.training.train import train_bundle

HOLD_OUT = "data.hold_out=[{label: 7, thickness: high}, {label: 4, width: middle}]"
CELLS = ["label 7, thickness high", "label 4, width middle"]
RECIPE = ("data.limit=null", "train.epochs=8", "judge.epochs=20")


@made_once
def measured_digits(folder: Path) -> None:
    """All embedded digits, with two measured factors."""
    import_dataset("builtin:digits", folder, name="digits", measure=["thickness", "width"])


@made_once
def trained(folder: Path, *overrides: str) -> None:
    """A bundle trained on them for a few epochs."""
    train_bundle(digits_config(*RECIPE, *overrides), measured_digits(), folder)


@pytest.fixture(scope="module")
def pruned() -> Path:
    return trained(HOLD_OUT)


@pytest.fixture(scope="module")
def out(tmp_path_factory, pruned) -> Path:
    """What an evaluation of both models writes."""
    folder = tmp_path_factory.mktemp("evaluation") / "out"
    evaluate(measured_digits(), pruned, folder, full_model=trained())
    return folder


@pytest.fixture(scope="module")
def tables(out):
    report = Report.model_validate_json((out / "evaluation.json").read_text())
    return {table.title: table for table in report.unseen_combinations}


def codes(split: str):
    factors = DatasetDir.open(measured_digits()).read(split).factors
    return (factors["label"] == 7) & (factors["thickness"] == 2), (factors["label"] == 4) & (
        factors["width"] == 1
    )


def test_the_page_and_the_json_file_have_a_row_for_every_cell(out, tables):
    assert list(tables) == ["Reconstruction", "What the code tells", "Generation"]
    for title in list(tables)[:2]:
        assert list(tables[title].rows) == [*CELLS, ALL, HELD_IN]
    assert list(tables["Generation"].rows) == [*CELLS, ALL, SIBLINGS]
    page = (out / "evaluation.html").read_text()
    assert page.count("<h2>Unseen combinations</h2>") == 1
    for table in tables.values():
        assert table.text in page
        for words in (*table.rows, *table.columns, *table.columns.values()):
            assert words in page
    document = json.loads((out / "evaluation.json").read_text())
    assert isinstance(document["unseen_combinations"][0]["rows"][CELLS[0]]["Gap ratio"], float)


def test_test_images_of_a_cell_are_counted_beside_the_share_that_was_held_out(tables):
    rows = tables["Reconstruction"].rows
    for cell, there in zip(CELLS, codes("test"), strict=True):
        assert rows[cell]["Images"] == there.sum() > 0
    for cell, there in zip(CELLS, codes("train"), strict=True):
        assert rows[cell]["Share of training"] == pytest.approx(there.mean(), rel=0.2)
    assert rows[ALL]["Share of training"] + rows[HELD_IN]["Share of training"] == pytest.approx(1)
    assert f"{rows[ALL]['Share of training']:.2%}" in tables["Reconstruction"].text


def test_ratios_are_those_of_the_figures_beside_them(tables):
    for row in tables["Reconstruction"].rows.values():
        assert row["Gap ratio"] == pytest.approx(row["Nats"] / row["Nats, full"])
        assert row["Excess ratio"] == pytest.approx(row["Nats"] / row["Nats, nearest"])
    for row in tables["What the code tells"].rows.values():
        usual = tables["What the code tells"].rows[HELD_IN]["Error of width"]
        assert row["width, ratio"] == pytest.approx(row["Error of width"] / usual)


def test_a_model_that_is_trained_a_little_reads_and_makes_more_than_by_chance(tables):
    readings, made = tables["What the code tells"].rows, tables["Generation"].rows
    assert readings[HELD_IN]["Class"] > 0.6
    assert readings[HELD_IN]["width, ratio"] == 1
    assert made[SIBLINGS]["Class"] > 0.3
    assert made[SIBLINGS]["Real class"] > 0.8
    for row in made.values():
        assert row["Both"] <= min(row["Class"], row["Values"])


def test_without_a_full_model_the_rest_is_the_same(tmp_path, tables, pruned):
    report = evaluate(measured_digits(), pruned, tmp_path / "out")
    for table in report.unseen_combinations:
        whole = tables[table.title]
        assert not [head for head in table.columns if "full" in head or "Gap" in head]
        for name, row in table.rows.items():
            for head, value in row.items():
                assert value == pytest.approx(whole.rows[name][head], rel=1e-5), (name, head)


def context_of(codec: Codec, bundle: Path, full: Codec | None = None) -> EvaluationContext:
    """An evaluation of a codec on the digits, with the settings of a bundle."""
    config, dataset = (
        stored_config(read_description(bundle), ()),
        DatasetDir.open(measured_digits()),
    )
    hold_out = read_hold_out(codec.bundle.details, dataset.manifest.factors, "digits")
    folds = read_folds(dataset, config, hold_out)
    encoded = EncodedExamples.encode(codec, folds.scored, folds.name, config.generate.seed)
    return EvaluationContext(encoded, folds, dataset.manifest, config, hold_out, full)


def test_a_bundle_beside_itself_has_no_gap(pruned):
    codec = Codec(load_bundle(pruned))
    errors, _, made = evaluate_combinations(context_of(codec, pruned, full=codec)).tables
    assert {row["Gap ratio"] for row in errors.rows.values()} == {1.0}
    for row in made.rows.values():
        assert row["Both"] == row["Both, full"]


def test_no_model_was_trained_on_the_images_of_unseen_cells(pruned):
    config = stored_config(read_description(pruned), ())
    dataset = DatasetDir.open(measured_digits())
    hold_out = read_hold_out(load_bundle(pruned).details, dataset.manifest.factors, "digits")
    folds = read_folds(dataset, config, hold_out)
    assert {name.split("/")[1] for name in folds.of_unseen_cells.ids} == {"test"}
    assert not hold_out.keeps(folds.of_unseen_cells.factors).any()
    for part in (folds.train, folds.of_seen_cells):
        assert hold_out.keeps(part.factors).all()
    assert len(folds.whole_factors["label"]) > len(folds.train)


def test_without_a_test_split_they_come_from_the_validation_share(tmp_path):
    train = DatasetDir.open(measured_digits()).read("train")
    names = {name: codes.astype(str) for name, codes in train.factors.items()}
    np.savez(tmp_path / "d.npz", images=train.observations, **names)
    dataset = import_dataset(f"npz:{tmp_path / 'd.npz'}", tmp_path / "data")
    grid = {name: tuple(dataset.manifest.factors[name]) for name in ("label", "thickness")}
    group = Coverage(grid).count(dataset.read("train").factors)
    cell = (7, 2)
    hold_out = HoldOut({"held_out": Coverage(grid, {cell: group.counts[cell]})})
    config = digits_config("data.limit=null", "data.validation_share=0.4")
    pruned, full = read_folds(dataset, config, hold_out), read_folds(dataset, config)
    assert pruned.name == "validation"
    assert len(pruned.of_unseen_cells) > 0
    assert not set(pruned.of_unseen_cells.ids) & set(full.train.ids)


def test_a_model_whose_blocks_all_carry_the_label_generates_nothing(pruned):
    codec = Codec(load_bundle(pruned))
    codec.spec = codec.spec.from_dict(
        {name: {"dim": codec.spec[name].dim, "factors": ["label"]} for name in codec.spec.names},
        {block.name: block.prior for block in codec.spec},
    )
    errors, _, made = evaluate_combinations(context_of(codec, pruned)).tables
    assert made.rows == {}
    assert made.text.startswith("Left out: all blocks of this model carry the label")
    assert errors.rows[ALL]["Nats"] > 0


def test_a_group_of_many_cells_has_one_row():
    names = {"label": tuple("0123456789"), "width": ("low", "middle", "high")}
    many = Coverage(names, {(n % 10, n // 10): 1 for n in range(21)})
    few = Coverage(names, {(9, 2): 1, (8, 2): 1})
    rows = choose_rows(HoldOut({"drawn": many, "named": few}))
    assert list(rows) == ["drawn", "label 8, width high", "label 9, width high"]


def test_images_are_not_deformed_into_measured_cells_that_are_held_out(tmp_path):
    held = 'data.hold_out={heavy: {cells: [{label: "7", thickness: high}]}}'
    with pytest.raises(ValueError, match="images may fall into the held-out cells 'heavy'"):
        train_bundle(digits_config("data.deform={}", held), measured_digits(), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("data", "digest", "0", "trained on another data set.*Train both on the same one"),
        (
            "config",
            "train",
            {"epochs": 9},
            r"different train\.batch_size, train\.epochs.*without data",
        ),
    ],
)
def test_a_full_model_of_other_data_or_another_recipe_is_refused(
    pruned, section, key, value, message
):
    description = read_description(pruned)
    description["details"][section][key] = value
    with pytest.raises(ValueError, match=message):
        load_full(trained(), description)


def test_a_full_model_may_have_other_judges(pruned):
    description = read_description(pruned)
    description["details"]["config"]["judge"] = {"epochs": 9}
    assert load_full(trained(), description).class_names


def test_a_full_model_that_held_cells_out_itself_is_refused(tmp_path, pruned):
    with pytest.raises(ValueError, match=r"not trained on all cells.*Train it without"):
        evaluate(measured_digits(), pruned, tmp_path / "out", full_model=pruned)
    assert not (tmp_path / "out").exists()


def test_a_full_model_beside_a_bundle_that_held_nothing_out_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"compared only on held-out cells.*data\.hold_out"):
        evaluate(digits_data(), digits_bundle(), tmp_path / "out", full_model=digits_bundle())


def test_a_full_model_is_never_overwritten(tmp_path, pruned):
    with pytest.raises(ValueError, match=r"--full-model .*Choose another output"):
        evaluate(measured_digits(), pruned, trained(), full_model=trained(), overwrite=True)
