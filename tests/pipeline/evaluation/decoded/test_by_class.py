"""Class by class: what is drawn of each, and what is said of the rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from latentloom.augment import Verdicts
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.decoded.by_class import MOST_CLASSES, draw_by_class
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.report.pictures.images import ImagePictures
from latentloom.pipeline.report.pictures.shown import ShownClass

REASONS = ("accepted", "not_finite", "wrong_class", "low_confidence", "unlike_real")
EACH = 5


@pytest.fixture
def drawn(monkeypatch) -> list[ShownClass]:
    """What was drawn last."""
    kept: list[ShownClass] = []
    draw = ImagePictures.classes

    def keep(pictures, shown):
        kept[:] = shown
        return draw(pictures, shown)

    monkeypatch.setattr(ImagePictures, "classes", keep)
    return kept


def draw(codes: np.ndarray, real_classes: int | None = None) -> str:
    """Draws classes whose variants have these reasons, `(classes, EACH)`; returns the caption."""
    classes = len(codes)
    bundle = SimpleNamespace(class_names=[f"c{n}" for n in range(classes)], vocabulary=())
    codec = cast(Codec, SimpleNamespace(kind=KINDS["image"], bundle=bundle))
    rows = np.arange(real_classes or classes)
    real = Examples(images(len(rows)), {"label": rows}, [f"r{row}" for row in rows])
    codes, labels = codes.reshape(-1).astype(np.int8), np.repeat(np.arange(classes), EACH)
    verdicts = Verdicts(codes == 0, codes, np.ones(len(codes)), reasons=REASONS)
    pictures = draw_by_class(codec, real, images(len(labels)), labels, verdicts)
    return pictures["class_by_class"].caption if pictures else ""


def images(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 1), np.uint8)


def test_a_class_shows_what_is_accepted_and_what_is_rejected_and_why(drawn):
    caption = draw(np.array([[0, 0, 2, 4, 4], [3, 3, 3, 3, 3]]))
    assert [some.title for some in drawn] == [
        "c0: 2 of 5 accepted; rejected: realism 2, class 1",
        "c1: 0 of 5 accepted; rejected: class 5",
    ]
    assert drawn[0].accepted[:, 0, 0, 0].tolist() == [0, 1]
    assert drawn[0].rejected[:, 0, 0, 0].tolist() == [2, 3, 4]
    assert list(drawn[0].reasons) == ["class: wrong", "realism: far", "realism: far"]
    assert len(drawn[1].accepted) == 0
    assert caption.endswith("First attempts only.")


def test_of_many_classes_the_worst_are_drawn_and_the_rest_is_said(drawn):
    codes = np.zeros((MOST_CLASSES + 3, EACH), int)
    codes[3:, 0] = 2
    caption = draw(codes)
    assert [some.name for some in drawn] == [f"c{n}" for n in range(3, MOST_CLASSES + 3)]
    assert "Not drawn: 3 further classes, of each of which the gate accepts 100%" in caption


def test_a_class_without_a_real_example_is_not_drawn(drawn):
    caption = draw(np.zeros((3, EACH), int), real_classes=2)
    assert [some.name for some in drawn] == ["c0", "c1"]
    assert caption.endswith("Not in the sample: 1 of the classes.")
