"""Detail of images: against closed forms, and what blur and noise do to it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from latentloom.model_zoo.metrics.detail import measure_detail


def images(count: int = 40, side: int = 32, channels: int = 3) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(count, side, side, channels))
    smooth = gaussian_filter(noise, (0, 0.7, 0.7, 0))
    return np.clip(128 + 60 * smooth, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("period", [4, 8, 16])
def test_the_fineness_of_a_wave_is_that_of_its_frequency(period):
    line = np.round(128 + 120 * np.cos(2 * np.pi * np.arange(64) / period)).astype(np.uint8)
    wave = np.broadcast_to(line[None, None, :, None], (1, 64, 64, 1))
    expected = np.log(2 - 2 * np.cos(2 * np.pi / period))
    assert measure_detail(wave)["fineness"] == pytest.approx(expected, abs=0.05)


def test_the_gradient_of_a_ramp_is_its_slope():
    ramp = np.broadcast_to(np.arange(0, 64, 2, np.uint8)[None, None, :, None], (2, 32, 32, 1))
    assert measure_detail(ramp)["gradient"] == pytest.approx(np.log(4 + 1))


def test_white_noise_has_the_fineness_of_white_noise():
    noise = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.uint8)
    assert measure_detail(noise)["fineness"] == pytest.approx(np.log(3), abs=0.03)


def test_blur_lowers_the_fineness_whatever_the_contrast():
    sharp = images()
    faint = (sharp // 2 + 64).astype(np.uint8)
    soft = gaussian_filter(sharp, (0, 1, 1, 0))
    fineness = {
        name: measure_detail(x)["fineness"].mean()
        for name, x in {"sharp": sharp, "faint": faint, "soft": soft}.items()
    }
    assert fineness["soft"] < fineness["sharp"] - 0.3
    assert fineness["faint"] == pytest.approx(fineness["sharp"], abs=0.05)


def test_an_image_has_the_same_figures_whatever_stands_beside_it():
    whole, alone = measure_detail(images()), measure_detail(images()[7:8])
    assert {name: column[7] for name, column in whole.items()} == {
        name: column[0] for name, column in alone.items()
    }


@pytest.mark.parametrize("shape", [(0, 8, 8, 1), (3, 1, 1, 1), (2, 2, 9, 3)])
def test_small_images_and_none_have_finite_figures(shape):
    measured = measure_detail(np.full(shape, 7, np.uint8))
    assert all(
        np.isfinite(column).all() and len(column) == shape[0] for column in measured.values()
    )
