"""Keyed choices of examples, and a few examples of every class."""

import numpy as np
import pytest

from latentloom.pipeline.dataset import sampling
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose, classes_in_turn, one_per_class, sample

LABELS = np.array([2, 0, 0, 5, 2, 1])


def test_one_per_class_takes_the_first_example_of_the_first_classes():
    examples = Examples(np.zeros((6, 2, 2, 1), np.uint8), {"label": LABELS}, list("abcdef"))
    chosen = examples.take(one_per_class(examples.labels)[:3])
    assert chosen.ids == ["b", "f", "a"]
    assert chosen.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("most", "rows"),
    [(3, [1, 5, 0]), (4, [1, 5, 0, 3]), (5, [1, 2, 5, 0, 3]), (9, [1, 2, 5, 0, 4, 3])],
)
def test_classes_take_turns_in_their_order_and_rows_are_sorted_by_class(most, rows):
    assert classes_in_turn(LABELS, most).tolist() == rows


def test_with_keys_the_least_come_first_in_their_class_and_in_a_turn_that_is_cut_short():
    keys = np.array([9.0, 8.0, 1.0, 2.0, 3.0, 7.0])
    assert classes_in_turn(LABELS, 3, keys).tolist() == [2, 4, 3]  # not class 1, of key 7
    assert classes_in_turn(LABELS, 5, keys).tolist() == [2, 1, 5, 4, 3]  # 8 before 9


def test_without_examples_there_are_no_rows():
    assert classes_in_turn(np.zeros(0, int), 10).tolist() == []


@pytest.mark.parametrize(("bytes_at_most", "of_each", "size"), [(24, 1, 4), (8, 1, 2), (8, 2, 1)])
def test_a_sample_is_the_beginning_of_a_choice_that_fits_into_memory(
    monkeypatch, bytes_at_most, of_each, size
):
    monkeypatch.setattr(sampling, "SAMPLE_BYTES", bytes_at_most)
    images = np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1)
    examples = Examples(images, {"label": LABELS}, list("abcdef"))
    found = sample(examples, 4, 0, "measure", of_each=of_each)
    assert found.ids == choose(examples, size, 0, "measure").ids


def test_one_example_is_held_however_large_it_is(monkeypatch):
    monkeypatch.setattr(sampling, "SAMPLE_BYTES", 1)
    examples = Examples(np.zeros((6, 2, 2, 1), np.uint8), {"label": LABELS}, list("abcdef"))
    assert len(sample(examples, 4, 0, "measure")) == 1
