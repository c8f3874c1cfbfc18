"""The copy check of an evaluation, on draws that are copies and on draws that are none."""

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.decoded.copies import (
    MOST_DRAWS,
    NEIGHBOURS,
    SHOWN,
    draw_copies,
    measure_copies,
)
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.report.pictures.sheets.tile_sheet import FRAME, cell_size


def vectors(count: int, seed: int) -> Examples:
    rows = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    return Examples(
        rows, {"label": np.arange(count) % 2}, [f"{seed}/{row}" for row in range(count)]
    )


def model(drawn: np.ndarray, kind: str = "vector") -> Any:
    """Held-out vectors of a model that draws these, whose auditor sees the first three features."""
    return SimpleNamespace(
        codec=SimpleNamespace(
            kind=KINDS[kind],
            bundle=SimpleNamespace(vocabulary=[]),
            features=lambda vectors: vectors[:, :3],
        ),
        many="vectors",
        examples=vectors(1500, 1),
        labels=vectors(1500, 1).labels,
        carriers=("zs",),
        free=("zu",),
        from_prior=lambda blocks, use: {name: np.arange(len(drawn)) for name in blocks},
        decode=lambda codes: drawn[codes["zs"]],
    )


def values(drawn: np.ndarray, train: Examples) -> dict[str, float]:
    return {m.name: m.value for m in measure_copies(model(drawn), train)}


STORED, SEEN = "in vectors as stored", "in the features of the auditor"


def test_draws_of_the_same_source_are_no_copies():
    found = values(vectors(1500, 2).observations, vectors(3000, 0))
    for where in (STORED, SEEN):
        assert found[f"Copies among draws, {where}"] == pytest.approx(0.01, abs=0.012)
        assert found[f"Nearest training example of draws, {where}"] == pytest.approx(1, abs=0.06)


def test_training_examples_that_are_drawn_are_copies():
    train = vectors(3000, 0)
    found = values(train.observations[:1500], train)
    for where in (STORED, SEEN):
        assert found[f"Copies among draws, {where}"] > 0.99
        assert found[f"Nearest training example of draws, {where}"] < 0.01


def test_what_the_auditor_cannot_tell_apart_is_a_copy_in_its_features_alone():
    train = vectors(3000, 0)
    drawn = train.observations[:1500].copy()
    drawn[:, 3:] += 5
    found = values(drawn, train)
    assert found[f"Copies among draws, {STORED}"] == 0
    assert found[f"Copies among draws, {SEEN}"] > 0.99


def test_so_many_draws_are_looked_at_and_no_more():
    train = vectors(3000, 0)
    drawn = np.concatenate([vectors(MOST_DRAWS, 2).observations, train.observations[:500]])
    assert values(drawn, train)[f"Copies among draws, {STORED}"] < 0.05


def test_the_picture_shows_the_nearest_pairs_of_every_class():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 96, 96, 1), dtype=np.uint8)
    train = Examples(images, {"label": np.zeros(60, int)}, [str(row) for row in range(60)])
    drawn = rng.integers(0, 256, (40, 96, 96, 1), dtype=np.uint8)
    drawn[17] = images[5]  # of class 1
    drawn[::2] = images[8] + 9  # of class 0, and not as near
    picture = draw_copies(model(drawn, "image"), train)["copies"]
    pixels = np.asarray(Image.open(io.BytesIO(picture.png)))[..., :1]
    assert picture.caption.startswith("Left, the draws of each class")
    assert f"of {MOST_DRAWS:,} draws from the prior" in picture.caption
    height, width = cell_size(images)
    assert pixels.shape[0] == SHOWN * (height + 4) - 4
    left = pixels.shape[1] - NEIGHBOURS * (width + 4) + 4
    top = SHOWN // 2 * (height + 4) + FRAME
    for column in (0, left):
        tile = slice(column + FRAME, column + width - FRAME)
        np.testing.assert_array_equal(pixels[top : top + 96, tile], images[5])
        expected = drawn[0] if column == 0 else images[8]
        np.testing.assert_array_equal(pixels[FRAME : FRAME + 96, tile], expected)


def test_vectors_and_few_training_examples_have_no_picture():
    assert draw_copies(model(vectors(20, 2).observations), vectors(30, 0)) == {}
    assert draw_copies(model(vectors(20, 2).observations), vectors(NEIGHBOURS - 1, 0)) == {}
