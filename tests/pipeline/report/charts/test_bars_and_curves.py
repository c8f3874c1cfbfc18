"""The charts of a report: right lengths and colours, whatever the names."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from latentloom.pipeline.report.charts import bars_and_curves as pictures
from latentloom.pipeline.report.charts import drawing
from latentloom.pipeline.report.charts.bars_and_curves import class_counts, loss_curves, rejections

_COLORS = [drawing.TEXT, pictures._BEFORE, pictures._ADDED, pictures._TRAIN, pictures._VALIDATION]
_COLORS += pictures._REASONS


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def _area(png: bytes, color: str) -> int:
    """Number of pixels of exactly this colour."""
    rgb = [round(255 * part) for part in to_rgb(color)]
    return int((_pixels(png) == [*rgb, 255]).all(-1).sum())


def test_areas_of_the_bars_are_in_proportion_to_the_counts():
    png = class_counts(["cat", "dog"], [100, 300], [400, 400])
    before, added = _area(png, pictures._BEFORE), _area(png, pictures._ADDED)
    assert before == pytest.approx(added, rel=0.03)
    more = class_counts(["cat", "dog"], [50, 150], [400, 400])
    assert _area(more, pictures._ADDED) == pytest.approx(
        3 * _area(more, pictures._BEFORE), rel=0.05
    )


def test_classes_that_shrink_are_drawn_beside_what_they_were():
    png = class_counts(["cat"], [400], [200])
    assert _area(png, pictures._BEFORE) == pytest.approx(2 * _area(png, pictures._ADDED), rel=0.05)


def test_more_classes_than_can_be_named_become_an_outline_of_fixed_height():
    sizes = set()
    for number in (41, 400):
        counts = np.arange(number)
        png = class_counts([str(index) for index in range(number)], counts, counts + 10)
        sizes.add(_pixels(png).shape)
        assert _area(png, pictures._ADDED) > 1000
    assert len(sizes) == 1


def test_each_reason_has_its_colour():
    png = rejections(["cat", "dog"], {"wrong_class": [4, 0], "low_confidence": [0, 4]})
    first, second = (_area(png, color) for color in pictures._REASONS[:2])
    assert first == pytest.approx(second, rel=0.03)
    assert _area(png, pictures._REASONS[2]) == 0


def test_validation_is_drawn_only_where_it_was_measured():
    both = loss_curves({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.5, 2.0]})
    alone = loss_curves({"loss": [3.0, 2.0, 1.0]})
    assert _area(both, pictures._VALIDATION) > 100
    assert _area(alone, pictures._VALIDATION) == 0
    assert _area(alone, pictures._TRAIN) > 100


def test_each_quantity_has_a_panel_of_its_own():
    heights = [
        _pixels(loss_curves({f"loss_{index}": [2.0, 1.0] for index in range(number)})).shape[0]
        for number in (2, 4, 6)
    ]
    assert heights[2] - heights[1] == pytest.approx(heights[1] - heights[0], abs=1)
    assert heights[1] > heights[0]


@pytest.mark.parametrize("values", [[1.5], [2.0, float("nan"), 1.0]])
def test_short_and_broken_histories_are_drawn(values):
    assert _area(loss_curves({"loss": values}), pictures._TRAIN) > 10


@pytest.mark.parametrize(
    "png",
    [
        class_counts(["cat"], [1], [2]),
        rejections(["cat"], {"wrong_class": [1]}),
        loss_curves({"loss": [2.0, 1.0]}),
    ],
    ids=["class_counts", "rejections", "loss_curves"],
)
def test_background_is_transparent_and_the_width_that_of_a_phone_at_high_density(png):
    pixels = _pixels(png)
    assert pixels[[0, 0, -1, -1], [0, -1, 0, -1], 3].tolist() == [0] * 4
    assert pixels.shape[1] == round(drawing.WIDTH * 220)


@pytest.mark.parametrize("color", _COLORS)
@pytest.mark.parametrize("page", ["#fbfaf8", "#14171b"])
def test_colours_can_be_told_from_a_light_and_a_dark_page(color, page):
    def luminance(name: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(name)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    darker, lighter = sorted([luminance(color), luminance(page)])
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_names_with_mathematics_or_markup_are_drawn_as_they_are():
    names = ["$\\frac{$", "a_b^$c$", "<b>", "x" * 300]
    shown = class_counts(names, [1, 2, 3, 4], [4, 4, 4, 4])
    assert shown != class_counts(["a", "b", "c", "d"], [1, 2, 3, 4], [4, 4, 4, 4])
    assert rejections(["cat"], {"$\\frac{$": [1]})
    assert loss_curves({"$\\frac{$": [1.0, 2.0]})


def test_equal_charts_are_equal_bytes():
    draw = [class_counts(["cat", "dog"], [1, 2], [3, 3]) for _ in range(2)]
    assert draw[0] == draw[1]


def test_columns_of_another_length_are_refused():
    with pytest.raises(ValueError, match="Pass one number for each class"):
        class_counts(["cat", "dog"], [1], [1, 2])
    with pytest.raises(ValueError, match="Pass one number for each class"):
        rejections(["cat", "dog"], {"wrong_class": [1]})
    with pytest.raises(ValueError, match="Pass one number for each class"):
        class_counts([], [], [])


def test_empty_history_is_refused():
    with pytest.raises(ValueError, match="Train for at least one epoch"):
        loss_curves({"epoch": []})
