from typing import Any

import numpy as np
import pytest

from latentloom.model_zoo.training.batches import Batches
from latentloom.model_zoo.training.deformations import Deformations

STILL: dict[str, Any] = {"shift": 0.0, "rotation": 0.0, "zoom": 0.0}


class Drawn:
    """Stands in for a generator: draws the same numbers for every image."""

    def __init__(self, *numbers):
        self.numbers = np.array(numbers)

    def uniform(self, low, high, shape):
        assert (low, high) == (-1, 1)
        return np.broadcast_to(self.numbers[:, None], shape)


def drawn(turn=0.0, stretch=0.0, right=0.0, down=0.0, mirror=1.0) -> Any:
    return Drawn(turn, stretch, right, down, mirror)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 2)).astype(np.float32)


def test_without_bounds_nothing_changes(images):
    deformed = Deformations(**STILL)(images, np.random.default_rng(0))
    np.testing.assert_allclose(deformed, images, atol=1e-3)
    assert deformed.dtype == np.float32


def test_a_quarter_turn(images):
    turned = Deformations(**STILL | {"rotation": 90.0})(images, drawn(turn=1.0))
    np.testing.assert_allclose(turned, np.rot90(images, axes=(1, 2)), atol=1e-2)


def test_shifts_show_what_lies_beside_and_repeat_the_edge(images):
    shifted = Deformations(**STILL | {"shift": 0.25})(images, drawn(right=1.0, down=-0.5))
    np.testing.assert_allclose(shifted[:, 1:, :6], images[:, :7, 2:], atol=1e-3)
    np.testing.assert_allclose(shifted[:, 0, :6], images[:, 0, 2:], atol=1e-3)
    np.testing.assert_allclose(shifted[:, 1:, 7], images[:, :7, 7], atol=1e-3)


def test_mirroring(images):
    mirrored = Deformations(**STILL, flip=True)(images, drawn(mirror=-1.0))
    np.testing.assert_allclose(mirrored, images[:, :, ::-1], atol=1e-3)
    kept = Deformations(**STILL, flip=True)(images, drawn(mirror=1.0))
    np.testing.assert_allclose(kept, images, atol=1e-3)


def test_zoom_scales_about_the_centre():
    offsets = np.arange(9, dtype=np.float32) - 4
    image = np.broadcast_to(offsets[:, None], (1, 9, 9, 1))  # what a pixel is right of the centre
    zoom = Deformations(**STILL | {"zoom": 0.5})
    larger, smaller = zoom(image, drawn(stretch=1.0)), zoom(image, drawn(stretch=-1.0))
    np.testing.assert_allclose(larger[0, 3, :, 0], offsets / 1.5, atol=1e-4)
    np.testing.assert_allclose(smaller[0, 3, :, 0], np.clip(offsets / 0.5, -4, 4), atol=1e-4)


def test_every_image_is_deformed_by_itself(images):
    same = np.broadcast_to(images[:1], (4, 2, *images.shape[1:]))
    deformed = Deformations()(same, np.random.default_rng(0))
    assert deformed.shape == same.shape
    assert len(np.unique(deformed.reshape(8, -1).round(3), axis=0)) == 8


def test_batches_are_deformed_by_seed_epoch_and_step_alone(images):
    stored, labels = images.astype(np.uint8), np.arange(3)

    def batches(seed, epochs, deformations):
        settings = {"batch_size": 2, "value_range": (0.0, 1.0), "epochs": epochs}
        made = Batches(stored, labels, seed=seed, deformations=deformations, **settings)
        return [made[index] for index in range(len(made))]

    whole = batches(1, range(3), Deformations())
    later = batches(1, range(2, 3), Deformations())
    for (first, _), (again, _) in zip(whole[4:], later, strict=True):
        np.testing.assert_array_equal(first, again)
    epochs = [np.concatenate([x for x, _ in whole[2 * e : 2 * e + 2]]) for e in range(2)]
    order = [np.concatenate([y for _, y in whole[2 * e : 2 * e + 2]]) for e in range(2)]
    assert np.abs(epochs[0][order[0].argsort()] - epochs[1][order[1].argsort()]).max() > 0.1
    other = np.concatenate([x for x, _ in batches(2, range(1), Deformations())])
    assert np.abs(other - epochs[0]).max() > 0.1
