import numpy as np
import pytest

from latentloom.model_zoo.metrics.coherence import npmi, top_words

COUNTS = np.array(
    [
        [3, 1, 0, 0, 1],
        [1, 2, 0, 0, 1],
        [0, 0, 5, 1, 1],
        [1, 0, 2, 0, 1],
    ]
)
"""Words 0 and 1 are together in two of four documents, word 4 is in all."""


def test_npmi_is_what_documents_give_by_hand():
    # P(0) = 3/4, P(1) = 2/4, P(0, 1) = 2/4.
    expected = np.log(0.5 / (0.75 * 0.5)) / -np.log(0.5)
    np.testing.assert_allclose(npmi(np.array([[0, 1]]), COUNTS), [expected])


def test_words_that_never_meet_are_minus_one_and_inseparable_ones_one():
    assert npmi(np.array([[1, 3]]), COUNTS).tolist() == [-1.0]
    pair = np.array([[1, 1], [0, 0], [1, 1], [0, 0]])
    np.testing.assert_allclose(npmi(np.array([[0, 1]]), pair), [1.0])
    np.testing.assert_allclose(npmi(np.array([[0, 1]]), np.ones((4, 2))), [1.0])


def test_independent_words_have_no_coherence():
    independent = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    np.testing.assert_allclose(npmi(np.array([[0, 1]]), independent), [0.0], atol=1e-12)


def test_a_topic_is_the_mean_of_its_pairs_and_how_often_a_word_is_said_is_no_matter():
    pairs = npmi(np.array([[0, 1], [0, 2], [1, 2]]), COUNTS)
    np.testing.assert_allclose(npmi(np.array([[0, 1, 2]]), COUNTS), [pairs.mean()])
    np.testing.assert_allclose(npmi(np.array([[2, 0, 1]]), 7 * COUNTS), [pairs.mean()])


def test_top_words_are_those_of_the_largest_weights_in_their_order():
    topics = np.array([[0.1, -5.0, 0.4, 0.4], [3.0, 2.0, 1.0, 0.0]])
    assert top_words(topics, 3).tolist() == [[2, 3, 0], [0, 1, 2]]


@pytest.mark.parametrize(
    ("words", "counts"), [(np.array([[0]]), COUNTS), (np.array([[0, 1]]), COUNTS[:0])]
)
def test_pairs_and_documents_are_needed(words, counts):
    with pytest.raises(ValueError, match="Give more"):
        npmi(words, counts)
