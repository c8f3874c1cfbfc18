import numpy as np
import pytest

from latentloom.pipeline.importing.builtin.moons import CENTRES, NOISE, residuals
from latentloom.pipeline.importing.open_source import open_source


@pytest.fixture(scope="module")
def examples():
    return next(open_source("builtin:moons").batches("train"))[0]


def test_moons_are_labelled_points_of_two_splits():
    source = open_source("builtin:moons")
    assert (source.observation, source.observation_shape) == ("vector", (2,))
    assert source.factors == {"label": ["left", "middle", "right"]}
    assert source.splits == {"train": 6000, "test": 1500}
    train, test = (next(source.batches(split))[0].observations for split in ("train", "test"))
    assert train.dtype == np.float32
    assert not np.isin(train, test).any()


def test_points_scatter_about_half_circles_of_radius_1(examples):
    found = residuals(examples.observations, examples.labels)
    assert found.std() == pytest.approx(NOISE, rel=0.1)
    assert found.mean() == pytest.approx(NOISE**2 / 2, abs=0.02)
    for label, (name, (_, height)) in enumerate(CENTRES.items()):
        above = examples.observations[examples.labels == label, 1] > height
        assert np.mean(above) == pytest.approx(0.05 if name == "middle" else 0.95, abs=0.05)


def test_every_import_makes_the_same_points(examples):
    again = next(open_source("builtin:moons").batches("train"))[0]
    np.testing.assert_array_equal(again.observations, examples.observations)
    assert np.bincount(again.labels).tolist() == [342, 341, 341]
