"""Thirds of training images: their limits, and what falls on one."""

import json

import numpy as np
import pytest

from latentloom.pipeline.dataset.terciles import Terciles


def test_each_third_of_the_training_images_has_a_value():
    values = np.random.default_rng(0).normal(size=999)
    terciles = Terciles.fit({"slant": values})
    codes = terciles.codes("slant", values)
    assert np.bincount(codes).tolist() == [333, 333, 333]
    assert values[codes == 0].max() < values[codes == 1].min()
    assert values[codes == 1].max() < values[codes == 2].min()


def test_a_limit_belongs_to_the_value_above_it():
    terciles = Terciles({"width": (2.0, 3.0)})
    found = terciles.codes("width", np.array([1.9, 2.0, 2.9, 3.0, 1e9, -1e9]))
    assert found.tolist() == [0, 1, 1, 2, 2, 0]


def test_limits_come_through_a_manifest_unchanged():
    terciles = Terciles.fit({"slant": np.random.default_rng(0).normal(size=100)})
    details = json.loads(json.dumps({"other": 1} | terciles.to_details()))
    assert Terciles.from_details(details) == terciles
    assert Terciles.from_details({}).limits == {}


@pytest.mark.parametrize("values", [[1.0] * 9, [0.0, 0.0, 0.0, 0.0, 1.0, 2.0]])
def test_images_that_are_too_much_alike_are_refused(values):
    with pytest.raises(ValueError, match="'slant' has an empty third.*Leave it out of --measure"):
        Terciles.fit({"slant": np.array(values)})
