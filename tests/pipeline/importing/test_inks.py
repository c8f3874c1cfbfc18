"""Grey images in colour: the ink is drawn whatever the class, and written as a factor."""

import numpy as np
import pytest

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.inks import COLOURS
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.verification.verify import verify


def test_images_take_their_ink_on_black(tmp_path):
    grey = import_dataset("builtin:digits", tmp_path / "grey").read("train")
    inked = import_dataset("builtin:digits", tmp_path / "inked", inks=4).read("train")
    order = np.argsort(inked.ids)
    images, inks = inked.observations[order], inked.factors["ink"][order]
    palette = np.array(list(COLOURS.values()))[inks]
    expected = grey.observations[np.argsort(grey.ids)] * (palette[:, None, None] / 255)
    np.testing.assert_allclose(images, expected, atol=0.5)
    np.testing.assert_array_equal(inked.labels[order], grey.labels[np.argsort(grey.ids)])


def test_the_ink_tells_nothing_of_the_class(tmp_path):
    made = import_dataset("builtin:digits", tmp_path / "inked", inks=10)
    assert made.manifest.factors["ink"] == list(COLOURS)
    assert made.manifest.source["inks"] == 10
    assert verify(made.path).ok
    examples = made.read("train")
    counts = np.zeros((10, 10))
    np.add.at(counts, (examples.labels, examples.factors["ink"]), 1)
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    assert np.sum((counts - expected) ** 2 / expected) < 126  # of 81 degrees of freedom, 99.9 %


def test_a_sample_keeps_the_inks_of_its_examples():
    whole, few = (open_source("builtin:digits", inks=5, max_examples=n) for n in (None, 50))
    inks = {
        i: c
        for b, _ in whole.batches("train")
        for i, c in zip(b.ids, b.factors["ink"], strict=True)
    }
    for batch, _ in few.batches("train"):
        assert [inks[i] for i in batch.ids] == batch.factors["ink"].tolist()


@pytest.mark.parametrize("spec", ["builtin:letters", "builtin:moons"])
def test_what_is_not_grey_is_refused(spec):
    with pytest.raises(ValueError, match="unfit for inks. Expected: grey images"):
        open_source(spec, inks=3)


@pytest.mark.parametrize("inks", [1, 11])
def test_there_are_ten_inks(inks):
    with pytest.raises(ValueError, match="Expected: 2 to 10"):
        open_source("builtin:digits", inks=inks)
