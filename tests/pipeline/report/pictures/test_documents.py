import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.report.pictures.documents import frequent_words
from latentloom.pipeline.report.pictures.registry import pictures_of
from latentloom.pipeline.report.pictures.shown import (
    ShownClass,
    ShownExchange,
    ShownTraversal,
    ShownVariants,
)

PNG = b"\x89PNG\r\n\x1a\n"
WORDS = ["moon", "star", "team", "goal"]
RNG = np.random.default_rng(0)
PICTURES = pictures_of(KINDS["counts"], WORDS)
PASSED = np.ones((3, 4), bool)


def documents(*shape: int) -> np.ndarray:
    return RNG.poisson(2.0, (*shape, len(WORDS))).astype(np.int32)


def examples() -> Examples:
    labels = np.arange(3)
    return Examples(documents(3), {"label": labels}, [str(label) for label in labels])


def exchange() -> ShownExchange:
    parts = ("topic", "style")
    cells, others = documents(3, 3), documents(9)
    return ShownExchange(examples(), cells, PASSED[:, :3], ["a", "b", "c"], parts, others)


def traversal() -> ShownTraversal:
    return ShownTraversal(
        steps=np.linspace(-2, 2, 4),
        cells=documents(3, 4),
        accepted=PASSED,
        axes=np.arange(3),
        labels=["0.3", "0.2", "0.1"],
        order="Axes are sorted.",
        others=documents(9),
    )


def test_the_most_frequent_words_come_first_and_of_equal_ones_the_rarest():
    counts = np.array([[1, 5, 1, 0], [1, 0, 0, 0], [1, 0, 0, 2]])
    assert frequent_words(counts, 3).tolist() == [[1, 2, 0], [0, 1, 2], [3, 0, 1]]


def test_more_words_than_there_are_cannot_be_shown():
    assert frequent_words(np.array([[1, 2]]), 6).tolist() == [[1, 0]]


def test_every_picture_of_a_report_can_be_drawn():
    names = ["a", "b", "c"]
    of_class = [
        ShownClass("a", "a: 3 of 4", documents(2), documents(3), documents(1), ["class: wrong"]),
        ShownClass("b", "b: 0 of 4", documents(1), documents(0), documents(0), []),
    ]
    pictures = [
        PICTURES.classes(of_class).png,
        PICTURES.variants(ShownVariants(examples(), documents(3, 4), PASSED, names)).png,
        PICTURES.exchange(exchange()).png,
        PICTURES.copies(documents(3), documents(3, 2)),
        PICTURES.traversal(traversal()).png,
    ]
    assert all(picture.startswith(PNG) for picture in pictures)
    assert len(set(pictures)) == 5


def test_a_traversal_is_drawn_of_the_longest_document():
    assert PICTURES.clearest(np.array([[1, 0, 2, 0], [0, 4, 1, 0], [1, 1, 1, 1]])) == 1


def test_captions_name_the_blocks_and_speak_of_words():
    variants = ShownVariants(examples(), documents(3, 4), PASSED, ["a", "b", "c"])
    exchanged, moved = PICTURES.exchange(exchange()), PICTURES.traversal(traversal())
    assert "topic" in exchanged.caption
    assert "style" in exchanged.caption
    assert "Axes are sorted." in moved.caption
    for picture in (PICTURES.variants(variants), exchanged, moved):
        assert "words" in picture.caption
