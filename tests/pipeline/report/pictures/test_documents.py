import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.report.pictures.documents import frequent_words
from latentloom.pipeline.report.pictures.registry import pictures_of

PNG = b"\x89PNG\r\n\x1a\n"
WORDS = ["moon", "star", "team", "goal"]
RNG = np.random.default_rng(0)
FIGURES = pictures_of(KINDS["counts"], WORDS)
PASSED = np.ones((3, 4), bool)


def documents(*shape: int) -> np.ndarray:
    return RNG.poisson(2.0, (*shape, len(WORDS))).astype(np.int32)


def examples() -> Examples:
    labels = np.arange(3)
    return Examples(documents(3), {"label": labels}, [str(label) for label in labels])


def test_the_most_frequent_words_come_first_and_of_equal_ones_the_rarest():
    counts = np.array([[1, 5, 1, 0], [1, 0, 0, 0], [1, 0, 0, 2]])
    assert frequent_words(counts, 3).tolist() == [[1, 2, 0], [0, 1, 2], [3, 0, 1]]


def test_more_words_than_there_are_cannot_be_shown():
    assert frequent_words(np.array([[1, 2]]), 6).tolist() == [[1, 0]]


def test_every_picture_of_a_report_can_be_drawn():
    names = ["a", "b", "c"]
    pictures = [
        FIGURES.variants(examples(), documents(3, 4), PASSED, names),
        FIGURES.exchange(
            examples(), documents(3, 3), PASSED[:, :3], names, ("topic", "style"), documents(9)
        ),
        FIGURES.copies(documents(3), documents(3, 2)),
        FIGURES.traversal(
            np.linspace(-2, 2, 4),
            documents(3, 4),
            PASSED,
            np.arange(3),
            np.ones(3) / 3,
            documents(9),
        ),
    ]
    assert all(picture.startswith(PNG) for picture in pictures)
    assert len(set(pictures)) == 4


def test_a_traversal_is_drawn_of_the_longest_document():
    assert FIGURES.clearest(np.array([[1, 0, 2, 0], [0, 4, 1, 0], [1, 1, 1, 1]])) == 1


def test_captions_name_the_blocks_and_speak_of_words():
    captions = FIGURES.captions(("topic", "style"))
    assert set(captions) == {"variants", "exchange"}
    assert "topic" in captions["exchange"]
    assert "style" in captions["exchange"]
    assert all("words" in text for text in (*captions.values(), FIGURES.traversal_caption))
