import logging

import numpy as np
import pytest

from latentloom.model_zoo.elegant import PairBatches
from latentloom.model_zoo.elegant.pairs import check_pairs

ATTRIBUTES = ["size", "ink"]
RANGE = {"value_range": (0.0, 255.0)}


def pairs_of(images, factors, **settings):
    options = {"attributes": ATTRIBUTES, "batch_size": 10, "seed": 1, **RANGE}
    options["pool"] = (images, factors)
    return PairBatches(images, factors, **{**options, **settings})


def ramp(count):
    """Images whose pixels are their row."""
    rows = np.arange(count, dtype=np.uint8)
    return np.broadcast_to(rows[:, None, None, None], (count, 2, 2, 1)).copy()


def drawn(batches):
    """Rows, first and second values, and edges of all pairs."""
    some = [batches[index] for index in range(len(batches))]
    rows = np.concatenate([pairs[..., 0, 0, 0].astype(int) for pairs, _ in some])
    return rows, *(np.concatenate([y[n] for _, y in some]) for n in ("first", "second", "edge"))


def test_the_images_of_a_pair_differ_in_the_attribute_and_the_answers_tell_their_values(grid):
    batches = pairs_of(ramp(72), grid, epochs=range(30))
    rows, first, second, edge = drawn(batches)
    assert batches[0][0].shape == (10, 2, 2, 2, 1)
    assert {array.dtype for array in batches[0][1].values()} == {np.dtype(np.int32)}
    for column, values in enumerate(("label", *ATTRIBUTES)):
        np.testing.assert_array_equal(first[:, column], grid[values][rows[:, 0]])
        np.testing.assert_array_equal(second[:, column], grid[values][rows[:, 1]])
    chosen = np.arange(len(edge)), 1 + edge
    assert (first[chosen] != second[chosen]).all()


def test_a_share_of_the_pairs_has_equal_values(grid):
    _, first, second, edge = drawn(pairs_of(ramp(72), grid, epochs=range(200), same_share=0.25))
    chosen = np.arange(len(edge)), 1 + edge
    share = np.mean(first[chosen] == second[chosen])
    assert abs(share - 0.25) < 5 * np.sqrt(0.25 * 0.75 / len(edge))


def test_values_and_attributes_are_drawn_alike_however_rare_they_are():
    """Sizes 0, 1, 2 have 188, 10 and 2 examples; the ink is tied to the size in 0.98."""
    size = np.repeat([0, 1, 2], [188, 10, 2])
    ink = np.where(np.arange(200) % 50 == 0, size == 0, size > 0).astype(int)
    factors = {"label": np.arange(200) % 4, "size": size, "ink": ink}
    _, first, second, edge = drawn(pairs_of(ramp(200), factors, epochs=range(200)))
    count = len(edge)
    assert abs(edge.mean() - 0.5) < 5 * np.sqrt(0.25 / count)
    for values in (first, second):
        for place, number in ((0, 3), (1, 2)):
            own = values[edge == place, 1 + place]
            shares = np.bincount(own, minlength=number) / len(own)
            assert np.abs(shares - 1 / number).max() < 5 * np.sqrt(0.25 / len(own))


def test_every_example_of_a_value_is_drawn(grid):
    rows, *_ = drawn(pairs_of(ramp(72), grid, epochs=range(100)))
    counts = np.bincount(rows.ravel(), minlength=72)
    assert counts.min() > 0.6 * counts.mean()


def test_pairs_depend_on_seed_epoch_and_step_alone(grid):
    def contents(**settings):
        return [part.tolist() for part in drawn(pairs_of(ramp(72), grid, **settings))]

    first = contents()
    assert contents() == first
    assert contents(seed=2) != first
    later = contents(epochs=range(1, 2))
    assert later != first
    both = contents(epochs=range(2))
    assert [a + b for a, b in zip(first, later, strict=True)] == both


def test_every_batch_is_full(grid):
    batches = pairs_of(ramp(72), grid, batch_size=16)
    assert [len(batches[index][0]) for index in range(len(batches))] == [16] * 5


def test_second_images_come_from_the_pool_alone(grid):
    """One held-out image suffices."""
    pool = {name: codes[:70] for name, codes in grid.items()}
    one = {name: codes[70:71] for name, codes in grid.items()}
    images = ramp(72)
    settings = {"pool": (images[:70], pool), "epochs": range(50), "same_share": 0.5}
    rows, first, second, edge = drawn(pairs_of(images[70:71], one, **settings))
    assert set(rows[:, 0]) == {70}
    assert set(rows[:, 1]) <= set(range(70))
    assert set(edge) == {0, 1}
    chosen = np.arange(len(edge)), 1 + edge
    is_same = np.mean(first[chosen] == second[chosen])
    assert 0.3 < is_same < 0.7


def test_rare_values_are_told(grid, caplog):
    with caplog.at_level(logging.WARNING):
        check_pairs(grid, ATTRIBUTES)
    assert not caplog.messages
    factors = grid | {"size": np.append(grid["size"][:-1] % 2, 2)}
    with caplog.at_level(logging.WARNING):
        check_pairs(factors, ATTRIBUTES)
    assert caplog.messages == [
        "Value 2 of attribute 'size' has only 1 training examples: a batch draws them several "
        "times."
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"ink": "size"},
            "'size' and 'ink' never vary apart.*'ink' out of `model.args",
        ),
        ({"ink": "label"}, "'label' and 'ink' never vary apart.*model.args.attributes"),
        ({"ink": None}, "'ink' has one value.*Leave 'ink' out of `model.args.attributes`"),
    ],
)
def test_attributes_that_cannot_be_exchanged_are_refused(grid, changed, message):
    (name, other), *_ = changed.items()
    factors = grid | {name: grid[other] if other else np.zeros(72, int)}
    with pytest.raises(ValueError, match=message):
        check_pairs(factors, ATTRIBUTES)


def test_a_missing_attribute_is_refused(grid):
    factors = {name: codes for name, codes in grid.items() if name != "ink"}
    with pytest.raises(ValueError, match="lack a factor.*'ink' out of `model.args.attributes`"):
        check_pairs(factors, ATTRIBUTES)
