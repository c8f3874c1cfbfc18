import numpy as np
import pytest

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.builtin.sprites import GRID, render_sprites
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source


@pytest.fixture(scope="module")
def dsprites() -> dict[str, Examples]:
    source = open_source("builtin:dsprites", max_examples=2000)
    batches = {s: [examples for examples, _ in source.batches(s)] for s in ("train", "test")}
    return {split: Examples.concatenate(parts) for split, parts in batches.items()}


def test_the_shape_is_the_label_and_values_have_readable_names():
    source = open_source("builtin:dsprites", max_examples=100)
    assert source.factors["label"] == ["square", "ellipse", "heart"]
    assert source.factors["scale"] == ["0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
    assert source.factors["orientation"][:3] == ["0", "9", "18"]
    assert source.factors["y"][:2] == ["0.00", "0.03"]
    assert tuple(map(len, source.factors.values())) == GRID
    assert all(len(set(names)) == len(names) for names in source.factors.values())


def test_it_calls_itself_a_rendering():
    description = open_source("builtin:dsprites", max_examples=100).description
    assert "rendering" in description
    assert "not the published file" in description


def test_an_image_shows_its_cell_whose_number_is_its_id(dsprites):
    for examples in dsprites.values():
        codes = np.unravel_index(np.array(examples.ids, int), GRID)
        for factor, expected in zip(
            ("label", "scale", "orientation", "x", "y"), codes, strict=True
        ):
            np.testing.assert_array_equal(examples.factors[factor], expected)
        np.testing.assert_array_equal(examples.observations, render_sprites(codes, 64))


def test_the_sample_has_every_value_of_each_factor(dsprites):
    assert len(dsprites["train"]) + len(dsprites["test"]) == 2000
    assert len(dsprites["test"]) == pytest.approx(200, abs=60)
    for factor, count in zip(("label", "scale", "orientation", "x", "y"), GRID, strict=True):
        assert set(dsprites["train"].factors[factor].tolist()) == set(range(count))
    assert len(set(dsprites["train"].ids + dsprites["test"].ids)) == 2000


def test_the_smallest_sample_has_every_value_too():
    with pytest.raises(ValueError, match="source 'dsprites'.*Expected: at least") as refused:
        open_source("builtin:dsprites", max_examples=3)
    least = int(str(refused.value).split("at least ")[1].split(".")[0])
    source = open_source("builtin:dsprites", max_examples=least)
    ((examples, _),) = source.batches("train")
    assert [len(np.unique(codes)) for codes in examples.factors.values()] == list(GRID)


def test_the_sample_does_not_depend_on_batches_or_its_size(monkeypatch, dsprites):
    monkeypatch.setattr("latentloom.pipeline.importing.builtin.grid_source.batch_size", lambda _: 7)
    source = open_source("builtin:dsprites", max_examples=500)
    again = Examples.concatenate([examples for examples, _ in source.batches("train")])
    rows = np.flatnonzero(np.isin(dsprites["train"].ids, again.ids))
    assert dsprites["train"].take(rows).ids == again.ids
    np.testing.assert_array_equal(dsprites["train"].observations[rows], again.observations)


def test_twenty_thousand_cells_are_sampled_unless_told():
    assert sum(open_source("builtin:dsprites").splits.values()) == 20_000


def test_the_whole_grid_can_be_had():
    source = open_source("builtin:dsprites", max_examples=10**9)
    assert sum(source.splits.values()) == 737_280
    assert "737,280 of 737,280" in source.description


def test_it_is_imported_at_32_pixels(tmp_path):
    dataset = import_dataset("builtin:dsprites", tmp_path / "out", image_size=32, max_examples=200)
    assert dataset.manifest.name == "dsprites"
    assert dataset.manifest.observation_shape == (32, 32, 1)
    assert dataset.read("train").loaded().observations.max() == 255


def test_the_images_can_be_coloured():
    source = open_source("builtin:dsprites", max_examples=200, inks=3)
    examples, _ = next(iter(source.batches("train")))
    assert examples.observations.shape[1:] == (64, 64, 3)
    assert list(source.factors)[-1] == "ink"


def test_another_factor_may_be_the_label():
    source = open_source("builtin:dsprites", label="scale", factors=["x"], max_examples=200)
    assert list(source.factors) == ["label", "x"]
    assert len(source.factors["label"]) == 6
    assert list(open_source("builtin:dsprites", label="shape", max_examples=200).factors) == [
        *("label", "scale", "orientation", "x", "y")
    ]


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match=r"\(32, 64\).*image_size=48. Choose one"):
        open_source("builtin:dsprites", image_size=48)


def test_a_misspelt_name_is_told_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'builtin:dsprites'"):
        open_source("builtin:dsprite")
