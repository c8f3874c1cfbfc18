import numpy as np
import pytest

from latentloom.model_zoo.metrics.perplexity import perplexities, unigram_log_probabilities


def test_words_that_are_equally_likely_have_a_perplexity_of_their_number():
    lengths = np.array([3, 40, 1])
    found = perplexities(lengths * -np.log(7.0), lengths)
    assert found == pytest.approx({"by document": 7.0, "by word": 7.0})


def test_short_documents_count_as_much_as_long_ones_or_as_their_words():
    bounds, lengths = np.array([-np.log(2.0), -3 * np.log(8.0)]), np.array([1, 3])
    found = perplexities(bounds, lengths)
    assert found["by document"] == pytest.approx(np.exp((np.log(2) + np.log(8)) / 2))
    assert found["by word"] == pytest.approx(np.exp((np.log(2) + 3 * np.log(8)) / 4))


def test_frequencies_of_training_words_say_how_likely_documents_are():
    train = np.array([[1, 0, 0], [0, 2, 0]])
    found = unigram_log_probabilities(train, np.array([[1, 0, 2]]))
    assert found == pytest.approx([np.log(2 / 6) + 2 * np.log(1 / 6)])
