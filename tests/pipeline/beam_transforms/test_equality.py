"""Variants of a Beam collection are those that `generate` writes, record by record."""

import random

import apache_beam as beam
import numpy as np
import pytest
from bundles import digits_bundle, digits_data
from bundles import make as make_digits
from letters import letters_bundle, letters_config, letters_data
from letters import make as make_letters
from own_pipelines import THREADS, counters, feature, ran, records_of

import latentloom
from latentloom.beam import Augment, DonorBank
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.engines import Engine
from latentloom.pipeline.generation.generate import generate

CASES = {
    "class_preserving": {"variants": 2},
    "sample_class": {"options": {"temperature": 0.5}, "gate": False},
    "traverse": {"variants": 3, "gate": {"min_confidence": 0.5, "attempts": 2}},
    "reconstruct": {"detail": 0.5, "gate": False, "seed": 3},
    "swap_zu": {"variants": 2, "seed": 5},
    "interpolate_zu": {"gate": False},
}


def settings_of(recipe, variants=1, gate=True, options=None, **others):
    """The same settings as the words of a command."""
    gate = {"enabled": gate} if isinstance(gate, bool) else gate
    tree = {f"gate.{name}": value for name, value in gate.items()}
    tree |= {f"options.{name}": value for name, value in (options or {}).items()}
    tree |= {"recipe": recipe, "variants_per_example": variants, **others}
    return [f"generate.{name}={str(value).lower()}" for name, value in tree.items()]


def augment(bundle, recipe, bank=None, **arguments):
    """Builds a pipeline of `Augment`, with a bank of the same examples for recipes with donors."""

    def build(examples):
        given = dict(arguments)
        if bank is not None:
            shared = {name: given[name] for name in ("seed", "options") if name in given}
            given["donors"] = examples | DonorBank(bundle, recipe, **bank, **shared)
        return examples | Augment(bundle, recipe, **given)

    return build


@pytest.mark.parametrize("recipe", CASES)
def test_the_records_are_those_of_generate(tmp_path, recipe):
    made = make_digits(tmp_path / "out", *settings_of(recipe, **CASES[recipe]))
    bank = {} if recipe in ("swap_zu", "interpolate_zu") else None
    build = augment(digits_bundle(), recipe, bank, **CASES[recipe])
    _, [found] = ran(records_of(digits_data()), build)
    assert sorted(found) == sorted(records_of(made.path))
    assert len(found) > 50


@pytest.fixture(scope="module")
def swapped(tmp_path_factory):
    """What `generate` writes with few donors."""
    made = make_digits(
        tmp_path_factory.mktemp("swapped") / "out",
        *settings_of("swap_zu", variants=2, donors_per_class=3),
    )
    return sorted(records_of(made.path))


@pytest.mark.parametrize("engine", [Engine(), THREADS], ids=["one", "two"])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_batches_bundles_and_order_change_nothing(swapped, batch_size, engine):
    elements = records_of(digits_data())
    random.Random(batch_size).shuffle(elements)
    bank = {"donors_per_class": 3, "batch_size": batch_size}
    small = {"variants": 2, "batch_size": batch_size}
    _, [found] = ran(elements, augment(digits_bundle(), "swap_zu", bank, **small), engine)
    assert sorted(found) == swapped


def test_some_examples_have_the_variants_that_they_have_among_all(swapped):
    elements = records_of(digits_data())

    def build(examples):
        bank = examples | DonorBank(digits_bundle(), "swap_zu", donors_per_class=3)
        few = examples.pipeline | "Few" >> beam.Create(elements[5:9])
        return few | Augment(digits_bundle(), "swap_zu", variants=2, donors=bank)

    _, [found] = ran(elements, build)
    ids = [feature(record, "example_id") for record in elements[5:9]]
    assert sorted(found) == [r for r in swapped if feature(r, "anchor_id") in ids]
    assert found


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_dictionaries_go_in_and_come_out_as_open_dataset_reads_them(tmp_path, share):
    settings = {"variants": 2, "detail": share}
    made = make_digits(tmp_path / "out", *settings_of("swap_zu", **settings))
    given = list(latentloom.open_dataset(digits_data()))
    build = augment(digits_bundle(), "swap_zu", {}, output="dicts", **settings)
    _, [found] = ran(given, build)
    wanted = {record["example_id"]: record for record in latentloom.open_dataset(made.path)}
    assert len(found) == len(wanted)
    for record in found:
        expected = wanted[record["example_id"]]
        np.testing.assert_array_equal(record.pop("image"), expected.pop("image"))
        assert record == expected
        assert {type(value) for value in record.values()} <= {str, int, float, list}


@pytest.mark.parametrize(
    ("recipe", "options", "seen"),
    [
        ("swap_factor", {"factor": "back"}, {0, 1}),
        ("interpolate_factor", {"factor": "ink", "same_value": 0.0}, {1}),
    ],
)
def test_recipes_that_change_a_factor_know_which_cells_were_seen(tmp_path, recipe, options, seen):
    made = make_letters(tmp_path / "out", *settings_of(recipe, 3, options=options))
    pairs = letters_config().generate.differ
    build = augment(letters_bundle(), recipe, {}, options=options, variants=3, differ=pairs)
    _, [found] = ran(records_of(letters_data()), build)
    assert sorted(found) == sorted(records_of(made.path))
    assert {feature(record, "seen_combination") for record in found} == seen


def test_examples_of_held_out_cells_are_neither_anchors_nor_donors(tmp_path):
    held = "data.hold_out=[{label: a, back: red}]"
    bundle, settings = letters_bundle(held), settings_of("swap_factor", options={"factor": "back"})
    config = letters_config(*settings)
    made = generate(config, letters_data(), bundle, tmp_path / "out")
    pairs = config.generate.differ
    build = augment(bundle, "swap_factor", {}, options={"factor": "back"}, differ=pairs)
    result, [found] = ran(records_of(letters_data()), build)
    assert sorted(found) == sorted(records_of(made.path))
    real = DatasetDir.open(letters_data()).read("train").factors
    held_out = ((real["label"] == 0) & (real["back"] == 2)).sum()
    assert counters(result)["held_out"] == held_out > 0
