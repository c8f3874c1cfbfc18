import numpy as np
import pytest
from keras import ops

from latentloom.model_zoo.word_counts import round_counts
from latentloom.pipeline.codec.compilation import compiled

RNG = np.random.default_rng(0)


def rounded(expected: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(round_counts(ops.convert_to_tensor(expected.astype(np.float32))))


def documents(count: int, words: int = 200, length: float = 30.0) -> np.ndarray:
    """Expected counts of documents that are alike but not the same."""
    shares = RNG.dirichlet(np.full(words, 0.3))
    noise = np.exp(0.3 * RNG.normal(size=(count, words)))
    shares = shares * noise
    return length * shares / shares.sum(axis=1, keepdims=True)


def test_a_count_is_the_expected_one_rounded_up_or_down():
    expected = documents(200)
    expected *= np.round(expected.sum(axis=1, keepdims=True)) / expected.sum(axis=1, keepdims=True)
    difference = rounded(expected) - expected
    assert np.abs(difference).max() < 1 + 1e-4
    assert rounded(expected).min() >= 0


@pytest.mark.parametrize("length", [0.0, 0.2, 1.4, 57.3, 1e6])
def test_the_total_stays_but_is_at_least_one_word(length):
    expected = documents(50, length=1.0) * length
    totals = rounded(expected).sum(axis=1)
    wanted = np.maximum(np.floor(expected.astype(np.float32).sum(axis=1) + 0.5), 1)
    np.testing.assert_allclose(totals, wanted, rtol=0, atol=1 if length > 1e5 else 0)


def test_rare_words_occur_as_often_as_expected():
    """Plain rounding would leave out every word that is expected less than half a time."""
    expected = documents(20_000, words=100, length=12.0)
    assert expected.mean(axis=0).min() < 0.01
    found = rounded(expected).mean(axis=0)
    error = (found - expected.mean(axis=0)) / np.sqrt(expected.mean(axis=0) / len(expected))
    assert np.abs(error).max() < 4.5
    assert np.sqrt(np.mean(np.square(error))) < 1.3


def test_one_document_gets_the_same_counts_beside_any_others():
    expected = documents(64)
    together = rounded(expected)
    for row in (0, 31, 63):
        alone = np.concatenate([expected[row : row + 1], documents(63)])
        np.testing.assert_array_equal(rounded(alone)[0], together[row])


def test_equal_expectations_give_equal_counts_in_a_compiled_function():
    expected = documents(64).astype(np.float32)
    run = compiled(
        lambda columns: {"counts": round_counts(columns["expected"])},
        [],
        {"expected": (expected.shape, "float32")},
    )
    first, second = (run({"expected": expected})["counts"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, rounded(expected))
    assert first.dtype == np.int32


def test_a_little_noise_changes_few_counts():
    """Another kind of CPU rounds otherwise: the phase must not tear documents apart."""
    expected = documents(2000, length=100.0)
    noisy = expected * (1 + 1e-6 * RNG.normal(size=expected.shape))
    differs = (rounded(expected) != rounded(noisy)).any(axis=1)
    assert differs.mean() < 0.02
    assert np.abs(rounded(expected) - rounded(noisy)).max() <= 1
