"""Subsets are balanced, nested, and the same whatever the order of the examples."""

import numpy as np
import pytest

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.study.subsets import draw_subset, write_subset
from latentloom.pipeline.verification.verify import verify


def examples(count: int = 90) -> Examples:
    images = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    return Examples(images, {"label": np.arange(count) % 3}, [f"e{row}" for row in range(count)])


def drawn(of: Examples, size: int | None, seed: int = 0) -> list[str]:
    return [of.ids[row] for row in draw_subset(of, size, seed)]


def test_every_class_has_as_many():
    found = draw_subset(examples(), 7, 0)
    assert np.bincount(examples().labels[found]).tolist() == [7, 7, 7]
    assert len(set(found.tolist())) == 21


def test_a_larger_subset_holds_the_smaller():
    assert drawn(examples(), 20)[:15] == drawn(examples(), 5)
    assert drawn(examples(), None)[:15] == drawn(examples(), 5)


def test_it_follows_the_seed_and_not_the_order():
    mixed = examples().take(np.random.default_rng(0).permutation(90))
    assert drawn(mixed, 5) == drawn(examples(), 5)
    assert set(drawn(examples(), 5, seed=1)) != set(drawn(examples(), 5))


def test_a_class_that_is_too_small_is_refused():
    few = examples().take(np.arange(89))
    with pytest.raises(ValueError, match="Expected: 30 or more of every class. Received: 29"):
        draw_subset(few, 30, 0)


def test_a_subset_is_a_data_set_with_the_ids_of_its_source(dataset, tmp_path):
    train = dataset.read("train")
    chosen = train.take(draw_subset(train, 4, 0))
    written = write_subset(dataset, chosen, tmp_path / "subset", 0)
    found = written.read("train")
    assert found.ids == chosen.ids
    np.testing.assert_array_equal(found.observations, chosen.observations)
    assert written.manifest.label_counts("train") == {"cat": 4, "dog": 4, "eel": 4}
    assert verify(tmp_path / "subset").ok
