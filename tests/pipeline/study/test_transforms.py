"""Transforms keep shape, type, range and labels, follow their seed, and change images by row."""

import numpy as np
import pytest

from latentloom.pipeline.study.transforms import TRANSFORMS, cropping, erasing

COUNT, SIDE = 16, 20
IMAGES = np.random.default_rng(0).uniform(0, 255, (COUNT, SIDE, SIDE, 3)).astype(np.float32)
LABELS = np.eye(4, dtype=np.float32)[np.arange(COUNT) % 4]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_shape_type_and_range_stay(name):
    images, labels = TRANSFORMS[name](7, False)(IMAGES, LABELS)
    assert images.shape == IMAGES.shape
    assert images.dtype == np.float32
    assert labels.shape == LABELS.shape
    assert -1e-3 <= images.min() <= images.max() <= 255.001
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-5)
    assert not np.array_equal(images, IMAGES)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_seed_decides(name):
    one, again, other = (TRANSFORMS[name](seed, False)(IMAGES, LABELS)[0] for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_erasing_changes_a_rectangle_of_every_image():
    changed = (erasing(7, False)(IMAGES, LABELS)[0] != IMAGES).any(axis=-1)
    assert changed.any(axis=(1, 2)).all()
    assert changed.mean(axis=(1, 2)).max() < 0.5
    for mask in changed:
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        assert mask[np.ix_(rows, columns)].mean() > 0.95


def test_cropping_shows_a_part_of_every_image():
    ramp = np.broadcast_to(np.arange(SIDE, dtype=np.float32)[:, None, None], IMAGES.shape[1:])
    images = cropping(7, False)(np.stack([ramp] * COUNT), LABELS)[0]
    seen = images[:, -1, 0, 0] - images[:, 0, 0, 0]
    assert (seen > 0.6 * (SIDE - 1) - 1e-3).all()
    assert (seen < 0.9 * (SIDE - 1) + 1e-3).all()
    assert np.ptp(images[:, 0, 0, 0]) > 1
