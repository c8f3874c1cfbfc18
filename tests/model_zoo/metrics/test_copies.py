"""The copy check against sets whose answer is known."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from latentloom.model_zoo.metrics import copies
from latentloom.model_zoo.metrics.copies import copy_figures, nearest_examples


def gaussian(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 5))


@pytest.mark.parametrize("block", [3, 4096])
def test_distances_are_those_to_the_nearest(monkeypatch, block):
    monkeypatch.setattr(copies, "BLOCK", block)
    rows, train = gaussian(20, 0), gaussian(50, 1)
    distances, places = nearest_examples(rows, train, 3)
    np.testing.assert_allclose(distances, np.sort(cdist(rows, train))[:, :3], rtol=1e-4)
    np.testing.assert_array_equal(places, np.argsort(cdist(rows, train))[:, :3])


def test_images_are_compared_as_numbers_not_as_bytes():
    rng = np.random.default_rng(0)
    rows, train = (rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8) for n in (6, 30))
    flat = [x.reshape(len(x), -1).astype(float) for x in (rows, train)]
    found = nearest_examples(rows, train)[0][:, 0]
    np.testing.assert_allclose(found, cdist(*flat).min(axis=1), rtol=1e-4)


def test_what_comes_from_the_same_source_is_seldom_called_a_copy():
    found = copy_figures(gaussian(5000, 0), gaussian(5000, 1), gaussian(2000, 2))
    assert found["copies"] == pytest.approx(0.01, abs=0.006)
    assert found["distance"] == pytest.approx(1.0, abs=0.03)


def test_a_generator_that_repeats_training_examples_is_found_out():
    train = gaussian(2000, 2)
    mixed = np.concatenate([train[:250], gaussian(750, 0)])
    assert copy_figures(train[:500], gaussian(500, 1), train)["copies"] == 1
    assert copy_figures(train[:500], gaussian(500, 1), train)["distance"] < 0.01
    assert copy_figures(mixed, gaussian(500, 1), train)["copies"] == pytest.approx(0.26, abs=0.02)


def test_a_slightly_changed_copy_is_a_copy_and_a_far_draw_is_none():
    train = gaussian(2000, 2)
    near = train[:500] + 0.01 * gaussian(500, 3)
    assert copy_figures(near, gaussian(500, 1), train)["copies"] > 0.99
    assert copy_figures(gaussian(500, 4) + 10, gaussian(500, 1), train)["copies"] == 0


def test_nothing_to_copy_is_refused():
    with pytest.raises(ValueError, match="nothing to find copies of.*Give both alike"):
        nearest_examples(gaussian(3, 0), np.zeros((2, 5)), 3)
    with pytest.raises(ValueError, match="nothing to find copies of"):
        nearest_examples(gaussian(3, 0), np.zeros((4, 6)))
