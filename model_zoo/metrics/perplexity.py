"""Perplexity: the number of equally likely words with the same log probability a word."""

from __future__ import annotations

import numpy as np


def perplexities(log_probabilities: np.ndarray, lengths: np.ndarray) -> dict[str, float]:
    """Perplexity a word, averaged over documents and over words.

    Reference:
        Miao et al., Neural Variational Inference for Text Processing, ICML 2016, section 5.1, for
        the average over documents.

    Args:
        log_probabilities: `(documents,)` log probabilities or lower bounds of them, in nats.
        lengths: `(documents,)`, number of words of each document, at least 1.

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
    """Log probability of documents without a code: every word has its frequency in training.

    Args:
        train: `(n, words)` counts for the frequencies; one is added for each word.
        counts: `(documents, words)`.

    Returns:
        `(documents,)` in nats, for the words in order.
    """
    frequencies = train.sum(axis=0, dtype=np.float64) + 1.0
    return counts @ np.log(frequencies / frequencies.sum())
