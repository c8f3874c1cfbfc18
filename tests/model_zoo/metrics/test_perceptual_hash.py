"""Hashes of images: alike for copies, apart for others."""

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from latentloom.model_zoo.metrics.perceptual_hash import (
    averaging,
    close_pairs,
    perceptual_hashes,
)


def photographs(count=40, seed=0):
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.normal(size=(count, 48, 40, 3)), (0, 3, 3, 0))
    return np.clip(128 + 400 * smooth, 0, 255).astype(np.uint8)


def compressed(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=75)
    return np.asarray(Image.open(stream))


def test_copies_are_close_and_others_are_not():
    images = photographs()
    copies = np.stack([compressed(image) for image in images])
    lighter = (images * 0.8 + 20).astype(np.uint8)
    hashes, waves = perceptual_hashes(np.concatenate([images, copies, lighter]))
    pairs = np.concatenate(list(close_pairs(hashes, 6)))
    assert {tuple(pair % 40) for pair in pairs} == {(row, row) for row in range(40)}
    assert len(pairs) == 3 * 40
    assert np.einsum("nw,nw->n", waves[:40], waves[40:80]).min() > 0.98


def test_pairs_do_not_depend_on_the_blocks(monkeypatch):
    hashes = np.random.default_rng(0).integers(0, 2**10, 200).astype(np.uint64)
    whole = np.concatenate(list(close_pairs(hashes, 2)))
    monkeypatch.setattr("latentloom.model_zoo.metrics.perceptual_hash.COMPARED_AT_ONCE", 1000)
    np.testing.assert_array_equal(np.concatenate(list(close_pairs(hashes, 2))), whole)
    assert (whole[:, 0] < whole[:, 1]).all()


def test_averaging_keeps_means_of_any_size():
    for size in (5, 8, 32, 33, 100):
        np.testing.assert_allclose(averaging(size, 32).sum(axis=1), 1, rtol=1e-5)


def test_a_constant_image_has_no_waves():
    _, waves = perceptual_hashes(np.full((1, 9, 9, 1), 77, np.uint8))
    np.testing.assert_allclose(waves, 0, atol=1e-2)
