"""Generated unseen combinations: their donors, and letters whose recombination is exact."""

import numpy as np
import pytest
from letters import NAMES, letters_bundle, letters_data

from latentloom.augment import Coverage
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.terciles import Terciles
from latentloom.pipeline.evaluation.unseen.donor_pairs import (
    can_judge,
    draw_pairs,
    generate_pairs,
    judge_images,
    seen_siblings,
)

CELL = Coverage({"label": NAMES["label"], "back": NAMES["back"]}, {(0, 1): 9})
"""Letters `a` on green."""
NO_TERCILES = Terciles({})


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(letters_bundle()))


@pytest.fixture(scope="module")
def train():
    examples = DatasetDir.open(letters_data()).read("train")
    return examples.take(~CELL.seen_rows(examples.factors))


def test_one_donor_has_the_class_and_the_other_has_all_else_but_the_class(train):
    pairs = draw_pairs(train, CELL, 50, seed=0)
    assert len(pairs) == 50
    assert set(train.labels[pairs.class_rows]) == {0}
    assert 0 not in train.labels[pairs.value_rows]
    assert set(train.factors["back"][pairs.value_rows]) == {1}
    assert len(np.unique(pairs.class_rows)) > 10
    assert {name: set(codes.tolist()) for name, codes in pairs.wanted.items()} == {
        "label": {0},
        "back": {1},
    }


def test_the_order_of_the_examples_changes_no_donor(train):
    order = np.random.default_rng(0).permutation(len(train))
    first, second = draw_pairs(train, CELL, 20, 0), draw_pairs(train.take(order), CELL, 20, 0)
    np.testing.assert_array_equal(first.class_rows, order[second.class_rows])
    np.testing.assert_array_equal(first.value_rows, order[second.value_rows])
    assert (draw_pairs(train, CELL, 20, 1).class_rows != first.class_rows).any()


def test_images_are_shared_out_over_cells_and_none_is_made_without_a_donor(train):
    cells = Coverage(CELL.names, {(0, 1): 1, (1, 0): 1})
    wanted = draw_pairs(train, cells, 5, 0).wanted
    assert list(zip(wanted["label"], wanted["back"], strict=True)) == 3 * [(0, 1)] + 2 * [(1, 0)]
    alone = train.take(train.labels == 0)
    assert len(draw_pairs(alone, CELL, 5, 0)) == 0


def test_the_siblings_of_a_cell_are_the_seen_cells_of_its_class(train):
    assert set(seen_siblings(train, CELL).counts) == {(0, 0), (0, 2)}


def test_letters_of_known_code_are_recombined_without_a_mistake(codec, train):
    pairs = draw_pairs(train, CELL, 30, seed=0)
    images = generate_pairs(codec, train, pairs)
    own, other = train.observations[pairs.class_rows], train.observations[pairs.value_rows]
    np.testing.assert_allclose(images[:, :2].astype(int), own[:, :2], atol=1)
    np.testing.assert_allclose(images[:, 2:].astype(int), other[:, 2:], atol=1)
    found = judge_images(images, pairs.wanted, codec, NO_TERCILES)
    assert found["class"].all()
    assert found["values"].all()
    assert found["both"].all()


def test_images_that_are_something_else_are_told_apart_by_what_is_wrong(codec, train):
    labels, backs = train.labels, train.factors["back"]
    found = judge_images(
        train.observations, {"label": labels, "back": np.zeros_like(backs)}, codec, NO_TERCILES
    )
    assert found["class"].all()
    np.testing.assert_array_equal(found["values"], backs == 0)
    np.testing.assert_array_equal(found["both"], backs == 0)


def test_a_measured_factor_is_read_from_the_pixels_and_not_by_the_auditor(codec, train):
    terciles = Terciles({"thickness": (0.0, 1e9)})
    wanted = {"label": (train.labels + 1) % 3, "thickness": np.ones(len(train), np.int64)}
    found = judge_images(train.observations, wanted, codec, terciles)
    assert found["values"].all()
    assert not found["class"].any()
    assert not found["both"].any()


def test_only_cells_whose_factors_can_be_read_are_generated(codec):
    assert can_judge(["label", "back"], codec, NO_TERCILES)
    assert not can_judge(["ink", "back"], codec, NO_TERCILES)
    assert not can_judge(["label"], codec, NO_TERCILES)
    assert not can_judge(["label", "width"], codec, NO_TERCILES)
    assert can_judge(["label", "width"], codec, Terciles({"width": (1.0, 2.0)}))
