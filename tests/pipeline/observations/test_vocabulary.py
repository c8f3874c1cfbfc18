import pytest

from latentloom.pipeline.observations.vocabulary import check_vocabulary, summarise


def test_distinct_words_are_a_vocabulary():
    check_vocabulary(["moon", "Moon", "star-gazer", "é"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["moon", "star", "moon"], "Received: 'moon', twice or more"),
        (["moon", ""], "Received: ''"),
        (["moon", "full moon"], "Received: 'full moon'"),
        (["moon", "star\n"], "none empty or with spaces"),
    ],
)
def test_words_that_cannot_be_told_apart_are_refused(words, message):
    with pytest.raises(ValueError, match=message) as error:
        check_vocabulary(words)
    assert "Merge or rename it" in str(error.value)


def test_a_summary_says_how_many_and_the_first_few():
    assert summarise(["a", "b"]) == "2 words: a, b"
    assert summarise([str(i) for i in range(2000)]) == "2,000 words: 0, 1, 2, 3, 4, ..."
