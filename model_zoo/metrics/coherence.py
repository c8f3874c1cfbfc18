"""Topic coherence: how often the top words of a topic are in one document."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array


def top_words(topics: np.ndarray, number: int = 10) -> np.ndarray:
    """The words with the largest weights of every topic, the largest first.

    Args:
        topics: `(topics, words)` weights. Of dimensions that may have either sign the positive
            direction counts.
        number: Integer, how many.

    Returns:
        Numbers of words, int64 of shape `(topics, number)`, fewer where there are fewer words; of
        equal weights the lower number first.
    """
    return np.argsort(-topics, axis=1, kind="stable")[:, :number]


def npmi(words: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Normalised pointwise mutual information of words, mean of the pairs of each topic.

    With `P` the share of documents that have a word, or both words of a pair, the figure of a pair
    is `log(P(a, b) / (P(a) P(b))) / -log P(a, b)`: -1 for words that are never in one document, 0
    for independent ones, 1 for words that are never apart. A pair that is in every document is 1.

    Reference:
        Bouma, Normalized (pointwise) mutual information in collocation extraction, GSCL 2009; Lau
        et al., Machine Reading Tea Leaves, EACL 2014, for topics. Deviates: whole documents of the
        reference corpus are the windows.

    Args:
        words: Numbers of words, `(topics, number)`, two or more different ones a topic.
        counts: `(documents, words)` of a reference corpus, at least one document.

    Returns:
        float64 of shape `(topics,)`, in `[-1, 1]`.

    Raises:
        ValueError: There are no pairs or no documents.
    """
    if words.ndim != 2 or words.shape[1] < 2 or not len(counts):
        raise ValueError(
            "Coherence needs pairs of words and documents. Expected: two words a topic or more, "
            f"and a document. Received: words {words.shape}, counts {counts.shape}. Give more."
        )
    used, places = np.unique(words, return_inverse=True)
    occurs = csr_array((counts[:, used] > 0).astype(np.float64))
    together = (occurs.T @ occurs).toarray() / len(counts)
    first, second = np.triu_indices(words.shape[1], k=1)
    rows = places.reshape(words.shape)
    joint = together[rows[:, first], rows[:, second]]
    alone = np.diag(together)
    expected = alone[rows[:, first]] * alone[rows[:, second]]
    figures = np.full(joint.shape, -1.0)
    some = (joint > 0) & (joint < 1)
    figures[some] = np.log(joint[some] / expected[some]) / -np.log(joint[some])
    figures[joint == 1] = 1.0
    return figures.mean(axis=1)
