"""Perplexity: among how many words, equally likely, a model as good would have to choose."""

from __future__ import annotations

import numpy as np


def perplexities(log_probabilities: np.ndarray, lengths: np.ndarray) -> dict[str, float]:
    """Perplexity a word, by two means.

    Reference:
        Miao et al., Neural Variational Inference for Text Processing, ICML 2016, section 5.1, for
        that by document.

    Args:
        log_probabilities: `(documents,)` in nats, or lower bounds of them.
        lengths: `(documents,)` number of words of each, at least 1.

    Returns:
        `by document`: `exp(-mean over documents d of log_probabilities[d] / lengths[d])`; `by
        word`: `exp(-sum of log_probabilities / sum of lengths)`.
    """
    bounds, lengths = np.asarray(log_probabilities, np.float64), np.asarray(lengths, np.float64)
    return {
        "by document": float(np.exp(-np.mean(bounds / lengths))),
        "by word": float(np.exp(-np.sum(bounds) / np.sum(lengths))),
    }


def unigram_log_probabilities(train: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Log probability of documents of which the code says nothing: words as often as in training.

    Args:
        train: `(n, words)` counts that frequencies are taken from, one added to each word.
        counts: `(documents, words)`.

    Returns:
        `(documents,)` in nats, of the words in their order.
    """
    frequencies = train.sum(axis=0, dtype=np.float64) + 1.0
    return counts @ np.log(frequencies / frequencies.sum())
