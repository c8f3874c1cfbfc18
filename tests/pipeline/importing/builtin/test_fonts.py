import numpy as np
import pytest

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.builtin.glyphs import (
    LETTERS,
    SIZES,
    MaskBank,
    render_mask,
    text_faces,
)
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.inks import COLOURS
from latentloom.pipeline.importing.open_source import open_source


@pytest.fixture(scope="module")
def masks() -> np.ndarray:
    """All masks, `(letter, size, font, 32, 32)`."""
    grid = (len(LETTERS), len(SIZES), len(text_faces()))
    codes = np.unravel_index(np.arange(np.prod(grid)), grid)
    return MaskBank(32).masks(*codes).reshape(*grid, 32, 32)


def test_only_text_faces_are_used():
    names = set(text_faces())
    assert {"DejaVuSans", "DejaVuSerif-Bold", "STIXGeneral", "cmr10", "cmtt10"} <= names
    assert len(names) >= 20
    for name in ("cmsy10", "cmex10", "cmmi10", "DejaVuSansDisplay", "LastResortHE-Regular"):
        assert name not in names
    assert not any(name.startswith(("STIXNonUni", "STIXSiz")) for name in names)


def test_glyphs_are_complete(masks):
    border = np.ones((32, 32), bool)
    border[1:-1, 1:-1] = False
    assert not masks[..., border].any()
    assert (masks.max((-1, -2)) > 100).all()


def test_glyphs_are_centred(masks):
    for axis in (-1, -2):
        inked = (masks > 0).any(axis)
        low, high = inked.argmax(-1), 31 - inked[..., ::-1].argmax(-1)
        assert np.abs(low + high - 31).max() <= 1


def test_the_letters_of_a_font_are_distinct_in_every_size(masks):
    for size in range(len(SIZES)):
        for font in range(masks.shape[2]):
            assert len({mask.tobytes() for mask in masks[:, size, font]}) == len(LETTERS)


def test_sizes_differ_and_small_capitals_are_readable(masks):
    capitals = masks[:26]
    heights = (capitals > 64).any(-1).sum(-1).mean((0, 2))
    assert (np.diff(heights) > 3).all()
    assert heights[0] >= 7


def test_a_mask_is_rendered_once(monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return render_mask(*arguments)

    monkeypatch.setattr("latentloom.pipeline.importing.builtin.glyphs.render_mask", counted)
    bank, zeros = MaskBank(32), np.zeros(5, int)
    bank.masks(zeros, zeros, zeros)
    bank.masks(zeros, zeros, zeros)
    assert len(calls) == 1


@pytest.fixture(scope="module")
def fonts() -> dict[str, Examples]:
    source = open_source("builtin:fonts", max_examples=2000)
    batches = {s: [examples for examples, _ in source.batches(s)] for s in ("train", "test")}
    return {split: Examples.concatenate(parts) for split, parts in batches.items()}


def test_an_image_blends_ink_and_background_by_the_mask(fonts, masks):
    examples = fonts["test"]
    palette = np.array(list(COLOURS.values()), float)
    codes = examples.factors
    mask = masks[codes["label"], codes["size"], codes["font"]][..., None] / 255
    ink, background = (palette[codes[f]][:, None, None] for f in ("ink", "background"))
    np.testing.assert_allclose(
        examples.observations, background * (1 - mask) + ink * mask, atol=0.51
    )
    np.testing.assert_array_equal(examples.observations[:, 0, 0], palette[codes["background"]])


def test_the_sample_has_every_value_and_no_hidden_letter(fonts):
    source = open_source("builtin:fonts", max_examples=2000)
    assert sum(source.splits.values()) == len(fonts["train"]) + len(fonts["test"]) == 2000
    assert len(fonts["test"]) == pytest.approx(200, abs=60)
    for factor, values in source.factors.items():
        assert set(fonts["train"].factors[factor].tolist()) == set(range(len(values)))
    for examples in fonts.values():
        assert (examples.factors["ink"] != examples.factors["background"]).all()
    ids = fonts["train"].ids + fonts["test"].ids
    assert len(set(ids)) == 2000


def test_the_sample_does_not_change():
    first, second = (open_source("builtin:fonts", max_examples=500) for _ in range(2))
    larger = open_source("builtin:fonts", max_examples=1000)
    one, two = (next(s.batches("train"))[0] for s in (first, second))
    assert one.ids == two.ids
    np.testing.assert_array_equal(one.observations, two.observations)
    assert set(one.ids) <= set(next(larger.batches("train"))[0].ids)


def test_the_small_grid_is_whole_and_shows_the_letters_it_names(masks):
    source = open_source("builtin:letters")
    assert source.name == "letters"
    assert sum(source.splits.values()) == 10 * 3 * 10 * 9 * 4
    examples = next(source.batches("test"))[0].take(np.arange(50))
    letters = [LETTERS.index(letter) for letter in source.factors["label"]]
    fonts = [list(text_faces()).index(font) for font in source.factors["font"]]
    codes, palette = examples.factors, np.array(list(COLOURS.values()), float)
    rows = np.array(letters)[codes["label"]], codes["size"], np.array(fonts)[codes["font"]]
    mask = masks[rows][..., None] / 255
    ink, background = (palette[codes[f]][:, None, None] for f in ("ink", "background"))
    np.testing.assert_allclose(
        examples.observations, background * (1 - mask) + ink * mask, atol=0.51
    )


def test_twenty_thousand_cells_are_sampled_unless_told(fonts):
    source = open_source("builtin:fonts")
    assert sum(source.splits.values()) == 20_000
    assert "20,000" in source.description


def test_the_whole_grid_has_14040_cells_a_font():
    source = open_source("builtin:fonts", max_examples=10**9)
    assert sum(source.splits.values()) == 14_040 * len(text_faces())


def test_images_may_have_64_pixels(tmp_path):
    dataset = import_dataset("builtin:fonts", tmp_path / "out", image_size=64, max_examples=200)
    assert dataset.manifest.observation_shape == (64, 64, 3)
    assert dataset.read("train").observations.shape[1:] == (64, 64, 3)


def test_the_font_may_be_the_label():
    source = open_source("builtin:fonts", label="font", factors=["size"], max_examples=500)
    assert list(source.factors) == ["label", "size"]
    assert source.factors["label"] == list(text_faces())


def test_a_sample_too_small_for_every_value_is_refused():
    with pytest.raises(ValueError, match="Expected: at least .* Raise it"):
        open_source("builtin:fonts", max_examples=20)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match=r"\(32, 64\).*Choose one"):
        open_source("builtin:fonts", image_size=48)
