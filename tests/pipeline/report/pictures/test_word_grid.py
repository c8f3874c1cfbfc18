import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.pictures.word_grid import word_grid

WORDS = np.array([[["moon", "star"], ["team", "goal"]]])
COUNTS = np.array([[[3, 1], [2, 0]]])
ACCEPTED = np.array([[True, False]])


def draw(words=WORDS, counts=COUNTS, accepted=ACCEPTED, titles=("space",), columns=("a", "b")):
    return word_grid(words, counts, accepted, titles, columns)


def red_pixels(png: bytes) -> int:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)
    return int(np.sum((pixels[..., 0] > pixels[..., 2] + 80) & (pixels[..., 3] > 200)))


def test_equal_lists_give_equal_bytes_and_other_words_others():
    assert draw() == draw()
    assert draw() != draw(words=WORDS[..., ::-1])


def test_rejected_lists_are_red():
    assert red_pixels(draw(accepted=np.ones((1, 2), bool))) == 0
    assert red_pixels(draw()) > 50


def test_words_without_a_count_are_left_out():
    other = WORDS.copy()
    other[0, 1, 1] = "unseen"
    assert draw(words=other) == draw()


def test_signs_of_mathematics_are_words():
    assert draw(words=np.array([[["$x$", "a_b"], ["$", "\\frac"]]]))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="Pass all of the same rows"):
        draw(titles=("space", "sport"))
